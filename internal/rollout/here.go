package rollout

import (
	"context"
	"time"

	"promote/internal/promotion"
)

// Here runs a task of a plan on the client's own machine, in a folder: before the plan is handed over, or once it has
// ended. Nothing else of a plan runs there.
func Here(ctx context.Context, o Order, step promotion.Step, dir string, environ []string) Result {
	r := &run{Machine: &Machine{Target: o.Plan.Target, Environ: environ, Now: time.Now}, Order: o, here: dir}
	task, _ := r.Target.Task(step.Service, step.Task)
	if err := r.telling(step, func() error { return r.perform(ctx, step, task) }); err != nil {
		return describeFailure(err)
	}
	return Result{Outcome: OutcomeDone}
}
