package docker

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/pkg/stdcopy"
)

// ExecOptions are how a command is run in a container: its Cmd, User, Env, WorkingDir and so on.
type ExecOptions = container.ExecOptions

// Exec runs a command in a container to its end, and returns its exit code.
func (e *Engine) Exec(ctx context.Context, id string, command []string) (int, error) {
	code, _, err := e.Execute(ctx, id, ExecOptions{Cmd: command})
	return code, err
}

// Execute is Exec as another user, in another folder, and so on. It returns the end of what the command said, too.
func (e *Engine) Execute(ctx context.Context, id string, options ExecOptions) (code int, said string, err error) {
	options.AttachStdout, options.AttachStderr = true, true
	created, err := e.API.ContainerExecCreate(ctx, id, options)
	if err != nil {
		return 0, "", err
	}
	stream, err := e.API.ContainerExecAttach(ctx, created.ID, container.ExecAttachOptions{})
	if err != nil {
		return 0, "", err
	}
	defer stream.Close()
	stop := context.AfterFunc(ctx, stream.Close) // the read below knows no context
	defer stop()
	var out outputEnd
	if _, err := stdcopy.StdCopy(&out, &out, stream.Reader); err != nil {
		return 0, "", errors.Join(ctx.Err(), err)
	}
	code, err = e.awaitExec(ctx, id, created.ID)
	return code, strings.TrimSpace(string(out)), err
}

// endLimit is how long a command in a container may go on after it has closed its output.
var endLimit = 2 * time.Minute // shorter in tests

// errGoesOn is a command of which nobody knows yet how it ends.
var errGoesOn = errors.New("it has closed its output, and goes on")

// awaitExec waits until a command in a container has ended, and returns its exit code. That its streams have ended
// does not say so: a command may close them and go on, and the engine may not have noticed its end yet. Until it
// has, it gives 0 for the exit code.
func (e *Engine) awaitExec(ctx context.Context, id, execID string) (int, error) {
	found, err := e.API.ContainerExecInspect(ctx, execID)
	if err != nil || !found.Running {
		return found.ExitCode, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, endLimit, errGoesOn)
	defer cancel()
	ended, failed := e.API.Events(ctx, events.ListOptions{
		Since:   time.Now().Add(-time.Minute).Format(time.RFC3339), // the engine answers before it listens
		Filters: filters.NewArgs(filters.Arg("container", id), filters.Arg("event", string(events.ActionExecDie))),
	})
	for {
		found, err := e.API.ContainerExecInspect(ctx, execID)
		if err != nil || !found.Running {
			return found.ExitCode, err
		}
		select {
		case <-ended:
		case err := <-failed:
			return 0, errors.Join(context.Cause(ctx), err)
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// outputEnd keeps the end of what is written.
type outputEnd []byte

// keptOutput is how much that is.
const keptOutput = 64 << 10 // bytes

func (b *outputEnd) Write(data []byte) (int, error) {
	*b = append(*b, data...)
	if over := len(*b) - keptOutput; over > 0 {
		*b = (*b)[over:]
	}
	return len(data), nil
}
