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
	r.touch()
	if r.fileOnly(roll) {
		return r.commit(ctx, roll)
	}
	if roll.Strategy == promotion.NotStarted {
		return r.createOnly(ctx, roll)
	}
	watch, stop := r.watch(ctx)
	defer stop()
	old, err := r.Engine.Service(ctx, r.compose.Name, roll.Service)
	if err != nil {
		return err
	}
	if roll.Strategy == promotion.StartFirst {
		return r.startFirst(ctx, roll, watch, old)
	}
	if err := r.recreate(ctx, roll, watch, old); err != nil {
		return err
	}
	return r.recreateAttached(ctx, roll, watch)
}

// createOnly writes the pin of a service that runs once, and has compose make its container without starting it.
func (r *run) createOnly(ctx context.Context, roll promotion.Roll) error {
	if err := r.commit(ctx, roll); err != nil {
		return err
	}
	return r.compose.Create(ctx, roll.Service)
}

func (r *run) touch() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.touched = true
}

// fileOnly reports whether no container is to follow the file.
func (r *run) fileOnly(roll promotion.Roll) bool {
	return r.Target.Engine == promotion.EngineNone || roll.Strategy == promotion.FileOnly
}

// startFirst starts a new container beside each old one, and stops the old one once the new one is
// proven. The pin is committed with the first proof.
func (r *run) startFirst(ctx context.Context, roll promotion.Roll, w *watch, old []docker.Container) error {
	return r.inBatches(ctx, roll, old, func(batch []docker.Container) error { return r.replaceBatch(ctx, roll, w, batch) })
}

// inBatches does something with as many containers at a time as the compose file wants.
func (r *run) inBatches(ctx context.Context, roll promotion.Roll, list []docker.Container, do func([]docker.Container) error) error {
	for batch := range slices.Chunk(list, roll.Update.AtATime(len(list))) {
		if batch[0].ID != list[0].ID {
			if err := r.between(ctx, roll); err != nil {
				return err
			}
		}
		if err := do(batch); err != nil {
			return err
		}
	}
	return nil
}

// between is the delay that the compose file wants between one group of containers and the next.
func (r *run) between(ctx context.Context, roll promotion.Roll) error {
	if roll.Update.Delay == 0 {
		return nil
	}
	r.tell(Event{Step: promotion.RollStep, Service: roll.Service, Status: Progress, Text: fmt.Sprintf("waiting %s, as update_config says", roll.Update.Delay)})
	return pause(ctx, roll.Update.Delay)
}

func (r *run) replaceBatch(ctx context.Context, roll promotion.Roll, w *watch, old []docker.Container) error {
	fresh, err := r.add(ctx, roll, len(old))
	if err != nil {
		return err
	}
	if err := r.show(ctx, roll, w, fresh); err != nil {
		return err
	}
	if err := r.monitor(ctx, roll, w, fresh); err != nil {
		return err
	}
	if err := r.commit(ctx, roll); err != nil {
		return err
	}
	for i, c := range old {
		if err := r.replace(ctx, roll, w, c, fresh[i]); err != nil {
			return err
		}
	}
	return nil
}

// add has compose start more containers, from the candidate, and puts the user's files back at once: until
// the new containers are proven, a plain `up -d` must find the old version in them.
func (r *run) add(ctx context.Context, roll promotion.Roll, n int) ([]docker.Container, error) {
	fresh, err := r.gain(ctx, roll, func(has int) error {
		return r.withCandidate(ctx, roll, func() error { return r.scale(ctx, roll, has+n) })
	})
	if err != nil {
		return nil, err
	}
	if len(fresh) != n { // taking an old one for a new one would remove it
		return nil, fmt.Errorf("%s: docker compose started %d new containers, not %d", roll.Service, len(fresh), n)
	}
	if roll.Dark {
		return r.startDark(ctx, fresh)
	}
	return fresh, nil
}

// gain does something that starts containers, and returns those that were not there before; do is told how many
// were.
func (r *run) gain(ctx context.Context, roll promotion.Roll, do func(has int) error) ([]docker.Container, error) {
	before, err := r.Engine.Service(ctx, r.compose.Name, roll.Service)
	if err != nil {
		return nil, err
	}
	if err := do(len(before)); err != nil {
		return nil, err
	}
	now, err := r.Engine.Service(ctx, r.compose.Name, roll.Service)
	return slices.DeleteFunc(now, func(c docker.Container) bool {
		return slices.ContainsFunc(before, func(b docker.Container) bool { return b.ID == c.ID })
	}), err
}

// withCandidate does something while the files say the new version.
func (r *run) withCandidate(ctx context.Context, roll promotion.Roll, do func() error) error {
	r.files.Lock()
	defer r.files.Unlock()
	edit, err := r.edit(ctx, roll)
	if err != nil {
		return err
	}
	return whileApplied(edit, func() error {
		r.tell(Event{Step: promotion.RollStep, Service: roll.Service, Status: Progress, Text: "starting a new container"})
		return do()
	})
}

// whileApplied does something while the files are changed, and puts them back at once. The caller holds the files.
func whileApplied(edit *compose.Edit, do func() error) error {
	if err := edit.Apply(); err != nil {
		return err
	}
	return errors.Join(do(), edit.Revert())
}

func (r *run) scale(ctx context.Context, roll promotion.Roll, n int) error {
	if roll.Dark {
		return r.compose.ScaleCreated(ctx, roll.Service, n)
	}
	return r.compose.Scale(ctx, roll.Service, n)
}

// replace stops an old container, with its own signal and timeout, and gives its name to the new one.
func (r *run) replace(ctx context.Context, roll promotion.Roll, w *watch, old, fresh docker.Container) error {
	r.tell(Event{Step: promotion.RollStep, Service: fresh.Service, Status: Progress, Text: "stopping the old container"})
	if err := r.retire(ctx, roll, w, old); err != nil {
		return err
	}
	return r.Engine.Rename(ctx, fresh.ID, old.Name)
}

// recreate replaces containers that can't have a copy beside them; the pin has to be committed first. A
// single one is left to compose, which creates before it stops, so that the gap is as short as the engine can
// make it. Of several, compose would stop all at once.
func (r *run) recreate(ctx context.Context, roll promotion.Roll, w *watch, old []docker.Container) error {
	if err := r.commit(ctx, roll); err != nil {
		return err
	}
	if len(old) > 1 {
		return r.stopFirst(ctx, roll, w, old)
	}
	if err := r.up(ctx, roll); err != nil {
		return r.failedStart(ctx, roll, err)
	}
	return r.proveAll(ctx, roll, w)
}

// stopFirst stops some of the old containers, starts as many new ones, proves them, and goes on with the next.
func (r *run) stopFirst(ctx context.Context, roll promotion.Roll, w *watch, old []docker.Container) error {
	err := r.inBatches(ctx, roll, old, func(batch []docker.Container) error {
		for _, c := range batch {
			if err := r.retire(ctx, roll, w, c); err != nil {
				return err
			}
		}
		return r.refill(ctx, roll, w)
	})
	if err != nil {
		return err
	}
	if err := r.proveAll(ctx, roll, w); err != nil {
		return err
	}
	return r.rename(ctx, roll.Service)
}

// refill has compose start the containers that are missing, and proves them.
func (r *run) refill(ctx context.Context, roll promotion.Roll, w *watch) error {
	fresh, err := r.gain(ctx, roll, func(int) error {
		if err := r.compose.Scale(ctx, roll.Service, len(r.before.Containers[roll.Service])); err != nil {
			return r.failedStart(ctx, roll, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.proveEach(ctx, roll, w, fresh); err != nil {
		return err
	}
	return r.monitor(ctx, roll, w, fresh)
}

// up has compose make a service's containers what the files say. Two that did that at once for services of
// which nothing runs yet would both make the project's networks.
func (r *run) up(ctx context.Context, roll promotion.Roll) error {
	if roll.Fresh {
		r.files.Lock()
		defer r.files.Unlock()
	}
	return r.compose.Up(ctx, roll.Service)
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
	return r.proveEach(ctx, roll, w, list)
}

func (r *run) proveEach(ctx context.Context, roll promotion.Roll, w *watch, list []docker.Container) error {
	for _, c := range list {
		if err := r.prove(ctx, roll, w, c); err != nil {
			return err
		}
	}
	return nil
}

// show proves containers that were just started, and has the proxies find them.
func (r *run) show(ctx context.Context, roll promotion.Roll, w *watch, list []docker.Container) error {
	if err := r.proveEach(ctx, roll, w, list); err != nil {
		return err
	}
	return r.appear(ctx, roll, w, list)
}

// commit writes the service's new pin to the user's file, for good.
func (r *run) commit(ctx context.Context, roll promotion.Roll) error {
	r.files.Lock()
	defer r.files.Unlock()
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

// confirm looks whether all that was proven still does its work, and asks compose what a plain `up -d` would do now.
// An answer of compose's other than "nothing" is told, not undone.
func (r *run) confirm(ctx context.Context) error {
	if err := r.confirmProofs(ctx); err != nil {
		return err
	}
	var services []string
	for _, roll := range r.rolls() {
		if !r.fileOnly(roll) && !roll.OneShot { // compose would run that again, or wait for it
			services = append(append(services, roll.Service), roll.Attached...)
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

// confirmProofs fails if a container of any roll died since its proof.
func (r *run) confirmProofs(ctx context.Context) error {
	for _, roll := range r.rolls() {
		for _, service := range append([]string{roll.Service}, roll.Attached...) {
			if err := r.stillProven(ctx, service); err != nil {
				return err
			}
		}
	}
	return nil
}
