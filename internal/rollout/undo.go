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

// undo puts back what the plan changed, in reverse order. It looks at what is there instead of
// remembering what was done, so that it serves just as well after a crash. It runs once: there is no
// restoring of a restore.
func (r *run) undo(ctx context.Context) error {
	r.back = true
	r.proven.forgetAll()
	r.tell(Event{Status: Undoing, Text: "putting everything back"})
	err := r.undoRolls(ctx)
	return errors.Join(err, r.undoTasks(ctx, err != nil))
}

func (r *run) undoRolls(ctx context.Context) error {
	if r.Plan.Kind == promotion.MoveData {
		return r.undoData(ctx)
	}
	if r.Target.Engine == promotion.EngineSwarm {
		return r.undoStack(ctx)
	}
	failures := []error{r.undoImages(ctx)}
	for _, roll := range slices.Backward(r.rolls()) {
		if err := r.undoRoll(ctx, roll); err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", roll.Service, err))
		}
	}
	return errors.Join(failures...)
}

func (r *run) undoRoll(ctx context.Context, roll promotion.Roll) error {
	if err := r.undoFiles(ctx, roll); err != nil || r.fileOnly(roll) {
		return err
	}
	now, err := r.Engine.Service(ctx, r.compose.Name, roll.Service)
	if err != nil {
		return err
	}
	old, fresh := r.split(now)
	if roll.OneShot {
		return errors.Join(r.undoOneShot(ctx, roll, old, fresh), r.rename(ctx, roll.Service))
	}
	if err := r.undoContainers(ctx, roll, old, fresh); err != nil {
		return errors.Join(err, r.rename(ctx, roll.Service))
	}
	if err := r.rename(ctx, roll.Service); err != nil || len(roll.Attached) == 0 {
		return err
	}
	watch, stop := r.watch(ctx)
	defer stop()
	return r.recreateAttached(ctx, roll, watch)
}

// undoContainers makes the containers of a roll what they were.
func (r *run) undoContainers(ctx context.Context, roll promotion.Roll, old, fresh []docker.Container) (err error) {
	switch {
	case len(old) < len(r.before.Containers[roll.Service]):
		err = r.rollBack(ctx, roll, old, fresh)
	case roll.Strategy == promotion.StartFirst:
		err = r.standDown(ctx, roll, old, fresh)
	default: // they can't be there at the same time
		discarded := r.discard(ctx, fresh)
		_, err = r.start(ctx, old)
		err = errors.Join(discarded, err)
	}
	return err
}

// undoOneShot puts the container of a service that runs once there as it was, and never starts it: what the older
// release's would do is no way to take back what the newer one's did.
func (r *run) undoOneShot(ctx context.Context, roll promotion.Roll, old, fresh []docker.Container) error {
	for _, c := range fresh {
		if c.State != "created" {
			r.stays = append(r.stays, fmt.Sprintf("what %s did stays, as a service that runs once is not run on the way back", roll.Service))
		}
		if err := r.Engine.Remove(ctx, c.ID); err != nil {
			return err
		}
	}
	if len(old) < len(r.before.Containers[roll.Service]) {
		return r.compose.Create(ctx, roll.Service)
	}
	return nil
}

// standDown takes the new containers away again. They may have requests to answer, and an old one may have
// been stopped already.
func (r *run) standDown(ctx context.Context, roll promotion.Roll, old, fresh []docker.Container) error {
	watch, stop := r.watch(ctx)
	defer stop()
	stopped, err := r.start(ctx, old)
	if err != nil {
		return err
	}
	if len(stopped) > 0 {
		if stopped, err = r.Engine.Details(ctx, stopped); err != nil {
			return err
		}
		if err := r.show(ctx, roll, watch, stopped); err != nil {
			return err
		}
	}
	for _, c := range fresh {
		if err := r.Engine.Remove(ctx, c.ID); err != nil {
			return err
		}
	}
	return r.tellProxies(ctx, roll, func(p promotion.Proxy) []string { return p.AfterGone })
}

// split tells the containers that stood here before from those that the deployment made.
func (r *run) split(now []docker.Container) (old, fresh []docker.Container) {
	for _, c := range now {
		if r.before.was(c.ID) {
			old = append(old, c)
		} else {
			fresh = append(fresh, c)
		}
	}
	return old, fresh
}

func (r *run) discard(ctx context.Context, list []docker.Container) error {
	var failures []error
	for _, c := range list {
		failures = append(failures, r.Engine.Discard(ctx, c.ID))
	}
	return errors.Join(failures...)
}

// start starts containers that stood here before and were stopped on the way, and returns these.
func (r *run) start(ctx context.Context, old []docker.Container) (stopped []docker.Container, err error) {
	for _, c := range old {
		ranBefore := slices.ContainsFunc(r.before.Containers[c.Service], func(b promotion.Container) bool { return b.ID == c.ID && ran(b) })
		if !ranBefore || c.State == "running" {
			continue
		}
		if err := r.Engine.Start(ctx, c.ID); err != nil {
			return stopped, err
		}
		stopped = append(stopped, c)
	}
	return stopped, nil
}

func ran(c promotion.Container) bool { return c.State == "running" || c.State == "restarting" }

// rollBack rolls the service to what it was, the way it was rolled forward: with the old version in
// the file, and proven before the new one goes. What did not run before is only put there, not started:
// what keeps it from starting, such as a port that somebody else took, is no reason to get stuck.
func (r *run) rollBack(ctx context.Context, roll promotion.Roll, old, fresh []docker.Container) error {
	was := r.before.Containers[roll.Service]
	works := func(c docker.Container) bool { return finishes(roll, c) }
	if !slices.ContainsFunc(was, ran) && !slices.ContainsFunc(fresh, works) {
		return errors.Join(r.discard(ctx, fresh), r.compose.Create(ctx, roll.Service))
	}
	watch, stop := r.watch(ctx)
	defer stop()
	roll.Changes = nil
	r.committed[roll.Service] = true
	if roll.Strategy == promotion.StartFirst {
		successors, err := r.successors(ctx, len(was)-len(old), fresh)
		if err == nil {
			err = r.startFirst(ctx, roll, watch, successors)
		}
		if err != nil || len(old)+len(successors) == len(was) {
			return err
		}
		fresh = nil // these are gone; what is missing comes by itself
	}
	return r.recreate(ctx, roll, watch, fresh)
}

// successors are the new containers that took the place of old ones. Each was proven before the next
// was made, so that what is beyond their number is younger, and the one that failed.
func (r *run) successors(ctx context.Context, n int, fresh []docker.Container) ([]docker.Container, error) {
	slices.SortFunc(fresh, func(a, b docker.Container) int { return a.Created.Compare(b.Created) })
	n = min(n, len(fresh))
	return fresh[:n], r.discard(ctx, fresh[n:])
}

// rename gives the names that were there before to the containers that have another one: a crash may
// have come between the end of an old container and its successor's taking over the name.
func (r *run) rename(ctx context.Context, service string) error {
	now, err := r.Engine.Service(ctx, r.compose.Name, service)
	if err != nil {
		return err
	}
	var free []string
	for _, was := range r.before.Containers[service] {
		if !slices.ContainsFunc(now, func(c docker.Container) bool { return c.Name == was.Name }) {
			free = append(free, was.Name)
		}
	}
	for _, c := range now {
		known := slices.ContainsFunc(r.before.Containers[service], func(was promotion.Container) bool { return c.Name == was.Name })
		if known || len(free) == 0 {
			continue
		}
		if err := r.Engine.Rename(ctx, c.ID, free[0]); err != nil {
			return err
		}
		free = free[1:]
	}
	return nil
}

// undoImages gives the old images their names back, where the new ones have the same (`latest`): an old
// container whose image lost its name is one that a plain `up -d` replaces.
func (r *run) undoImages(ctx context.Context) error {
	var failures []error
	for _, roll := range r.rolls() {
		was := r.before.Containers[roll.Service]
		change := roll.Changes[0]
		if r.Target.Engine == promotion.EngineNone || len(was) == 0 || change.From.Tag != change.To.Tag || change.From.Digest != "" {
			continue
		}
		failures = append(failures, r.Engine.Tag(ctx, was[0].ImageID, was[0].Image))
	}
	return errors.Join(failures...)
}

// undoFiles takes the roll's change out of the files, where it stands in them.
func (r *run) undoFiles(ctx context.Context, roll promotion.Roll) error {
	project, err := r.load(ctx)
	if err != nil {
		return err
	}
	var inverse []compose.Change
	services := byName(project)
	for _, change := range roll.Changes {
		now, ok := services[change.Service]
		if ok && now.Pin == change.To && change.From != change.To {
			inverse = append(inverse, change.Inverse())
		}
	}
	if len(inverse) == 0 {
		return nil
	}
	edit, err := project.Edit(inverse...)
	if err != nil {
		return err
	}
	return edit.Apply()
}
