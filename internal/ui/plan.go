package ui

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"promote/internal/deploy"
	"promote/internal/promotion"
)

// PlansObject prints plans as JSON: one as an object, several in a list of one.
func (s *Screen) PlansObject(plans deploy.Plans) error {
	if len(plans) == 1 {
		return s.Object(plans[0])
	}
	return s.Object(map[string]any{"schema": promotion.Schema, "plans": plans})
}

// Plans shows what a deployment would do, once for all hosts where it would do the same. It goes where
// the caller says: to stdout as the answer of diff, to stderr before a confirmation.
func (s *Screen) Plans(w io.Writer, plans deploy.Plans) {
	var bodies []string
	hosts := map[string][]string{}
	for _, p := range plans {
		var b strings.Builder
		s.body(&b, p.Plan)
		if hosts[b.String()] == nil {
			bodies = append(bodies, b.String())
		}
		hosts[b.String()] = append(hosts[b.String()], oneLine(p.Host))
	}
	for _, body := range bodies {
		on := ""
		if len(plans) > 1 {
			on = " on " + strings.Join(hosts[body], ", ")
		}
		fmt.Fprintf(w, "%s %s%s\n%s", oneLine(string(plans[0].Kind)), oneLine(plans[0].Target.Environment), on, body)
	}
}

// Plan shows what a deployment would do.
func (s *Screen) Plan(w io.Writer, p promotion.Plan) { s.Plans(w, deploy.Plans{{Plan: p}}) }

func (s *Screen) body(w io.Writer, p promotion.Plan) {
	if p.Data != nil {
		transfer(w, p)
	}
	for _, m := range p.Moves {
		fmt.Fprintf(w, "  %s  %s → %s%s\n", oneLine(m.Service), oneLine(from(m)), oneLine(promotion.Label(m.To)), digests(m))
		for _, task := range p.Target.TasksOf(m) {
			fmt.Fprintf(w, "    task %s, %s: %s\n", oneLine(task.Name), oneLine(occasion(task)), oneLine(promotion.CommandLine(task.Run)))
		}
		for _, undo := range m.Undo {
			task, _ := p.Target.Task(m.Service, undo.Task)
			fmt.Fprintf(w, "    task %s of %s, taken back: %s\n", oneLine(undo.Task), oneLine(undo.Of), oneLine(promotion.CommandLine(task.Undo)))
		}
		for _, roll := range m.Rolls {
			fmt.Fprintf(w, "    %s  %s: %s\n", oneLine(roll.Service), oneLine(roll.Strategy), oneLine(roll.Why))
			if c := roll.Changes[0]; c.From != c.To {
				fmt.Fprintf(w, "      %s:%d  %s → %s\n", oneLine(inside(p.Target.Project, roll.File)), roll.Line, pin(c.From.String()), pin(c.To.String()))
			}
		}
	}
	for _, m := range p.Marks {
		if text := markText(m); text != "" {
			fmt.Fprintf(w, "  %s  %s\n", oneLine(m.Service), oneLine(text))
		}
	}
	for _, stay := range p.Stays {
		fmt.Fprintf(w, "  %s  stays on %s%s  %s:%d\n", oneLine(stay.Service), oneLine(promotion.Label(stay.Release)), digest(stay.Release.Digest), oneLine(inside(p.Target.Project, stay.File)), stay.Line)
	}
	for _, skip := range p.Skipped {
		fmt.Fprintf(w, "  %s  left out: %s\n", oneLine(skip.Service), oneLine(skip.Reason))
	}
	for _, note := range p.Notes {
		fmt.Fprintf(w, "  %s  note: %s\n", oneLine(note.Service), oneLine(note.Text))
	}
}

// occasion is when a task runs, and that it runs here, if it does.
func occasion(t promotion.Task) string {
	if t.In == promotion.InHere {
		return t.Phase + ", here"
	}
	return t.Phase
}

// transfer shows which data is replaced, and by what.
func transfer(w io.Writer, p promotion.Plan) {
	for _, d := range p.Data.Items {
		dump, anonymise, load := d.Commands()
		where := oneLine(strings.TrimPrefix(d.In, promotion.InService+":"))
		from, here := oneLine(p.Data.From), oneLine(p.Target.Environment)
		if p.Data.Undo != "" {
			fmt.Fprintf(w, "  %s  as it was before %s\n", oneLine(d.Name), oneLine(p.Data.Undo))
		} else {
			fmt.Fprintf(w, "  %s  %s → %s\n", oneLine(d.Name), from, here)
			fmt.Fprintf(w, "    dump, in %s of %s: %s\n", where, from, oneLine(dump))
			fmt.Fprintf(w, "    anonymise, there: %s\n", oneLine(anonymise))
		}
		fmt.Fprintf(w, "    save, in %s of %s: %s\n", where, here, oneLine(dump))
		fmt.Fprintf(w, "    load, there, in place of what it holds: %s\n", oneLine(load))
	}
}

// from is where a move starts; a service that only has to be started is on its version already.
func from(m promotion.Move) string {
	if promotion.Same(m.From, m.To) && m.Rolls[0].Fresh {
		return "not running"
	}
	return promotion.Label(m.From)
}

// markText says what will hold after the deployment besides the new version.
func markText(m promotion.Mark) string {
	switch m.Kind {
	case promotion.Bad:
		return promotion.Label(m.Release) + " will be marked bad"
	case promotion.Held:
		return "will be " + HeldText(m)
	case promotion.Freed:
		return "will no longer be held"
	case promotion.Cleared:
		return promotion.Label(m.Release) + " will no longer be bad"
	}
	return ""
}

// HeldText tells at what a service is held, and until when.
func HeldText(m promotion.Mark) string { return "held at " + promotion.Label(m.Release) + holdEnd(m) }

func holdEnd(m promotion.Mark) string {
	switch {
	case !m.Until.IsZero():
		return " until " + minute(m.Until)
	case m.Keep:
		return " until promote unpin"
	}
	return " until something newer is published"
}

// MarkText says what a mark that was just made means.
func MarkText(m promotion.Mark) string {
	switch m.Kind {
	case promotion.Freed:
		return m.Service + ": no longer held"
	case promotion.Locked, promotion.Unlocked:
		return "is " + string(m.Kind)
	case promotion.Cleared:
		return m.Service + ": " + promotion.Label(m.Release) + " is no longer bad"
	case promotion.Running:
		return m.Service + ": the history says " + promotion.Label(m.Release) + digest(m.Release.Digest)
	}
	return fmt.Sprintf("%s: %s is %s", m.Service, promotion.Label(m.Release), m.Kind)
}

// digests are what runs and what would run.
func digests(m promotion.Move) string {
	if m.From.Digest == "" || m.To.Digest == "" || m.From.Digest == m.To.Digest {
		return digest(m.To.Digest)
	}
	return digest(m.From.Digest) + " →" + digest(m.To.Digest)[1:]
}

func digest(d string) string {
	if d == "" {
		return ""
	}
	return "  " + oneLine(promotion.Short(d))
}

func pin(text string) string {
	if text == "" {
		return "no tag"
	}
	return oneLine(text)
}

// inside shortens a path that lies in the project directory.
func inside(dir, path string) string {
	if short, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(short) {
		return short
	}
	return path
}
