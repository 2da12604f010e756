package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// command is a run of this machine's docker.
type command struct {
	args    []string
	shown   []string // what an error says was run: without the files
	dir     string
	environ []string
	input   []byte
	lock    *os.File
}

// patience is how long a command may take to end by itself once nobody wants it any more, and again once
// it was told so. Interrupting it at once would gain little: the engine goes on with what it was asked
// for last, and a container that it makes then is one that nobody has looked for.
const patience = 10 * time.Second

// CommandError is a failed docker command with what it said.
type CommandError struct {
	Args     []string // without the files
	ExitCode int
	Output   string // stderr, its last lines
}

func (e *CommandError) Error() string {
	return fmt.Sprintf("docker %s: exit status %d: %s", strings.Join(e.Args, " "), e.ExitCode, lastLine(e.Output))
}

// run returns what the command said on stderr, where docker's commands show what they do.
func (c command) run(ctx context.Context) (string, error) {
	hanging := &HangingError{fmt.Sprintf("docker %s took more than %s", strings.Join(c.shown, " "), commandLimit)}
	ctx, cancel := context.WithTimeoutCause(ctx, commandLimit, hanging)
	defer cancel()
	cmd := exec.CommandContext(ctx, "docker", c.args...)
	cmd.Dir, cmd.Env = c.dir, c.environ
	cmd.Cancel = func() error {
		time.AfterFunc(patience, func() { _ = cmd.Process.Signal(os.Interrupt) }) // it has ended, most likely
		return nil
	}
	cmd.WaitDelay = 2 * patience
	if c.lock != nil {
		cmd.ExtraFiles = []*os.File{c.lock}
	}
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(c.input), &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.As(err, &exit):
		return "", &CommandError{Args: c.shown, ExitCode: exit.ExitCode(), Output: stderr.String()}
	}
	return stderr.String(), err
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
