package rollout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"promote/internal/docker"
)

// deploymentVariable is in the environment of every task, and of all that it starts. It is how what a dead worker's
// task left running is found.
const deploymentVariable = "PROMOTE_DEPLOYMENT="

// runInFolder runs a command on this machine. All of its process group ends with it when it is stopped. What it
// leaves behind when it ends by itself, such as a daemon, goes on, and holds up nobody: neither by its output, nor by
// the environment's lock, which no task has.
func (r *run) runInFolder(ctx context.Context, dir string, facts, argv []string, say func(string)) (int, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = dir, append(slices.Clone(r.Environ), facts...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = farewell
	reader, writer := io.Pipe()
	cmd.Stdout, cmd.Stderr = writer, writer
	said := make(chan struct{})
	go func() {
		defer close(said)
		docker.Lines(reader, say)
	}()
	err := cmd.Run()
	if ctx.Err() != nil && cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // those of the group that did not listen
	}
	writer.Close()
	<-said
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode(), ctx.Err()
	case errors.Is(err, exec.ErrWaitDelay):
		return 0, ctx.Err() // it ended well, and something of it keeps its output open
	}
	return 0, err
}

// runInService runs a command in a container of a compose service that runs. It ends when it is stopped, with all
// that it started.
func (r *run) runInService(ctx context.Context, composeService string, facts, argv []string, say func(string)) (int, error) {
	c, err := r.running(ctx, r.compose.Name, composeService)
	if err != nil {
		return 0, err
	}
	var mu sync.Mutex // its two outputs are read side by side
	sayOne := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		say(line)
	}
	place := commandPlace{c.ID, facts}
	s, err := r.startGuarded(ctx, place, guardDump, argv, sayOne)
	if err != nil {
		return 0, err
	}
	s.followOutput(ctx, sayOne)
	switch {
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case !s.wasReady():
		return r.runUnguarded(ctx, s, place, argv, say)
	case s.code < 0:
		return 0, fmt.Errorf("it was ended in the container of %s before it had done its work", composeService)
	}
	return s.code, nil
}

// errNoShell is a command that could not be stopped.
var errNoShell = errors.New("it may go on in its container, which has no /bin/sh to stop it with")

// errLost is a command that may run already, so that it must not be started again.
var errLost = errors.New("the engine broke off, and it may go on in its container")

// runUnguarded is for a container without a shell, in which a guard could not be started. There, nothing can stop a
// command but its own end.
func (r *run) runUnguarded(ctx context.Context, guard *guardedCommand, place commandPlace, argv []string, say func(string)) (int, error) {
	if missing, err := guard.notFound(ctx); err != nil || !missing {
		return 0, errors.Join(errLost, err)
	}
	code, said, err := r.Engine.Execute(ctx, place.container, docker.ExecOptions{Cmd: argv, Env: place.environ})
	if said != "" {
		docker.Lines(strings.NewReader(said), say)
	}
	if ctx.Err() != nil {
		return 0, errNoShell
	}
	return code, err
}

// killLimit is how long it may take to kill what a dead worker's task left running in containers.
const killLimit = time.Minute

// killTask ends what is left of a task whose worker died. Several workers have none such at a time: the lock is ours.
func (r *run) killTask(ctx context.Context, t ranTask) error {
	task, ok := r.Target.Task(t.Service, t.Task)
	if !ok || r.Engine == nil && task.Service() != "" {
		return nil
	}
	if task.Service() == "" {
		if !killProcesses(deploymentVariable + r.Plan.ID) {
			return fmt.Errorf("task %s of %s still runs, and can't be killed", t.Task, t.Service)
		}
		return nil
	}
	list, err := r.Engine.Service(ctx, r.compose.Name, task.Service())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, killLimit)
	defer cancel()
	for _, c := range list {
		if c.State == "running" { // one without a shell is left as it is
			_, err := r.Engine.Exec(ctx, c.ID, []string{"/bin/sh", "-c", killMarked, "promote", deploymentVariable + r.Plan.ID})
			if err != nil {
				return fmt.Errorf("task %s of %s may still run in %s: %w", t.Task, t.Service, c.Name, err)
			}
		}
	}
	return nil
}
