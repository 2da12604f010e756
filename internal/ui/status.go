package ui

import (
	"fmt"
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
	Lock        string          `json:"lock,omitempty"`
	Interrupted string          `json:"interrupted,omitempty"`
	Services    []ServiceStatus `json:"services,omitempty"`
}

// ServiceStatus is one service in one environment.
type ServiceStatus struct {
	Service string    `json:"service"`
	Version string    `json:"version"`
	Digest  string    `json:"digest,omitempty"`
	Running string    `json:"running"` // up, down, not running, files only
	Since   time.Time `json:"since,omitzero"`
	Mark    string    `json:"mark,omitempty"` // verified, unchecked
	Hold    string    `json:"hold,omitempty"`
	Place   string    `json:"place,omitempty"` // FILE:LINE of the version
	Drift   []string  `json:"drift,omitempty"`
	Problem string    `json:"problem,omitempty"`
}

// Status shows services × environments.
func (s *Screen) Status(status Status, now time.Time) error {
	if s.JSON {
		return s.Object(status)
	}
	table := tabwriter.NewWriter(s.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ENVIRONMENT\tSERVICE\tVERSION\tRUNS\tSINCE\tMARK\tPLACE")
	for _, env := range status.Environments {
		for _, v := range env.Services {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", oneLine(env.Environment), oneLine(v.Service), oneLine(v.Version), v.Running, ago(v.Since, now), mark(v), oneLine(v.Place))
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, env := range status.Environments {
		s.remarks(env)
	}
	return nil
}

// remarks are what doesn't fit a table: drift, holds in full, an interrupted deployment.
func (s *Screen) remarks(env EnvironmentStatus) {
	remark := func(service, format string, args ...any) {
		name := env.Environment
		if service != "" {
			name += " " + service
		}
		fmt.Fprintf(s.Out, "%s: %s\n", oneLine(name), oneLine(fmt.Sprintf(format, args...)))
	}
	if env.Error != "" {
		remark("", "could not be looked at: %s", env.Error)
	}
	if env.Lock != "" {
		remark("", "working: %s", env.Lock)
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
			remark(v.Service, "drift: %s", drift)
		}
	}
}

func mark(v ServiceStatus) string {
	text := v.Mark
	if v.Hold != "" {
		text += ", held"
	}
	if len(v.Drift) > 0 {
		text += ", drift"
	}
	return text
}

// HoldText tells a hold: at what, since when, by whom, why, until when.
func HoldText(m promotion.Mark) string {
	text := fmt.Sprintf("held at %s since %s by %s", promotion.Label(m.Release), m.At.UTC().Format("2006-01-02 15:04 UTC"), m.By)
	if m.Reason != "" {
		text += " (" + m.Reason + ")"
	}
	return text + "," + holdEnd(m)
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
