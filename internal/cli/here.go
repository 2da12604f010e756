package cli

import (
	"context"
	"errors"
	"os"
	"slices"

	"promote/internal/host"
	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/internal/ui"
)

// here runs those tasks of plans that run on this machine, once each however many hosts there are.
func (f fleet) here(ctx context.Context, plans []promotion.Plan, progress *ui.Progress, phases ...string) error {
	type key struct{ service, task string }
	ran := map[key]bool{}
	for i, plan := range plans {
		for _, m := range plan.Moves {
			for _, task := range f[i].env.target.TasksOf(m) {
				one := key{m.Service, task.Name}
				if task.In != promotion.InHere || !slices.Contains(phases, task.Phase) || ran[one] {
					continue
				}
				ran[one] = true
				step := promotion.Step{Kind: promotion.TaskStep, Service: m.Service, Task: task.Name}
				if err := f[i].taskHere(ctx, plan, step, progress); err != nil && !task.Optional {
					return err
				}
			}
		}
	}
	return nil
}

// taskHere runs one task beside promote.yaml.
func (d *deployment) taskHere(ctx context.Context, plan promotion.Plan, step promotion.Step, progress *ui.Progress) error {
	order := rollout.Order{Plan: plan, Tell: func(e rollout.Event) { progress.Event("", e) }}
	result := rollout.Here(ctx, order, step, d.cfg.Dir, os.Environ())
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case result.Outcome != rollout.OutcomeDone:
		return &outcomeError{Result: result}
	}
	return nil
}

// hereAfter runs the tasks here for how a deployment ended. They change nothing of it.
func (f fleet) hereAfter(ctx context.Context, plans []promotion.Plan, progress *ui.Progress, ended error) error {
	outcome := (*outcomeError)(nil)
	switch {
	case errors.Is(ended, host.ErrDetached):
		return ended // who attaches is told how it ended
	case errors.As(ended, &outcome):
		if err := f.here(ctx, plans, progress, promotion.PhaseFailure); err != nil {
			f[0].screen.Say("note: %v", err)
		}
		return ended
	case ended != nil:
		return ended
	}
	err := f.here(ctx, plans, progress, promotion.PhaseAfter)
	if errors.As(err, &outcome) {
		outcome.Outcome, outcome.task = rollout.OutcomeStuck, true
		outcome.Result.Error += "; the deployment itself is done"
		outcome.Repair = "promote run " + plans[0].Target.Environment + " TASK, or promote rollback " + plans[0].Target.Environment
	}
	return err
}
