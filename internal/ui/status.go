package ui

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"promote/internal/promotion"
)

// Status is what `promote status` answers.
type Status struct {
	Schema       int                 `json:"schema"`
	Environments []EnvironmentStatus `json:"environments"`
}

// EnvironmentStatus is one environment's state, or why it can't be had.
type EnvironmentStatus struct {
	Environment string          `json:"environment"`
	Error       string          `json:"error,omitempty"`
	Host        string          `json:"host,omitempty"`   // which of several
	Hint        string          `json:"hint,omitempty"`   // what to do about the error
	Lock        string          `json:"lock,omitempty"`   // who is at it right now
	Locked      string          `json:"locked,omitempty"` // by whom nobody is to deploy there
	Interrupted string          `json:"interrupted,omitempty"`
	Services    []ServiceStatus `json:"services,omitempty"`
}

// label names the environment, with the host where there are several.
func (e EnvironmentStatus) label() string {
	if e.Host == "" {
		return e.Environment
	}
	return e.Environment + "@" + e.Host
}

// ServiceStatus is one service in one environment: what its files say, what runs, what the history says.
type ServiceStatus struct {
	Service string `json:"service"`
	// What the files say.
	Version string `json:"version"`
	Place   string `json:"place,omitempty"` // FILE:LINE of the version
	In      string `json:"in,omitempty"`    // what stands there: image, variable TAG, default of TAG
	// What runs.
	Running    string            `json:"running"`          // up, down, not running, files only
	Digest     string            `json:"digest,omitempty"` // of what runs; of several, that all run
	Containers []ContainerStatus `json:"containers,omitempty"`
	// What the history says.
	Recorded *promotion.Mark `json:"recorded,omitempty"` // the last release that it was put on
	Since    time.Time       `json:"since,omitzero"`     // when it last moved
	Mark     string          `json:"mark,omitempty"`     // verified, unchecked, bad
	Hold     string          `json:"hold,omitempty"`

	Drift   []promotion.Drift `json:"drift,omitempty"` // where the three do not say the same
	Problem string            `json:"problem,omitempty"`
}

// ContainerStatus is one container of a service.
type ContainerStatus struct {
	Service string `json:"service"` // compose service
	promotion.Container
}

// Status shows services × environments; long, with what stands behind each line.
func (s *Screen) Status(status Status, now time.Time, long bool) error {
	if s.JSON {
		return s.Object(status)
	}
	table := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ENVIRONMENT\tSERVICE\tVERSION\tRUNS\tDIGEST\tSINCE\tMARK\tPLACE")
	for _, env := range status.Environments {
		for _, v := range env.Services {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", oneLine(env.label()), oneLine(v.Service), oneLine(v.Version), v.Running,
				strings.TrimPrefix(promotion.Short(v.Digest), "sha256:"), ago(v.Since, now), mark(v), oneLine(v.Place))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, env := range status.Environments {
		s.remarks(env)
	}
	for _, env := range status.Environments {
		for _, v := range env.Services {
			if long {
				s.detail(env.label(), v)
			}
		}
	}
	return nil
}

// detail shows what each of the three witnesses says of a service.
func (s *Screen) detail(env string, v ServiceStatus) {
	fmt.Fprintf(s.Out, "\n%s %s\n", oneLine(env), oneLine(v.Service))
	fmt.Fprintf(s.Out, "  file     %s  %s (%s)\n", oneLine(v.Version), oneLine(v.Place), oneLine(v.In))
	for _, c := range v.Containers {
		state := c.State
		if c.Health != "" {
			state += ", " + c.Health
		}
		if c.Restarts > 0 {
			state += fmt.Sprintf(", %d restarts", c.Restarts)
		}
		fmt.Fprintf(s.Out, "  runs     %s  %s  %s\n", oneLine(c.Name), state, oneLine(c.Image))
		fmt.Fprintf(s.Out, "           image %s  digest %s\n", promotion.Short(c.ImageID), orNone(promotion.Short(c.Digest)))
	}
	if len(v.Containers) == 0 {
		fmt.Fprintf(s.Out, "  runs     %s\n", v.Running)
	}
	if v.Recorded == nil {
		fmt.Fprintf(s.Out, "  history  nothing; promote adopt %s takes it in as it is\n", oneLine(env))
		return
	}
	fmt.Fprintf(s.Out, "  history  %s  %s  %s by %s\n", oneLine(promotion.Label(v.Recorded.Release)), orNone(promotion.Short(v.Recorded.Release.Digest)), minute(v.Recorded.At), oneLine(v.Recorded.By))
}

func orNone(text string) string {
	if text == "" {
		return "unknown"
	}
	return oneLine(text)
}

// minute is a time as people compare it.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// remarks are what doesn't fit a table: drift, holds in full, an interrupted deployment.
func (s *Screen) remarks(env EnvironmentStatus) {
	remark := func(service, format string, args ...any) {
		name := env.label()
		if service != "" {
			name += " " + service
		}
		fmt.Fprintf(s.Out, "%s: %s\n", oneLine(name), oneLine(fmt.Sprintf(format, args...)))
	}
	if env.Error != "" {
		remark("", "could not be looked at: %s", env.Error)
		if env.Hint != "" {
			remark("", "hint: %s", env.Hint)
		}
	}
	if env.Lock != "" {
		remark("", "working: %s", env.Lock)
	}
	if env.Locked != "" {
		remark("", "%s; promote unlock %s", env.Locked, env.Environment)
	}
	if env.Interrupted != "" {
		remark("", "interrupted: %s; promote resume %s", env.Interrupted, env.Environment)
	}
	for _, v := range env.Services {
		if v.Problem != "" {
			remark(v.Service, "%s", v.Problem)
		}
		if v.Hold != "" {
			remark(v.Service, "%s", v.Hold)
		}
		for _, drift := range v.Drift {
			remark(v.Service, "drift (%s): %s", drift.Kind, drift.Text)
		}
	}
}

func mark(v ServiceStatus) string {
	words := []string{v.Mark}
	if v.Hold != "" {
		words = append(words, "held")
	}
	if len(v.Drift) > 0 {
		words = append(words, "drift")
	}
	return strings.TrimPrefix(strings.Join(words, ", "), ", ")
}

// HoldText tells a hold: at what, since when, by whom, why, until when.
func HoldText(m promotion.Mark) string {
	text := fmt.Sprintf("held at %s since %s by %s", promotion.Label(m.Release), minute(m.At), m.By)
	if m.Reason != "" {
		text += " (" + m.Reason + ")"
	}
	return text + "," + holdEnd(m)
}

// LockedText tells who locked an environment, since when, and why.
func LockedText(m promotion.Mark) string {
	text := fmt.Sprintf("locked since %s by %s", minute(m.At), m.By)
	if m.Reason != "" {
		text += " (" + m.Reason + ")"
	}
	return text
}

// ago is an age in the largest unit that says enough.
func ago(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	d := now.Sub(t)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(max(0, d).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
