package rollout

import (
	"context"

	"promote/internal/docker"
	"promote/internal/promotion"
)

// A container has its service's name in the networks from the moment that it starts, ready or not. A dark
// one has not: nobody finds it until it is proven.

// startDark starts containers that were created, without the names of their service.
func (r *run) startDark(ctx context.Context, created []docker.Container) ([]docker.Container, error) {
	for _, c := range created {
		if err := r.Engine.Unname(ctx, c.ID); err != nil {
			return nil, err
		}
		if err := r.Engine.Start(ctx, c.ID); err != nil {
			return nil, err
		}
	}
	return r.Engine.Details(ctx, created)
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
