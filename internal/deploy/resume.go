package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"promote/internal/host"
	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// orphans is how long commands that a killed worker had started may go on, holding the lock.
const orphans = 30 * time.Second

// LookInterrupted waits for what a killed worker left, and looks what is interrupted: its plan for people to be
// told of, or nil.
func (d *Deployment) LookInterrupted(ctx context.Context, wait time.Duration) (*promotion.Plan, error) {
	if err := d.waitUntilFree(ctx, max(wait, orphans)); err != nil {
		return nil, err
	}
	if err := d.Look(ctx); err != nil {
		return nil, err
	}
	for _, h := range d.Hosts {
		if i := h.Request.State.Interrupted; i != nil {
			plan := h.interruptedPlan(ctx, i.ID)
			return &plan, nil
		}
	}
	return nil, nil
}

// interruptedPlan is what is known of the plan of a deployment that is to be ended.
func (h *HostDeployment) interruptedPlan(ctx context.Context, id string) promotion.Plan {
	plan, _, err := h.Env.Side.Deployment(ctx, id)
	if err != nil {
		plan = promotion.Plan{ID: id, Target: h.Env.Target} // what it moved can't be told; ending it says what is wrong
	}
	plan.Kind, plan.By = promotion.Resume, h.Request.By
	return plan
}

// Resume ends what was interrupted, on every host where something was; with forget, in the history alone. Ended is
// told of each that is finished.
func (d *Deployment) Resume(ctx context.Context, forget bool, control Control, ended func(id, environment string)) error {
	var failures []error
	for _, h := range d.Hosts {
		i := h.Request.State.Interrupted
		if i == nil {
			continue
		}
		err := h.resume(ctx, forget, control)
		if failures = append(failures, err); err == nil {
			ended(i.ID, h.Env.Label())
		}
	}
	return errors.Join(failures...)
}

// endInterrupted ends what was interrupted, on every host; that it was put back is good enough.
func (d *Deployment) endInterrupted(ctx context.Context, control Control) error {
	for _, h := range d.Hosts {
		err := h.resume(ctx, false, control)
		if outcome := (*OutcomeError)(nil); errors.As(err, &outcome) && outcome.Outcome == rollout.OutcomeRestored {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// resume ends the interrupted deployment of the environment's state, if there is one.
func (h *HostDeployment) resume(ctx context.Context, forget bool, control Control) error {
	if h.Request.State.Interrupted == nil {
		return nil
	}
	plan := promotion.Plan{
		Schema: promotion.Schema, ID: NewID(time.Now()), Kind: promotion.Resume, By: h.Request.By, Reason: h.Request.Reason, Target: h.Env.Target,
	}
	plan.Target.Name = h.Request.State.Project
	job := host.Job{Plan: plan, Resume: h.Request.State.Interrupted.ID, Forget: forget}
	control.Wait = max(control.Wait, orphans)
	return h.apply(ctx, job, control.host(h, control.Follow()))
}

// Attach follows the deployment with the id on every host; without an id, what goes on, or else the last one. It
// returns the plans of those that ended well.
func (d *Deployment) Attach(ctx context.Context, id string, control Control) (Plans, error) {
	var failures []error
	var done Plans
	followed := false
	for n, h := range d.Hosts {
		holder, err := h.Env.Side.Holder(ctx)
		if err != nil {
			return nil, err
		}
		if holder == nil && id == "" && (followed || n < len(d.Hosts)-1) {
			continue // it goes on elsewhere, perhaps; the last host shows its last one
		}
		followed = true
		plan, err := h.attach(ctx, id, holder, control)
		if failures = append(failures, err); err == nil {
			done = append(done, HostPlan{Host: h.Env.Host, Plan: plan})
		}
	}
	return done, errors.Join(failures...)
}

func (h *HostDeployment) attach(ctx context.Context, id string, holder *journal.Holder, control Control) (plan promotion.Plan, err error) {
	if id == "" && holder != nil {
		id = holder.ID
	}
	if id == "" {
		one, err := h.Env.find(ctx, "")
		if err != nil {
			return plan, err
		}
		id = one.ID
	}
	result, err := h.follow(ctx, id, control)
	if err != nil {
		return plan, err
	}
	if result.Outcome != rollout.OutcomeDone {
		return plan, &OutcomeError{Result: result, Host: h.Env.Host}
	}
	plan, _, err = h.Env.Side.Deployment(ctx, id)
	return plan, err
}

// follow tells of a deployment to its end.
func (h *HostDeployment) follow(ctx context.Context, id string, control Control) (rollout.Result, error) {
	return h.Env.Side.Follow(ctx, id, control.host(h, nil).Tell)
}

// Abort stops what goes on, on every host, and waits until everything is as before. Stopped is told of each host:
// the deployment's id, empty where nothing goes on.
func (d *Deployment) Abort(ctx context.Context, control Control, stopped func(id, environment string)) error {
	var failures []error
	for _, h := range d.Hosts {
		holder, err := h.Env.Side.Holder(ctx)
		if err == nil && holder == nil {
			stopped("", h.Env.Label())
		} else if err == nil {
			if err = h.abort(ctx, holder.ID, control); err == nil {
				stopped(holder.ID, h.Env.Label())
			}
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

func (h *HostDeployment) abort(ctx context.Context, id string, control Control) error {
	if err := h.Env.Side.Stop(ctx, id); err != nil {
		return err
	}
	result, err := h.follow(ctx, id, control)
	switch {
	case err != nil:
		return err
	case result.Outcome == rollout.OutcomeDone:
		return fmt.Errorf("%s was done before it could be stopped", id)
	case result.Outcome == rollout.OutcomeStuck:
		return &OutcomeError{Result: result, Host: h.Env.Host}
	}
	return nil
}
