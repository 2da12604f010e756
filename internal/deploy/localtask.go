package deploy

import (
	"context"
	"errors"
	"slices"

	"promote/internal/host"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// runLocalTasks runs those tasks of plans that run on this machine, once each however many hosts there are.
func (d *Deployment) runLocalTasks(ctx context.Context, plans Plans, control Control, phases ...string) error {
	type key struct{ service, task string }
	ran := map[key]bool{}
	for i, plan := range plans {
		for _, m := range plan.Moves {
			for _, task := range d.Hosts[i].Env.Target.TasksOf(m) {
				one := key{m.Service, task.Name}
				if task.In != promotion.InHere || !slices.Contains(phases, task.Phase) || ran[one] {
					continue
				}
				ran[one] = true
				step := promotion.Step{Kind: promotion.TaskStep, Service: m.Service, Task: task.Name}
				if err := d.runLocalTask(ctx, plan.Plan, step, control); err != nil && !task.Optional {
					return err
				}
			}
		}
	}
	return nil
}

// runLocalTask runs one task beside promote.yaml.
func (c *Client) runLocalTask(ctx context.Context, plan promotion.Plan, step promotion.Step, control Control) error {
	order := rollout.Order{Plan: plan, Tell: func(e rollout.Event) { control.Tell("", e) }}
	result := rollout.Here(ctx, order, step, c.Config.Dir, c.Environ)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case result.Outcome != rollout.OutcomeDone:
		return &OutcomeError{Result: result}
	}
	return nil
}

// runTasksAfter runs the tasks here for how a deployment ended. They change nothing of it.
func (d *Deployment) runTasksAfter(ctx context.Context, plans Plans, control Control, ended error) error {
	outcome := (*OutcomeError)(nil)
	switch {
	case errors.Is(ended, host.ErrDetached):
		return ended // who attaches is told how it ended
	case errors.As(ended, &outcome):
		if err := d.runLocalTasks(ctx, plans, control, promotion.PhaseFailure); err != nil {
			control.Say("note: " + err.Error())
		}
		return ended
	case ended != nil:
		return ended
	}
	err := d.runLocalTasks(ctx, plans, control, promotion.PhaseAfter)
	if errors.As(err, &outcome) {
		outcome.Outcome, outcome.Task = rollout.OutcomeStuck, true
		outcome.Result.Error += "; the deployment itself is done"
		outcome.Repair = "promote run " + plans[0].Target.Environment + " TASK, or promote rollback " + plans[0].Target.Environment
	}
	return err
}
