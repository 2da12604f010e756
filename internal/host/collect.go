package host

import (
	"context"
	"time"

	"promote/internal/journal"
	"promote/internal/rollout"
)

// collecting is what the lock says while images and folders are removed.
const collecting = "gc"

// Collect removes the images of the environment's services that nothing needs there, and the folders of old
// deployments. id is what the lock says meanwhile; it waits at most so long for it. A trial takes no lock
// and removes nothing. While a deployment goes on the error is a [journal.LockedError].
func (s *Side) Collect(ctx context.Context, id string, wait time.Duration, trial bool) (rollout.Collection, error) {
	a, err := s.do(ctx, Request{Do: DoCollect, Deployment: id, Wait: wait, Trial: trial}, nil)
	if err != nil || a.Collection == nil {
		return rollout.Collection{}, err
	}
	return *a.Collection, nil
}

// collect has the machine tidied under the environment's lock: what a deployment is about to start must not
// be removed under it.
func (m at) collect(ctx context.Context, r Request) (*rollout.Collection, error) {
	if !r.Trial {
		lock, err := m.journal().Lock(ctx, r.Wait, journal.Holder{ID: r.Deployment, Kind: collecting, By: r.By, Since: m.Now().UTC()})
		if err != nil {
			return nil, err
		}
		defer lock.Release()
	}
	c, err := m.Collect(ctx, r.Trial)
	return &c, err
}

// goneError is a deployment whose folder was removed.
type goneError struct{ id, environment string }

func (e *goneError) Error() string {
	return "the plan and the events of " + e.id + " are no longer there: only those of the last deployments stay"
}

// Hint shows what the history still knows.
func (e *goneError) Hint() string { return "promote history " + e.environment }
