package deploy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"promote/internal/promotion"
)

// FindTask finds [SERVICE] TASK; the service may be left out where one alone has such a task.
func (d *Deployment) FindTask(args []string) (service string, task promotion.Task, err error) {
	t := d.first().Env.Target
	name, wanted := args[len(args)-1], ""
	if len(args) == 2 {
		wanted = args[0]
	}
	var found, all []string
	for _, s := range t.Services {
		for _, one := range s.Tasks {
			all = append(all, s.Name+" "+one.Name)
			if one.Name == name && (wanted == "" || wanted == s.Name) {
				found, service, task = append(found, s.Name), s.Name, one
			}
		}
	}
	switch {
	case len(found) == 0 && len(all) == 0:
		return "", task, &UsageError{Text: t.Environment + " has no tasks", Advice: "tasks: […]   # of a service in promote.yaml"}
	case len(found) == 0:
		return "", task, &UsageError{Text: fmt.Sprintf("%s has no task %q; there are %s", t.Environment, name, strings.Join(all, ", ")), Advice: "promote run --help"}
	case len(found) > 1:
		return "", task, &UsageError{Text: fmt.Sprintf("several services have a task %s: %s", name, strings.Join(found, ", ")), Advice: fmt.Sprintf("promote run %s %s %s", t.Environment, found[0], name)}
	}
	return service, task, nil
}

// PlanTask makes the plan that runs one task by itself. What several hosts share, such as a database, is to be
// done to once: the plan is that of the first.
func (d *Deployment) PlanTask(ctx context.Context, service, task string, do promotion.Doing) (promotion.Plan, error) {
	if err := d.Look(ctx); err != nil {
		return promotion.Plan{}, err
	}
	return promotion.RunTask(d.first().Request, service, task, do)
}

// RunTask carries out the plan of one task.
func (d *Deployment) RunTask(ctx context.Context, plan promotion.Plan, control Control) error {
	h, step := d.first(), plan.Steps[0]
	job, err := h.job(ctx, plan)
	if err != nil {
		return err
	}
	if task, _ := plan.Target.Task(step.Service, step.Task); task.In == promotion.InHere {
		return d.runLocalTask(ctx, plan, step, control)
	}
	err = h.apply(ctx, job, control.host(h, control.Follow()))
	if outcome := (*OutcomeError)(nil); errors.As(err, &outcome) {
		outcome.Task = true
	}
	return err
}
