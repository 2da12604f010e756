package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// commandPatience is how long a command may take.
const commandPatience = 30 * time.Second

// Command is run with the message as JSON on its standard input, and PROMOTE_EVENT, PROMOTE_ENVIRONMENT,
// PROMOTE_DEPLOYMENT and PROMOTE_TEXT in its environment.
type Command struct {
	Shell   string   // a line for sh, or
	Argv    []string // a program and its arguments
	Dir     string   // that it is run in
	Environ []string // that these are added to
}

func (c *Command) secrets() []string { return nil }

func (c *Command) compose(m Message, template string) (note, error) {
	return (&Webhook{Kind: JSON}).compose(m, template)
}

func (c *Command) send(ctx context.Context, n note) error {
	ctx, cancel := context.WithTimeout(ctx, commandPatience)
	defer cancel()
	argv := c.Argv
	if len(argv) == 0 {
		argv = []string{"sh", "-c", c.Shell}
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var complaint bytes.Buffer
	cmd.Dir = c.Dir
	cmd.Stdin, cmd.Stderr = bytes.NewReader(n.body), &complaint
	cmd.Env = append(slices.Clone(c.Environ),
		"PROMOTE_EVENT="+string(n.Event), "PROMOTE_ENVIRONMENT="+n.Environment, "PROMOTE_DEPLOYMENT="+n.Deployment, "PROMOTE_TEXT="+n.text)
	// A group of its own: what a shell started ends with it, and Ctrl-C on a terminal is ours to hear.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &lateError{"it was still running after " + commandPatience.String()}
	case ctx.Err() != nil:
		return ctx.Err()
	}
	lines := strings.Split(strings.TrimSpace(complaint.String()), "\n")
	if last := clean(lines[len(lines)-1]); last != "" {
		return fmt.Errorf("%w: %s", err, last)
	}
	return err
}
