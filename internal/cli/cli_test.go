package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"promote/internal/host"
	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/internal/ui"
)

func testProgram(out io.Writer) *program {
	return &program{name: "promote", in: strings.NewReader(""), out: out, err: out, screen: ui.New(out, out, true)}
}

// TestPermute: flags may stand where people type them.
func TestPermute(t *testing.T) {
	app := testProgram(io.Discard).app()
	for typed, want := range map[string]string{
		"deploy prod":                                "deploy prod",
		"pin prod v1.4.2 --keep":                     "pin --keep prod v1.4.2",
		"pin prod --reason broken v1.4.2 --until 2d": "pin --reason broken --until 2d prod v1.4.2",
		"pin prod --reason=broken v1.4.2":            "pin --reason=broken prod v1.4.2",
		"deploy prod --yes core":                     "deploy --yes prod core",
		"deploy prod --yes=prod -n core":             "deploy --yes=prod -n prod core",
		"deploy prod -- --core":                      "deploy prod -- --core",
		"--config x.yaml deploy prod --json":         "--config x.yaml deploy --json prod",
		"deploy prod --reason":                       "deploy --reason prod",
		"demo web --health":                          "demo web --health",
		"--version":                                  "--version",
		"nonsense --keep x":                          "nonsense --keep x",
	} {
		got := permute(app, append([]string{"promote"}, strings.Fields(typed)...))
		if joined := strings.Join(got[1:], " "); joined != want {
			t.Errorf("%s\n got %s\nwant %s", typed, joined, want)
		}
	}
}

// TestExitCodes: every kind of end has its code, also when it is wrapped.
func TestExitCodes(t *testing.T) {
	for want, err := range map[int]error{
		exitFailed:      errors.New("x"),
		exitRefused:     &promotion.Refusal{},
		exitLocked:      &journal.LockedError{},
		exitRestored:    &outcomeError{rollout.Result{Outcome: rollout.OutcomeRestored}},
		exitStuck:       &host.DiedError{},
		exitDetached:    &detachedError{},
		exitPending:     &quietError{exitPending},
		exitInterrupted: context.Canceled,
	} {
		if got := exitCode(fmt.Errorf("wrapped: %w", err)); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
	for outcome, want := range map[rollout.Outcome]int{
		rollout.OutcomeFailed: exitFailed, rollout.OutcomeChanged: exitLocked, rollout.OutcomeStuck: exitStuck,
	} {
		if got := exitCode(&outcomeError{rollout.Result{Outcome: outcome}}); got != want {
			t.Errorf("%s: %d, want %d", outcome, got, want)
		}
	}
	if got := exitCode(nil); got != exitDone {
		t.Errorf("no error: %d", got)
	}
}

// TestHelp: every command says what it does, shows examples first, and lists the exit codes.
func TestHelp(t *testing.T) {
	var out strings.Builder
	for _, c := range testProgram(&out).commands() {
		if c.Hidden {
			continue
		}
		out.Reset()
		p := testProgram(&out)
		p.signals = catch()
		if err := p.app().Run([]string{"promote", c.Name, "--help"}); err != nil {
			t.Fatal(err)
		}
		p.signals.release()
		help := out.String()
		example, options := strings.Index(help, "promote "+c.Name+" "), strings.Index(help, "Options:")
		if c.Usage == "" || c.Description == "" || example < 0 || options < example || !strings.Contains(help, exitText()) {
			t.Errorf("the help of %s is\n%s", c.Name, help)
		}
	}
}

func TestUntil(t *testing.T) {
	now := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "2d": now.Add(48 * time.Hour), "36h": now.Add(36 * time.Hour), "2026-12-01": time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, err := until(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"x", "-2d", "0h", "2020-01-01", "tomorrow"} {
		if got, err := until(text, now); err == nil {
			t.Errorf("%q was taken, as %v", text, got)
		}
	}
}

// TestReference: every flag of every command has a sentence.
func TestReference(t *testing.T) {
	for _, c := range testProgram(io.Discard).commands() {
		for _, f := range c.Flags {
			if d, ok := f.(cli.DocGenerationFlag); !ok || d.GetUsage() == "" {
				t.Errorf("%s --%s says nothing", c.Name, f.Names()[0])
			}
		}
	}
}
