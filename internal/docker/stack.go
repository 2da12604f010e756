package docker

import (
	"context"
	"errors"
	"os"
	"strings"
)

// Stack is one stack of a swarm, worked on from a manager by the machine's own docker stack: its labels
// must be docker's own, or a later `docker stack deploy` by hand replaces everything.
type Stack struct {
	Dir     string   // project directory
	Name    string   // of the stack
	Files   []string // absolute
	Environ []string // environment of the command; docker stack reads no env file
	Lock    *os.File // as of Compose
}

// Check has docker stack read the files with overlay over them and accept them. A docker from before 25
// can't be asked; its stack deploy does the same before it changes anything.
func (s Stack) Check(ctx context.Context, overlay []byte) error {
	_, err := s.command(overlay, "config").run(ctx)
	var failed *CommandError
	if errors.As(err, &failed) && strings.HasPrefix(failed.Output, "unknown flag: --compose-file") {
		return nil
	}
	return err
}

// Deploy makes the stack what the files say, with overlay over them. It returns once the swarm knows; the
// tasks are replaced after that. Of the images only those are asked for at their registry that are others
// than at the last deployment.
func (s Stack) Deploy(ctx context.Context, overlay []byte) error {
	c := s.command(overlay, "deploy", "--resolve-image", "changed")
	c.args = append(c.args, s.Name)
	_, err := c.run(ctx)
	return err
}

func (s Stack) command(overlay []byte, args ...string) command {
	args = append([]string{"stack"}, args...)
	c := command{shown: append(args, s.Name), args: args, dir: s.Dir, environ: s.Environ, lock: s.Lock, input: overlay}
	for _, f := range append(s.Files, "-") {
		c.args = append(c.args, "--compose-file", f)
	}
	return c
}
