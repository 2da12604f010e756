package promotion

import "fmt"

// Adoption are the marks that take a service into the journal as its files and containers are now, so
// that a later rollback has somewhere to go. There are none when the journal says so already. What the
// files and the containers do not agree on can't be adopted ([Refusal]).
func Adoption(t Target, service Service, s ServiceState, hold *Mark) ([]Mark, error) {
	if s.Problem != "" {
		return nil, &problemError{s}
	}
	if err := agreed(t, service, s); err != nil {
		return nil, err
	}
	present, r := s.Present(service.Tag), fold(s.Marks)
	if len(r.ran) > 0 && Same(r.current, present) {
		return nil, nil
	}
	marks := []Mark{{Service: s.Service, Kind: Running, Release: present}}
	if t.Engine != EngineNone {
		marks = append(marks, Mark{Service: s.Service, Kind: seen(s), Release: present})
	}
	if verdict(r.bad, present) != nil { // somebody runs it on purpose
		marks = append(marks, Mark{Service: s.Service, Kind: Cleared, Release: present})
	}
	if hold != nil && !Same(hold.Release, present) {
		marks = append(marks, Mark{Service: s.Service, Kind: Freed})
	}
	return marks, nil
}

// agreed refuses what has no one answer to which version it is on.
func agreed(t Target, service Service, s ServiceState) error {
	for _, d := range Drifts(t, s, service.Tag) {
		switch d.Kind {
		case Split:
			return refuse(s.Service, gateDrift, "%s", "write one version in both places", d.Text)
		case NotApplied:
			advice := fmt.Sprintf("docker compose up -d %s, or write what runs into the file", s.Parts[0].Compose.Name)
			return refuse(s.Service, gateDrift, "%s", advice, d.Text)
		}
	}
	if t.Engine != EngineNone && !s.Up() {
		return refuse(s.Service, "down", "it is not up, so there is nothing that could be gone back to", "docker compose ps --all")
	}
	return nil
}

// seen says what the engine's own look at the containers proves of the release.
func seen(s ServiceState) MarkKind {
	for _, p := range s.Parts {
		for _, c := range p.Containers {
			if c.Health != "healthy" {
				return Unchecked
			}
		}
	}
	return Verified
}
