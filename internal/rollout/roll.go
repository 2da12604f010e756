package rollout

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"promote/compose"
	"promote/internal/docker"
	"promote/internal/promotion"
)

// roll replaces the containers of one compose service, by the strategy of the plan.
func (r *run) roll(ctx context.Context, roll promotion.Roll) error {
	if err := r.begin(); err != nil {
		return err
	}
	r.touched = true
	if r.fileOnly(roll) {
		return r.commit(ctx, roll)
	}
	watch, stop := r.watch(ctx)
	defer stop()
	if roll.Strategy == promotion.StartFirst {
		return r.startFirst(ctx, roll, watch)
	}
	return r.recreate(ctx, roll, watch)
}

// fileOnly reports whether no container is to follow the file.
func (r *run) fileOnly(roll promotion.Roll) bool {
	return r.Target.Engine == promotion.EngineNone || roll.Strategy == promotion.FileOnly
}

// startFirst starts a new container beside each old one, and stops the old one once the new one is
// proven. The pin is committed with the first proof.
func (r *run) startFirst(ctx context.Context, roll promotion.Roll, w *watch) error {
	old, err := r.Engine.Service(ctx, r.compose.Name, roll.Service)
	if err != nil {
		return err
	}
	return r.replaceAll(ctx, roll, w, old)
}

func (r *run) replaceAll(ctx context.Context, roll promotion.Roll, w *watch, old []docker.Container) error {
	for _, c := range old {
		fresh, err := r.addOne(ctx, roll)
		if err != nil {
			return err
		}
		if err := r.prove(ctx, roll, w, fresh); err != nil {
			return err
		}
		if err := r.appear(ctx, roll, w, fresh); err != nil {
			return err
		}
		if err := r.commit(ctx, roll); err != nil {
			return err
		}
		if err := r.replace(ctx, roll, w, c, fresh); err != nil {
			return err
		}
	}
	return nil
}

// addOne has compose start one more container, from the candidate, and puts the user's files back at
// once: until the new container is proven, a plain `up -d` must find the old version in them.
func (r *run) addOne(ctx context.Context, roll promotion.Roll) (docker.Container, error) {
	before, err := r.Engine.Service(ctx, r.compose.Name, roll.Service)
	if err != nil {
		return docker.Container{}, err
	}
	edit, err := r.edit(ctx, roll)
	if err != nil {
		return docker.Container{}, err
	}
	if err := edit.Apply(); err != nil {
		return docker.Container{}, err
	}
	r.tell(Event{Step: promotion.RollStep, Service: roll.Service, Status: Progress, Text: "starting a new container"})
	scale := r.compose.Scale
	if roll.Dark {
		scale = r.compose.ScaleCreated
	}
	err = errors.Join(scale(ctx, roll.Service, len(before)+1), edit.Revert())
	if err != nil {
		return docker.Container{}, err
	}
	now, err := r.Engine.Service(ctx, r.compose.Name, roll.Service)
	if err != nil {
		return docker.Container{}, err
	}
	fresh, err := added(roll.Service, before, now)
	if err != nil || !roll.Dark {
		return fresh, err
	}
	if err := r.startDark(ctx, fresh); err != nil {
		return fresh, err
	}
	return r.Engine.Inspect(ctx, fresh.ID)
}

// added finds the container that was not there before. Taking an old one for it would remove it.
func added(service string, before, now []docker.Container) (docker.Container, error) {
	for _, c := range now {
		if !slices.ContainsFunc(before, func(b docker.Container) bool { return b.ID == c.ID }) {
			return c, nil
		}
	}
	return docker.Container{}, fmt.Errorf("%s: docker compose started no new container", service)
}

// replace stops an old container, with its own signal and timeout, and gives its name to the new one.
func (r *run) replace(ctx context.Context, roll promotion.Roll, w *watch, old, fresh docker.Container) error {
	r.tell(Event{Step: promotion.RollStep, Service: fresh.Service, Status: Progress, Text: "stopping the old container"})
	if err := r.retire(ctx, roll, w, old); err != nil {
		return err
	}
	return r.Engine.Rename(ctx, fresh.ID, old.Name)
}

// recreate lets compose replace the containers. It creates before it stops, so the gap is as short as
// the engine can make it; the pin has to be committed first.
func (r *run) recreate(ctx context.Context, roll promotion.Roll, w *watch) error {
	if err := r.commit(ctx, roll); err != nil {
		return err
	}
	if err := r.compose.Up(ctx, roll.Service); err != nil {
		return r.failedStart(ctx, roll, err)
	}
	return r.proveAll(ctx, roll, w)
}

// proveAll proves every container that a service has now.
func (r *run) proveAll(ctx context.Context, roll promotion.Roll, w *watch) error {
	list, err := r.Engine.Service(ctx, r.compose.Name, roll.Service)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return fmt.Errorf("%s: docker compose started no container", roll.Service)
	}
	for _, c := range list {
		if err := r.prove(ctx, roll, w, c); err != nil {
			return err
		}
	}
	return nil
}

// commit writes the service's new pin to the user's file, for good.
func (r *run) commit(ctx context.Context, roll promotion.Roll) error {
	if r.committed[roll.Service] {
		return nil
	}
	edit, err := r.edit(ctx, roll)
	if err != nil {
		return err
	}
	if err := edit.Apply(); err != nil {
		return err
	}
	for _, change := range roll.Changes {
		r.committed[change.Service] = true
	}
	r.tell(Event{Step: promotion.RollStep, Service: roll.Service, Status: Progress, Text: "the file has the new version"})
	return nil
}

// edit is the roll's change of the files as they are now; an empty one when it is committed already.
func (r *run) edit(ctx context.Context, roll promotion.Roll) (*compose.Edit, error) {
	project, err := r.load(ctx)
	if err != nil {
		return nil, err
	}
	if r.committed[roll.Service] {
		return project.Edit()
	}
	return project.Edit(roll.Changes...)
}

// confirm asks compose what a plain `up -d` would do now. Everything is proven at this point, so an
// answer other than "nothing" is told, not undone.
func (r *run) confirm(ctx context.Context) error {
	var services []string
	for _, m := range r.Plan.Moves {
		for _, roll := range m.Rolls {
			if !r.fileOnly(roll) {
				services = append(services, roll.Service)
			}
		}
	}
	if len(services) == 0 {
		return nil
	}
	diverged, err := r.compose.Diverged(ctx, services...)
	if err != nil {
		r.tell(Event{Step: promotion.Confirm, Status: Noted, Text: "could not tell what a later `docker compose up -d` would do: " + err.Error()})
		return ctx.Err()
	}
	for _, line := range diverged {
		r.tell(Event{Step: promotion.Confirm, Status: Noted, Text: "a later `docker compose up -d` would change something: " + line})
	}
	return nil
}
