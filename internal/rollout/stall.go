package rollout

import (
	"context"
	"time"

	"promote/internal/docker"
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
	p.timers = append(p.timers, time.AfterFunc(p.limit, func() { cancel(&docker.StalledError{Doing: "pull " + image, Limit: p.limit}) }))
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
