package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Task is a command of the user's around a deployment.
type Task struct {
	Name string
	// Phase is when it runs: backup, before, maintenance, verify, after, failure or manual.
	Phase string
	Run   Command
	// In is where it runs: new, service:NAME, host or here.
	In string
	// Changed are patterns of files, of which one has to differ between the two versions for the task
	// to run; empty means that it always runs.
	Changed []string
	// Undo takes back what Run did, List says what Run would do; each may be empty.
	Undo, List Command
	Timeout    time.Duration
	// Required is whether its failure is the deployment's.
	Required bool
}

// Command is a command line for a shell, or a program and its arguments; one of the two is empty.
type Command struct {
	Shell string
	Argv  []string
}

var taskKeys = mapping([]key[Task]{
	at("name", matching(namePattern, "a name of letters, digits, and . _ - after the first"), func(t *Task) *string { return &t.Name },
		"Name of the task.").must(),
	at("phase", choice("backup", "before", "maintenance", "verify", "after", "failure", "manual"), func(t *Task) *string { return &t.Phase },
		"When it runs.").must(),
	at("run", command, func(t *Task) *Command { return &t.Run },
		"What it runs: a line for a shell, or a list of a program and its arguments.").must(),
	at("in", matching(`new|host|here|service:[A-Za-z0-9._-]+`, "new, service:NAME, host or here"), func(t *Task) *string { return &t.In },
		"Where it runs: in a one-off container of the new image, in a running service, on the environment's machine, or here, where promote was called.").or("new"),
	at("when", parsed(`a condition such as changed("migrations/**")`, textSchema, parseChanged), func(t *Task) *[]string { return &t.Changed },
		"Condition under which it runs.").derived("always"),
	at("undo", command, func(t *Task) *Command { return &t.Undo },
		"What takes it back."),
	at("list", command, func(t *Task) *Command { return &t.List },
		"What says beforehand what it would do."),
	at("timeout", duration, func(t *Task) *time.Duration { return &t.Timeout },
		"How long it may take.").or("10m"),
	at("required", truth, func(t *Task) *bool { return &t.Required },
		"Whether the deployment fails if it does.").or("true"),
})

var command = either(
	converted(text, func(s string) (Command, error) { return Command{Shell: s}, nil }),
	converted(list(text), func(argv []string) (Command, error) { return Command{Argv: argv}, nil }),
)

// checkTasks refuses tasks here whose result the deployment would have to wait for: it goes on without whoever asked
// for it.
func (s *Service) checkTasks(d *decoder) {
	for i := range s.Tasks {
		if t := &s.Tasks[i]; t.In == "here" && (t.Phase == "verify" || t.Phase == "maintenance") {
			d.fail(d.item(&s.Tasks, i), "%s: task %s: a task of phase %s can't be here: the deployment goes on when nobody is connected", s.Name, t.Name, t.Phase)
		}
	}
}

var condition = regexp.MustCompile(`^changed\((.*)\)$`)

// parseChanged reads changed("PATTERN", …), the only condition there is.
func parseChanged(s string) ([]string, error) {
	m := condition.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return nil, fmt.Errorf(`expected a condition such as changed("migrations/**"), found %q`, shortened(s))
	}
	// The arguments are those of a JSON list, which says all there is to say about quotes and commas.
	var patterns []string
	if err := json.Unmarshal([]byte("["+m[1]+"]"), &patterns); err != nil || len(patterns) == 0 {
		return nil, errors.New(`changed takes patterns in double quotes with commas between: changed("migrations/**")`)
	}
	return patterns, nil
}
