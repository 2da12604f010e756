package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"promote/internal/deploy"
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
		"deploy prod":                                    "deploy prod",
		"pin prod v1.4.2 --keep":                         "pin --keep prod v1.4.2",
		"pin prod --reason broken v1.4.2 --until 2d":     "pin --reason broken --until 2d prod v1.4.2",
		"pin prod --reason=broken v1.4.2":                "pin --reason=broken prod v1.4.2",
		"deploy prod --yes core":                         "deploy --yes prod core",
		"deploy prod --yes=prod -n core":                 "deploy --yes=prod -n prod core",
		"deploy prod -- --core":                          "deploy -- prod --core",
		"deploy prod --json -- core --keep":              "deploy --json -- prod core --keep",
		"deploy -- prod":                                 "deploy -- prod",
		"run prod migrate --undo -- 0041 --fake":         "run --undo -- prod migrate -- 0041 --fake",
		"run --list prod migrate":                        "run --list prod migrate",
		"pin prod --reason --keep v1.4.2":                "pin --reason --keep prod v1.4.2",
		"-q deploy prod -c x.yaml":                       "deploy -q -c x.yaml prod",
		"deploy prod -":                                  "deploy prod -",
		"deploy prod --nonsense core":                    "deploy --nonsense prod core",
		"bump core minor -n --no-push":                   "bump -n --no-push core minor",
		"--config":                                       "--config",
		"":                                               "",
		"--config x.yaml host --json":                    "host --config x.yaml --json",
		"--json demo web x":                              "demo web --json x",
		"deploy prod --quiet --generate-bash-completion": "deploy --quiet prod --generate-bash-completion",
		"--config x.yaml deploy prod --json":             "deploy --config x.yaml --json prod",
		"deploy prod --reason":                           "deploy --reason prod",
		"demo web --health":                              "demo web --health",
		"--version":                                      "--version",
		"nonsense --keep x":                              "nonsense --keep x",
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
		exitRestored:    &deploy.OutcomeError{Result: rollout.Result{Outcome: rollout.OutcomeRestored}},
		exitStuck:       &host.DiedError{},
		exitDetached:    &deploy.DetachedError{},
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
		if got := exitCode(&deploy.OutcomeError{Result: rollout.Result{Outcome: outcome}}); got != want {
			t.Errorf("%s: %d, want %d", outcome, got, want)
		}
	}
	if got := exitCode(nil); got != exitDone {
		t.Errorf("no error: %d", got)
	}
}

// TestExitCodeTable: the table that people read has every code once, in order, and the text shows all.
func TestExitCodeTable(t *testing.T) {
	var codes []int
	for _, e := range exitCodes {
		codes = append(codes, e.code)
		if !strings.Contains(exitText(), fmt.Sprintf("%3d  %s", e.code, e.meaning)) {
			t.Errorf("%d is not in the text", e.code)
		}
	}
	if want := []int{0, 1, 3, 4, 5, 6, 7, 10, 11, 130}; !slices.Equal(codes, want) {
		t.Errorf("the codes are %v, want %v", codes, want)
	}
}

// TestHelp: every command says in one sentence what it does, shows examples that begin with it and whose
// flags it has, and lists the exit codes.
func TestHelp(t *testing.T) {
	for _, c := range testProgram(io.Discard).commands() {
		if c.Hidden {
			continue
		}
		var out, stderr strings.Builder
		if code := Main([]string{"promote", c.Name, "--help"}, strings.NewReader(""), &out, &stderr); code != 0 {
			t.Fatalf("%s --help ends with %d: %s", c.Name, code, stderr.String())
		}
		help := out.String()
		example, options, codes := strings.Index(help, "  promote "+c.Name), strings.Index(help, "Options:"), strings.Index(help, exitText())
		if example < 0 || options < example || codes < options {
			t.Errorf("the help of %s is\n%s", c.Name, help)
		}
		if c.Usage == "" || strings.Contains(c.Usage, "\n") || strings.HasSuffix(c.Usage, ".") || strings.ToLower(c.Usage[:1]) != c.Usage[:1] {
			t.Errorf("the sentence of %s is %q", c.Name, c.Usage)
		}
		for line := range strings.Lines(c.Description) {
			if !strings.Contains(line, "promote "+c.Name) {
				t.Errorf("an example of %s is %q", c.Name, line)
			}
			own, _, _ := strings.Cut(line, " -- ")
			for _, word := range strings.Fields(own) {
				if name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "="); isFlag(word) && len(word) > 1 && !slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), name) }) {
					t.Errorf("an example of %s uses %s, which it doesn't know", c.Name, word)
				}
			}
		}
	}
}

// TestErrors: an error is one line and a hint on stderr, or one object on stdout.
func TestErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{
		{"deploy", "prod"},
		{"status"},
		{"nonsense"},
		{"pin", "--nonsense"},
		{"pin", "prod", "--until"},
		{"completion", "csh"},
		{"rollback", "--", "--prod"},
	} {
		var out, stderr strings.Builder
		code := Main(append([]string{"promote"}, args...), strings.NewReader(""), &out, &stderr)
		if lines := strings.SplitAfter(stderr.String(), "\n"); code != exitFailed || out.Len() > 0 || len(lines) != 3 || !strings.HasPrefix(lines[0], "error: ") || !strings.HasPrefix(lines[1], "hint: ") {
			t.Errorf("%v ends with %d and says %q %q", args, code, out.String(), stderr.String())
		}
		out.Reset()
		stderr.Reset()
		if i := slices.Index(args, "--"); i >= 0 {
			args = slices.Insert(slices.Clone(args), i, "--json")
		} else {
			args = append(slices.Clone(args), "--json")
		}
		Main(append([]string{"promote"}, args...), strings.NewReader(""), &out, &stderr)
		var f ui.Failure
		if err := json.Unmarshal([]byte(out.String()), &f); err != nil || f.Schema != 1 || f.Error == "" || f.Hint == "" || f.Exit != exitFailed || stderr.Len() > 0 {
			t.Errorf("%v says %q %q (%v)", args, out.String(), stderr.String(), err)
		}
	}
}

func TestUntil(t *testing.T) {
	now := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"": {}, "2d": now.Add(48 * time.Hour), "36h": now.Add(36 * time.Hour), "2026-12-01": time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		"1h30m": now.Add(90 * time.Minute), "2026-12-01 15:04": time.Date(2026, 12, 1, 15, 4, 0, 0, time.UTC),
		"2026-12-01T15:04:00+01:00": time.Date(2026, 12, 1, 14, 4, 0, 0, time.UTC),
	} {
		if got, err := until(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"x", "-2d", "0h", "2020-01-01", "tomorrow", "0d", "1.5d", "1h2d", "2 d", "d", "4000000d", "99999999999d", "2026-11-21"} {
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
