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
	event := Event{Step: step.Kind, Service: step.Service, Task: step.Task, Status: Started}
	r.tell(event)
	err := r.perform(ctx, step, task, commandOf(step, task))
	if err != nil {
		event.Status, event.Text = Failed, err.Error()
		r.tell(event)
		return describeFailure(err)
	}
	event.Status = Done
	r.tell(event)
	return Result{Outcome: OutcomeDone}
}
