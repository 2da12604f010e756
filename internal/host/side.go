package host

import (
	"context"
	"errors"
	"sync"
	"time"

	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// caller has a request done, here or far away, and tells the events of it.
type caller interface {
	call(ctx context.Context, r Request, tell func(rollout.Event)) (Answer, error)
}

// Side is the host side of one environment on one machine.
type Side struct {
	Target promotion.Target
	By     string // who asks, from where
	caller
}

func (s *Side) do(ctx context.Context, r Request, tell func(rollout.Event)) (Answer, error) {
	r.Protocol, r.Target, r.By = Protocol, s.Target, s.By
	return s.call(ctx, r, tell)
}

// State looks at the environment.
func (s *Side) State(ctx context.Context) (promotion.State, error) {
	a, err := s.do(ctx, Request{Do: DoState}, nil)
	if err != nil || a.State == nil {
		return promotion.State{}, err
	}
	return *a.State, nil
}

// Checkup looks at all that a deployment will need there.
func (s *Side) Checkup(ctx context.Context, credentials map[string]string) (rollout.Checkup, error) {
	a, err := s.do(ctx, Request{Do: DoCheckup, Credentials: credentials}, nil)
	if err != nil || a.Checkup == nil {
		return rollout.Checkup{}, err
	}
	return *a.Checkup, nil
}

// Pending has the tasks of a plan say what they would do.
func (s *Side) Pending(ctx context.Context, job Job) ([]rollout.Pending, error) {
	a, err := s.do(ctx, Request{Do: DoPending, Job: &job, Deployment: job.Plan.ID}, nil)
	return a.Pending, err
}

// History reads the environment's journal, oldest first.
func (s *Side) History(ctx context.Context) ([]journal.Entry, error) {
	a, err := s.do(ctx, Request{Do: DoHistory}, nil)
	return a.Entries, err
}

// Holder is who works on the environment right now, or nil.
func (s *Side) Holder(ctx context.Context) (*journal.Holder, error) {
	a, err := s.do(ctx, Request{Do: DoHolder}, nil)
	return a.Holder, err
}

// Quiet waits until nobody works on the environment, at most so long. What a killed worker had started
// may go on for a moment, and hold the lock.
func (s *Side) Quiet(ctx context.Context, wait time.Duration) error {
	_, err := s.do(ctx, Request{Do: DoQuiet, Wait: wait}, nil)
	return err
}

// Mark adds marks of somebody's to the journal.
func (s *Side) Mark(ctx context.Context, kind, reason string, marks []promotion.Mark) error {
	_, err := s.do(ctx, Request{Do: DoMark, Kind: kind, Reason: reason, Marks: marks}, nil)
	return err
}

// Deployment reads the plan and the events of a deployment.
func (s *Side) Deployment(ctx context.Context, id string) (promotion.Plan, []rollout.Event, error) {
	a, err := s.do(ctx, Request{Do: DoDeployment, Deployment: id}, nil)
	if err != nil || a.Plan == nil {
		return promotion.Plan{}, nil, err
	}
	return *a.Plan, a.Events, nil
}

// Follow tells the events of a deployment, from its first to its last.
func (s *Side) Follow(ctx context.Context, id string, tell func(rollout.Event)) (rollout.Result, error) {
	return result(s.do(ctx, Request{Do: DoFollow, Deployment: id}, tell))
}

// Stop asks the worker of a deployment to stop and to put everything back.
func (s *Side) Stop(ctx context.Context, id string) error {
	_, err := s.do(ctx, Request{Do: DoStop, Deployment: id}, nil)
	return err
}

// Control is how somebody who follows a deployment speaks to it.
type Control struct {
	Wait time.Duration       // for the lock
	Stop <-chan struct{}     // closed: stop, and put everything back
	Tell func(rollout.Event) // every event, once, in order
}

// stopping is how long asking a worker to stop may take once nobody follows it any more.
const stopping = 5 * time.Second

// Apply has a worker do the job and follows it to its end. When the context ends first, the worker goes
// on and the error is [ErrDetached]; if it was to stop, it has been asked to by then.
func (s *Side) Apply(ctx context.Context, job Job, c Control) (rollout.Result, error) {
	asking, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := sync.OnceFunc(func() {
		_ = s.Stop(asking, job.Plan.ID) // it may have ended meanwhile; what it did is in its events
	})
	ended := make(chan struct{})
	go func() {
		select {
		case <-c.Stop:
			stop()
		case <-ended:
		}
	}()
	r, err := result(s.do(ctx, Request{Do: DoApply, Job: &job, Wait: c.Wait, Deployment: job.Plan.ID}, c.Tell))
	close(ended)
	defer time.AfterFunc(stopping, cancel).Stop()
	select {
	case <-c.Stop:
		stop() // again, or for the first time: it returns when the worker was asked
	default:
	}
	return r, err
}

func result(a Answer, err error) (rollout.Result, error) {
	switch {
	case errors.Is(err, context.Canceled):
		return rollout.Result{}, ErrDetached
	case err != nil || a.Result == nil:
		return rollout.Result{}, err
	}
	return *a.Result, nil
}
