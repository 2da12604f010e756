package rollout

import (
	"context"

	"promote/internal/docker"
	"promote/internal/promotion"
)

// A container has its service's name in the networks from the moment that it starts, ready or not. A dark
// one has not: nobody finds it until it is proven.

// startDark starts a container that was created, without the names of its service.
func (r *run) startDark(ctx context.Context, c docker.Container) error {
	if err := r.Engine.Unname(ctx, c.ID); err != nil {
		return err
	}
	return r.Engine.Start(ctx, c.ID)
}

// light gives a container that is proven the names of its service, and proves it once more: connections that
// it had made itself ended by that.
func (r *run) light(ctx context.Context, roll promotion.Roll, w *watch, c docker.Container) error {
	own := byName(r.project)[roll.Service].Aliases
	names := func(network string) []string { return append([]string{roll.Service}, own[network]...) }
	if err := r.Engine.Name(ctx, c.ID, names); err != nil {
		return err
	}
	return r.prove(ctx, roll, w, c)
}
