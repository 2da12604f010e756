package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// Local is the host side on this machine.
type Local struct {
	Machine *rollout.Machine
	Worker  []string // the command that runs [Work] in a process of its own
}

// State looks at the environment.
func (l *Local) State(ctx context.Context) (promotion.State, error) { return l.Machine.State(ctx) }

// Checkup looks at all that a deployment will need there.
func (l *Local) Checkup(ctx context.Context, credentials map[string]string) (rollout.Checkup, error) {
	return l.Machine.Checkup(ctx, credentials), nil
}

// History reads the environment's journal, oldest first.
func (l *Local) History(context.Context) ([]journal.Entry, error) { return l.Machine.History.Entries() }

// Holder is who works on the environment right now, or nil.
func (l *Local) Holder(context.Context) (*journal.Holder, error) { return l.journal().Locked() }

// Quiet waits until nobody works on the environment, at most so long. What a killed worker had started
// may go on for a moment, and hold the lock.
func (l *Local) Quiet(ctx context.Context, wait time.Duration, by string) error {
	lock, err := l.journal().Lock(ctx, wait, journal.Holder{Kind: "look", By: by, Since: l.Machine.Now().UTC(), PID: os.Getpid()})
	if err != nil {
		return err
	}
	return lock.Release()
}

// Mark adds marks of somebody's to the journal.
func (l *Local) Mark(_ context.Context, kind, by, reason string, marks []promotion.Mark) error {
	return l.Machine.Mark(kind, by, reason, marks)
}

// Deployment reads the plan and the events of a deployment.
func (l *Local) Deployment(_ context.Context, id string) (plan promotion.Plan, events []rollout.Event, err error) {
	record := l.journal().Deployment(id)
	if err := record.ReadJSON("plan.json", &plan); err != nil {
		return plan, nil, err
	}
	events, err = readEvents(record)
	return plan, events, err
}

// Follow tells the events of a deployment, from its first to its last.
func (l *Local) Follow(ctx context.Context, id string, tell func(rollout.Event)) (rollout.Result, error) {
	result, err := Follow(ctx, l.journal().Deployment(id), id, 0, tell)
	var died *DiedError
	if errors.As(err, &died) {
		died.Environment = l.Machine.Target.Environment
		return l.ended(id, died)
	}
	return result, err
}

// ended asks the history how a deployment ended that could not write its last event, as on a full disk.
func (l *Local) ended(id string, died error) (rollout.Result, error) {
	entries, err := l.Machine.History.Entries()
	if err != nil {
		return rollout.Result{}, errors.Join(died, err)
	}
	for _, e := range entries {
		if e.ID == id && e.Event == journal.Ended {
			return rollout.Result{Outcome: rollout.Outcome(e.Outcome), Error: e.Error}, nil
		}
	}
	return rollout.Result{}, died
}

// Job is what a worker is asked to do.
type Job struct {
	Plan        promotion.Plan    `json:"plan"`
	Resume      string            `json:"resume,omitempty"` // the interrupted deployment to end instead
	Credentials map[string]string `json:"credentials,omitempty"`
}

// Control is how somebody who follows a deployment speaks to it.
type Control struct {
	Wait time.Duration       // for the lock
	Stop <-chan struct{}     // closed: stop, and put everything back
	Tell func(rollout.Event) // every event, once, in order
}

// Apply has a worker do the job and follows it to its end. When the context ends first, the worker goes
// on and the error is [ErrDetached].
func (l *Local) Apply(ctx context.Context, job Job, c Control) (rollout.Result, error) {
	holder := journal.Holder{ID: job.Plan.ID, Kind: string(job.Plan.Kind), By: job.Plan.By, Since: l.Machine.Now().UTC(), PID: os.Getpid()}
	lock, err := l.journal().Lock(ctx, c.Wait, holder)
	if err != nil {
		return rollout.Result{}, err
	}
	defer lock.Release()
	record := l.journal().Deployment(job.Plan.ID)
	if err := record.Make(); err != nil {
		return rollout.Result{}, err
	}
	worker, err := l.start(job, record, lock)
	if err != nil {
		return rollout.Result{}, err
	}
	holder.PID = worker.Pid
	if err := errors.Join(lock.Write(holder), lock.Release()); err != nil {
		return rollout.Result{}, err
	}
	if c.Stop != nil {
		done := make(chan struct{})
		defer close(done)
		go func() {
			select {
			case <-c.Stop:
				worker.Signal(syscall.SIGTERM)
			case <-done:
			}
		}()
	}
	return l.Follow(ctx, job.Plan.ID, c.Tell)
}

// start starts the worker in a session of its own, so that no signal of the client's terminal reaches
// it. It inherits the lock and the events file, both flocked: when it dies, both locks end.
func (l *Local) start(job Job, record *journal.Record, lock *journal.Lock) (*os.Process, error) {
	events, err := lockedEvents(record)
	if err != nil {
		return nil, err
	}
	defer events.Close()
	log, err := os.OpenFile(record.Path("worker.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(l.Worker[0], l.Worker[1:]...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", log, log
	cmd.ExtraFiles = []*os.File{lock.File, events} // 3 and 4
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("the worker could not be started: %w", err)
	}
	err = errors.Join(json.NewEncoder(input).Encode(job), input.Close())
	go cmd.Wait() // how it ends is in its events; this only lets the kernel forget it
	return cmd.Process, err
}

func (l *Local) journal() *journal.Journal { return journal.Open(l.Machine.Target.Project) }
