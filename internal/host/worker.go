package host

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"promote/internal/journal"
	"promote/internal/rollout"
)

// Work is the body of the worker: it reads its job from in, does it with the machine that prepare makes
// for it, and writes what happens to the events file that it inherited. Credentials come with the job
// and stay in memory.
func Work(ctx context.Context, in io.Reader, prepare func(context.Context, Job) (*rollout.Machine, error)) error {
	lock, events := os.NewFile(3, "lock"), os.NewFile(4, "events.jsonl")
	defer lock.Close()
	defer events.Close()
	for _, f := range []*os.File{lock, events} {
		unix.CloseOnExec(int(f.Fd())) // commands get the lock from us where they should, and the events never
	}
	var job Job
	if err := json.NewDecoder(in).Decode(&job); err != nil {
		return fmt.Errorf("job: %w", err)
	}
	tell := func(e rollout.Event) {
		if err := json.NewEncoder(events).Encode(e); err != nil {
			fmt.Fprintln(os.Stderr, "event lost:", err) // a full disk must not stop putting back
		}
	}
	machine, err := prepare(ctx, job)
	if err != nil {
		result := rollout.Result{Outcome: rollout.OutcomeFailed, Error: err.Error()}
		tell(rollout.Event{Seq: 1, Status: rollout.Finished, Result: &result})
		return err
	}
	machine.Lock = lock
	order := rollout.Order{Plan: job.Plan, Credentials: job.Credentials, Tell: tell}
	if job.Plan.Streamed() {
		stream := os.NewFile(5, "stream")
		defer stream.Close()
		unix.CloseOnExec(5)
		order.Stream = stream
	}
	if job.Resume != "" && job.Forget {
		machine.Forget(job.Resume, order)
		return nil
	}
	if job.Resume != "" {
		machine.Resume(ctx, job.Resume, order)
		return nil
	}
	machine.Run(ctx, order)
	return nil
}

// lockedEvents opens a deployment's events for its writer. The flock on it lasts as long as the worker:
// whoever gets a shared one knows that nothing more will come.
func lockedEvents(record *journal.Record) (*os.File, error) {
	f, err := os.OpenFile(record.Path("events.jsonl"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s is written by another worker: %w", f.Name(), err)
	}
	return f, nil
}
