package promotion

import (
	"fmt"
	"slices"
	"strings"

	"promote/registry"
)

// Agree is what several hosts of one environment agree on, for a gate that looks there: a release is
// verified where it is on every one of them, and bad where it is on any.
func Agree(states []State) State {
	agreed := states[0]
	agreed.Services = slices.Clone(agreed.Services)
	for i, s := range agreed.Services {
		for _, other := range states[1:] {
			there, _ := other.Service(s.Service)
			s.Marks = slices.DeleteFunc(slices.Clone(s.Marks), func(m Mark) bool {
				return m.Kind == Verified && !Proven(there.Marks, m.Release)
			})
			s.Marks = append(s.Marks, fold(there.Marks).bad...)
		}
		agreed.Services[i] = s
	}
	return agreed
}

// HostState is what one of several hosts of an environment is on.
type HostState struct {
	Host string
	State
}

// HostDrift says where hosts of one environment are on different releases of a service.
func HostDrift(service Service, hosts []HostState) []Drift {
	var where []string
	var first registry.Release
	differ := false
	for i, h := range hosts {
		s, ok := h.Service(service.Name)
		if !ok || s.Absent {
			continue
		}
		present := s.Present(service.Tag)
		if i == 0 {
			first = present
		}
		differ = differ || !Same(first, present)
		where = append(where, fmt.Sprintf("%s is on %s", h.Host, Label(present)))
	}
	if !differ {
		return nil
	}
	return []Drift{drift(Hosts, "%s", strings.Join(where, ", "))}
}

// Agreed refuses plans of several hosts that would put a service on different releases.
func Agreed(plans []Plan) error {
	to := map[string]registry.Release{}
	for _, p := range plans {
		for service, release := range p.releases() {
			other, known := to[service]
			if known && !Same(other, release) {
				return refuse(service, gateDrift, "the hosts of %s would go to different releases, %s and %s",
					fmt.Sprintf("promote pin %s %s@VERSION", p.Target.Environment, service), p.Target.Environment, Label(other), Label(release))
			}
			to[service] = release
		}
	}
	return nil
}

// releases is what every service is on after the plan.
func (p Plan) releases() map[string]registry.Release {
	after := map[string]registry.Release{}
	for _, m := range p.Moves {
		after[m.Service] = m.To
	}
	for _, s := range p.Stays {
		after[s.Service] = s.Release
	}
	return after
}

// Back is the request and the choices that put a plan's services on what they were on before.
func Back(r Request, p Plan) (Request, []Choice) {
	r.Kind, r.Wanted, r.AcceptDrift, r.Reverts, r.Upstream = Deploy, nil, true, p.ID, nil
	var choices []Choice
	for _, m := range p.Moves {
		service, err := r.service(m.Service)
		state, found := r.State.Service(m.Service)
		if err == nil && found {
			choices = append(choices, Choice{Service: service, State: state, Release: m.From})
		}
	}
	return r, choices
}
