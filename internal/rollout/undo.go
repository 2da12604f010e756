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
	r.tell(Event{Status: Undoing, Text: "putting everything back"})
	var failures []error
	for _, m := range slices.Backward(r.Plan.Moves) {
		for _, roll := range slices.Backward(m.Rolls) {
			if err := r.undoRoll(ctx, m, roll); err != nil {
				failures = append(failures, fmt.Errorf("%s: %w", roll.Service, err))
			}
		}
	}
	return errors.Join(failures...)
}

func (r *run) undoRoll(ctx context.Context, m promotion.Move, roll promotion.Roll) error {
	if r.Target.Engine == promotion.EngineNone {
		return r.undoFiles(ctx, roll)
	}
	now, err := r.Engine.Service(ctx, r.compose.Name, roll.Service)
	if err != nil {
		return err
	}
	old, fresh := r.split(now)
	was := r.before.Containers[roll.Service]
	if len(old) == len(was) && len(was) > 0 {
		return errors.Join(r.undoFiles(ctx, roll), r.discard(ctx, fresh), r.start(ctx, old))
	}
	return r.rollBack(ctx, m, roll, was, fresh)
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

// start starts containers that stood here before and were stopped on the way.
func (r *run) start(ctx context.Context, old []docker.Container) error {
	for _, c := range old {
		ran := slices.ContainsFunc(r.before.Containers[c.Service], func(b promotion.Container) bool { return b.ID == c.ID && b.State == "running" })
		if ran && c.State != "running" {
			if err := r.Engine.Start(ctx, c.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// rollBack rolls the service to what it was, the way it was rolled forward: with the old version in
// the file, and proven before the new one goes. What never ran before is only taken away.
func (r *run) rollBack(ctx context.Context, m promotion.Move, roll promotion.Roll, was []promotion.Container, fresh []docker.Container) error {
	if len(was) == 0 {
		return errors.Join(r.undoFiles(ctx, roll), r.discard(ctx, fresh))
	}
	if err := r.undoImage(ctx, m, was[0]); err != nil {
		return err
	}
	if err := r.undoFiles(ctx, roll); err != nil {
		return err
	}
	watch, stop := r.watch(ctx)
	defer stop()
	inverse := roll
	inverse.Changes = nil
	r.committed[roll.Service] = true
	if roll.Strategy == promotion.StartFirst && len(fresh) > 0 {
		return r.startFirst(ctx, inverse, watch)
	}
	return r.recreate(ctx, inverse, watch)
}

// undoImage gives the old image its name back, where the new one has the same (`latest`).
func (r *run) undoImage(ctx context.Context, m promotion.Move, was promotion.Container) error {
	if m.From.Tag != m.To.Tag || was.ImageID == "" {
		return nil
	}
	return r.Engine.Tag(ctx, was.ImageID, was.Image)
}

// undoFiles takes the roll's change out of the files, where it stands in them.
func (r *run) undoFiles(ctx context.Context, roll promotion.Roll) error {
	project, err := r.load(ctx)
	if err != nil {
		return err
	}
	var inverse []compose.Change
	for _, change := range roll.Changes {
		now, ok := serviceOf(project, change.Service)
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
