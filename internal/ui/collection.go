package ui

import (
	"fmt"
	"strings"

	"promote/internal/deploy"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// Collected is what `promote gc` answers.
type Collected struct {
	Schema       int                     `json:"schema"`
	Trial        bool                    `json:"dry_run"` // nothing was removed: it is what would be
	Environments []deploy.HostCollection `json:"environments"`
}

// Collected shows what was removed, or would be; long, also what stays, and why.
func (s *Screen) Collected(c Collected, long bool) error {
	if s.JSON {
		return s.Object(c)
	}
	for _, env := range c.Environments {
		label := EnvironmentStatus{Environment: env.Environment, Host: env.Host}.label()
		s.collection(label, env.Collection, c.Trial)
		for _, f := range env.Kept {
			if long || c.Trial {
				s.Answer("%s: keeps %s, %s: %s", label, shortened(f.Label()), size(f.Size), f.Why)
			}
		}
	}
	return nil
}

func (s *Screen) collection(label string, c rollout.Collection, trial bool) {
	verb := "removed"
	if trial {
		verb = "would remove"
	}
	if c.Nothing() {
		s.Answer("%s: nothing to remove", label)
	}
	for _, f := range c.Removed {
		s.Answer("%s: %s %s, %s", label, verb, shortened(f.Label()), size(f.Size))
	}
	if n := len(c.Folders); n > 0 {
		s.Answer("%s: %s the plans and events of %s", label, verb, plural(n, "old deployment"))
	}
	for _, problem := range c.Failed {
		s.Answer("%s: %s", label, problem)
	}
	if c.Freed != nil {
		s.Answer("%s: %s are free again", label, size(*c.Freed))
	}
}

// shortened is an image's name with its digest, if there is one, as people compare it.
func shortened(name string) string {
	repository, digest, found := strings.Cut(name, "@")
	if !found {
		return name
	}
	return repository + "@" + promotion.Short(digest)
}

func size(bytes int64) string {
	if bytes < 1e5 {
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}
