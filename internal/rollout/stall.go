package rollout

import (
	"context"
	"fmt"
	"time"
)

// patience ends pulls that get nowhere. What one image gets counts for all of them: an engine loads a
// few layers at a time, and those of the other images wait for that.
type patience struct {
	limit  time.Duration // 0 is without end
	timers []*time.Timer
}

// watch gives the context of one image's pull. All are asked for before the first pull begins.
func (p *patience) watch(ctx context.Context, image string) context.Context {
	if p.limit == 0 {
		return ctx
	}
	ctx, cancel := context.WithCancelCause(ctx)
	p.timers = append(p.timers, time.AfterFunc(p.limit, func() { cancel(&stalledError{image, p.limit}) }))
	return ctx
}

// progress gives all of them the whole time again.
func (p *patience) progress() {
	for _, t := range p.timers {
		t.Reset(p.limit)
	}
}

func (p *patience) stop() {
	for _, t := range p.timers {
		t.Stop()
	}
}

// stalledError is a pull that made no progress for too long.
type stalledError struct {
	image string
	limit time.Duration
}

func (e *stalledError) Error() string {
	return fmt.Sprintf("pull %s: no progress for %s", e.image, e.limit)
}

// Hint is for a network that had a bad moment.
func (e *stalledError) Hint() string { return "the same command again" }
