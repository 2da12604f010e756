package deploy

import (
	"context"
	"errors"

	"promote/internal/promotion"
)

// Chooser says which marks a service of a host is given, if any.
type Chooser func(h *HostDeployment, s promotion.ServiceState) ([]promotion.Mark, error)

// ChooseMarks asks for the marks of every service that is meant, on every host, which is looked at before.
func (d *Deployment) ChooseMarks(ctx context.Context, choose Chooser) ([][]promotion.Mark, error) {
	if err := d.Look(ctx); err != nil {
		return nil, err
	}
	marks := make([][]promotion.Mark, len(d.Hosts))
	var failures []error
	for i, h := range d.Hosts {
		for _, s := range h.Request.State.Services {
			if !h.isMeant(s.Service) || s.Absent {
				continue
			}
			more, err := choose(h, s)
			marks[i], failures = append(marks[i], more...), append(failures, err)
		}
	}
	return marks, errors.Join(failures...)
}

// LeaveMarks writes marks into the history of each host. It waits for no lock: marks are one line.
func (d *Deployment) LeaveMarks(ctx context.Context, kind string, marks [][]promotion.Mark) error {
	return d.each(ctx, func(ctx context.Context, i int, h *HostDeployment) error {
		if len(marks[i]) == 0 {
			return nil
		}
		return h.Env.Side.Mark(ctx, kind, h.Request.Reason, marks[i])
	})
}

// EndHold frees a service that is held.
func EndHold(h *HostDeployment, s promotion.ServiceState) ([]promotion.Mark, error) {
	if promotion.Hold(s.Marks, h.Request.State.Now) == nil {
		return nil, nil
	}
	return []promotion.Mark{{Service: s.Service, Kind: promotion.Freed}}, nil
}

// Verify says of what runs that it is good, where it is not known yet. NotUp is told of what can't be verified.
func Verify(notUp func(h *HostDeployment, service string)) Chooser {
	return func(h *HostDeployment, s promotion.ServiceState) ([]promotion.Mark, error) {
		present := s.Present(h.service(s.Service).Tag)
		if h.Env.Target.Engine != promotion.EngineNone && !s.Up() {
			notUp(h, s.Service)
			return nil, nil
		}
		if promotion.Proven(s.Marks, present) {
			return nil, nil
		}
		return []promotion.Mark{{Service: s.Service, Kind: promotion.Verified, Release: present}}, nil
	}
}

// Judge marks the named releases as bad, or as bad no longer, where they are not so already.
func Judge(mark promotion.MarkKind) Chooser {
	return func(h *HostDeployment, s promotion.ServiceState) ([]promotion.Mark, error) {
		release := promotion.Known(s, h.service(s.Service).Tag, h.wanted(s.Service))
		if bad := promotion.IsBad(s.Marks, release) != nil; bad == (mark == promotion.Bad) {
			return nil, nil
		}
		return []promotion.Mark{{Service: s.Service, Kind: mark, Release: release}}, nil
	}
}

// Adopt takes what runs into the history as it is.
func Adopt(h *HostDeployment, s promotion.ServiceState) ([]promotion.Mark, error) {
	if i := h.Request.State.Interrupted; i != nil {
		return nil, &InterruptedError{h.Env, i}
	}
	return promotion.Adoption(h.Env.Target, h.service(s.Service), s, promotion.Hold(s.Marks, h.Request.State.Now))
}

// Approvals are the marks that let what a deployment would move come to a protected environment.
func (d *Deployment) Approvals(ctx context.Context) ([][]promotion.Mark, error) {
	plans, err := d.Plan(ctx)
	if err != nil {
		return nil, err
	}
	marks := make([][]promotion.Mark, len(plans))
	for i, plan := range plans {
		for _, m := range plan.Moves {
			marks[i] = append(marks[i], promotion.Mark{Service: m.Service, Kind: promotion.Approved, Release: m.To})
		}
	}
	return marks, nil
}

// LockMarks lock or unlock the environment where it is not so already. What is being deployed there goes on.
func (d *Deployment) LockMarks(ctx context.Context, kind promotion.MarkKind) ([][]promotion.Mark, error) {
	if err := d.Look(ctx); err != nil {
		return nil, err
	}
	marks := make([][]promotion.Mark, len(d.Hosts))
	for i, h := range d.Hosts {
		if locked := h.Request.State.Locked != nil; locked != (kind == promotion.Locked) {
			marks[i] = []promotion.Mark{{Kind: kind}}
		}
	}
	return marks, nil
}
