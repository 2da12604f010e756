package rollout

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"

	"promote/internal/docker"
	"promote/internal/promotion"
)

// recreateAttached makes the services anew that were in the namespaces of a roll's containers, where these namespaces
// are gone: an engine leaves them without a network, and compose says nothing of it. It looks at what is there instead
// of remembering what was done, so that it serves on the way back and after a crash.
func (r *run) recreateAttached(ctx context.Context, roll promotion.Roll, w *watch) error {
	for _, name := range roll.Attached {
		list, err := r.Engine.Service(ctx, r.compose.Name, name)
		if err != nil {
			return err
		}
		lost, err := r.lostNamespace(ctx, list)
		if err != nil {
			return err
		}
		if !lost {
			continue
		}
		if err := r.recreateTenant(ctx, roll, name, w); err != nil {
			return err
		}
	}
	return nil
}

// recreateTenant makes one service anew that is in the namespaces of a roll's containers, and proves it.
func (r *run) recreateTenant(ctx context.Context, roll promotion.Roll, name string, w *watch) error {
	r.tell(Event{Step: promotion.RollStep, Service: roll.Service, Status: Progress, Text: fmt.Sprintf("making %s anew, which was in its namespaces", name)})
	r.proven.forget(name)
	tenant := promotion.Roll{Service: name, Strategy: promotion.Recreate}
	if err := r.compose.Recreate(ctx, name); err != nil {
		return r.failedStart(ctx, tenant, err)
	}
	return r.proveAll(ctx, tenant, w)
}

// lostNamespace reports whether one of these containers does not run, or joined a namespace that ended since: its
// owner is gone, or was started anew.
func (r *run) lostNamespace(ctx context.Context, tenants []docker.Container) (bool, error) {
	for _, c := range tenants {
		if c.State != "running" {
			return true, nil
		}
		for _, id := range c.Joins {
			owner, err := r.Engine.Inspect(ctx, id)
			if errdefs.IsNotFound(err) {
				return true, nil
			}
			if err != nil {
				return false, err
			}
			if owner.State != "running" || owner.Started.After(c.Started) {
				return true, nil
			}
		}
	}
	return false, nil
}
