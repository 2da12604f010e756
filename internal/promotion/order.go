package promotion

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// order puts every move into a wave behind those that it comes after, by after: of the configuration or by
// depends_on of the compose files. The moves of a wave do not wait for each other. On the way back the waves
// come in reverse.
func (r Request) order(p *Plan) error {
	place := map[string]int{}
	for i, s := range p.Target.Services {
		place[s.Name] = i
	}
	waiting, wave := slices.Clone(p.Moves), 0
	var done []Move
	for ; len(waiting) > 0; wave++ {
		free := func(m Move) bool {
			return !slices.ContainsFunc(waiting, func(o Move) bool { return o.Service != m.Service && r.comesAfter(m, o) })
		}
		if !slices.ContainsFunc(waiting, free) {
			return fmt.Errorf("after: %s wait for each other", strings.Join(names(waiting), ", "))
		}
		var blocked []Move
		for _, m := range waiting {
			if m.Wave = wave; free(m) {
				done = append(done, m)
			} else {
				blocked = append(blocked, m)
			}
		}
		waiting = blocked
	}
	for i := range done {
		if p.Kind == Rollback {
			done[i].Wave = wave - 1 - done[i].Wave
		}
	}
	slices.SortStableFunc(done, func(a, b Move) int {
		return cmp.Or(cmp.Compare(a.Wave, b.Wave), cmp.Compare(place[a.Service], place[b.Service]))
	})
	p.Moves = done
	return nil
}

// comesAfter reports whether a move has to wait for another one.
func (r Request) comesAfter(m, other Move) bool {
	for _, s := range r.Target.Services {
		if s.Name == m.Service && slices.Contains(s.After, other.Service) {
			return true
		}
	}
	first, _ := r.State.Service(m.Service)
	second, _ := r.State.Service(other.Service)
	for _, part := range first.Parts {
		needs := func(o Part) bool {
			return slices.Contains(part.Compose.DependsOn, o.Compose.Name) || slices.Contains(o.Compose.Attached, part.Compose.Name)
		}
		if slices.ContainsFunc(second.Parts, needs) {
			return true
		}
	}
	return false
}

func names(moves []Move) []string {
	var list []string
	for _, m := range moves {
		list = append(list, m.Service)
	}
	return list
}
