package rollout

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"promote/compose"
	"promote/internal/docker"
	"promote/internal/promotion"
)

// pull gets every image of the plan, by digest and side by side. Nothing is stopped yet.
func (r *run) pull(ctx context.Context) error {
	if err := r.begin(); err != nil {
		return err
	}
	if r.Target.Engine == promotion.EngineSwarm {
		return r.pullable(ctx)
	}
	group, ctx := errgroup.WithContext(ctx)
	events := make(chan Event)
	patience := &patience{limit: r.Target.Rollout.ProgressDeadline}
	defer patience.stop()
	contexts := make([]context.Context, len(r.Plan.Moves))
	for i, m := range r.Plan.Moves {
		contexts[i] = patience.watch(ctx, compose.Pin{Tag: m.To.Tag}.Join(m.Image))
	}
	for i, m := range r.Plan.Moves {
		group.Go(func() error {
			return r.pullOne(contexts[i], m, func(p docker.Progress) {
				patience.progress()
				events <- Event{Step: promotion.Pull, Service: m.Service, Status: Progress, Layer: &p}
			})
		})
	}
	var err error
	go func() { err = group.Wait(); close(events) }()
	for e := range events {
		r.tell(e)
	}
	return err
}

func (r *run) pullOne(ctx context.Context, m promotion.Move, progress func(docker.Progress)) error {
	if m.To.Digest == "" {
		return r.pullLocal(ctx, m)
	}
	tag := m.To.Tag
	if m.Rolls[0].Changes[0].To == (compose.Pin{}) {
		tag = "latest" // what docker makes of an image without a tag
	}
	_, err := r.Engine.Pull(ctx, m.Image, m.To.Digest, tag, r.auth(ctx, r.Credentials, m.Image), progress)
	var stalled *docker.StalledError
	if err != nil && errors.As(context.Cause(ctx), &stalled) {
		return stalled
	}
	return err
}

// pullLocal is for a release that no registry ever knew: it must be here.
func (r *run) pullLocal(ctx context.Context, m promotion.Move) error {
	reference := m.Rolls[0].Changes[0].To.Join(m.Image)
	_, found, err := r.Engine.Image(ctx, reference)
	if err == nil && !found {
		return &missingImageError{reference}
	}
	return err
}

type missingImageError struct{ reference string }

func (e *missingImageError) Error() string {
	return e.reference + " is not on this machine, and its digest is not known, so it can't be pulled"
}
