package ui

import (
	"fmt"

	"promote/internal/deploy"
	"promote/internal/rollout"
)

// Examination is what `promote doctor` answers.
type Examination struct {
	Schema       int                        `json:"schema"`
	Environments []deploy.EnvironmentChecks `json:"environments"`
}

// Failed counts the checks that a deployment would fail at.
func (e Examination) Failed() int { return e.count(rollout.Broken) }

func (e Examination) count(state rollout.CheckState) int {
	n := 0
	for _, env := range e.Environments {
		for _, c := range env.Checks {
			if c.State == state {
				n++
			}
		}
	}
	return n
}

var signs = map[rollout.CheckState]string{rollout.Fine: "✓", rollout.Warning: "!", rollout.Broken: "✗"}

// Examination shows one line a check, and under those that are not well how to mend it.
func (s *Screen) Examination(e Examination) error {
	if s.JSON {
		return s.Object(e)
	}
	for _, env := range e.Environments {
		fmt.Fprintln(s.Out, oneLine(env.Environment))
		for _, c := range env.Checks {
			fmt.Fprintf(s.Out, " %s %-12s %s\n", signs[c.State], oneLine(c.Name), oneLine(c.Text))
			if c.Advice != "" {
				fmt.Fprintf(s.Out, "   %-12s hint: %s\n", "", oneLine(c.Advice))
			}
		}
	}
	switch failed, warned := e.Failed(), e.count(rollout.Warning); {
	case failed > 0:
		s.Say("%s would keep a deployment from working", plural(failed, "thing"))
	case warned > 0:
		s.Say("a deployment would work; %s to look at", plural(warned, "thing"))
	default:
		s.Say("all is well")
	}
	return nil
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
