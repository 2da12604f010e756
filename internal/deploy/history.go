package deploy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// History is what happened in the environment, newest first, as far as it is about the services that are meant.
// What happened on several hosts in the same way is told once.
func (d *Deployment) History(ctx context.Context) ([]journal.Deployment, error) {
	lists := make([][]journal.Deployment, len(d.Hosts))
	err := d.each(ctx, func(ctx context.Context, i int, h *HostDeployment) (err error) {
		lists[i], err = h.Env.history(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	var all []journal.Deployment
	for _, list := range lists {
		for _, one := range list {
			told := len(lists) > 1 && slices.ContainsFunc(all, func(other journal.Deployment) bool { return sameDeployment(one, other) })
			if !told && d.first().concerns(one) {
				all = append(all, one)
			}
		}
	}
	if len(lists) > 1 {
		slices.SortStableFunc(all, func(a, b journal.Deployment) int { return b.At.Compare(a.At) })
	}
	return all, nil
}

// sameDeployment reports whether two hosts tell of the same thing. Marks have no id, but come within moments.
func sameDeployment(a, b journal.Deployment) bool {
	if a.Marked && b.Marked {
		return a.Kind == b.Kind && a.By == b.By && a.Reason == b.Reason && a.At.Sub(b.At).Abs() < time.Minute
	}
	return a.ID == b.ID && a.Outcome == b.Outcome
}

// history are the deployments of the environment on its machine, newest first.
func (e *Environment) history(ctx context.Context) ([]journal.Deployment, error) {
	entries, err := e.Side.History(ctx)
	list := journal.Deployments(entries)
	slices.Reverse(list)
	return list, err
}

// concerns reports whether a deployment of the past is about a service that is meant.
func (h *HostDeployment) concerns(one journal.Deployment) bool {
	return len(h.Request.Wanted) == 0 ||
		slices.ContainsFunc(one.Moves, func(m journal.Move) bool { return h.isMeant(m.Service) }) ||
		slices.ContainsFunc(one.Marks, func(m journal.Mark) bool { return h.isMeant(m.Service) })
}

// find is the deployment with the id; without one, the last.
func (e *Environment) find(ctx context.Context, id string) (journal.Deployment, error) {
	list, err := e.history(ctx)
	if err != nil {
		return journal.Deployment{}, err
	}
	for _, one := range list {
		if !one.Marked && (id == "" || one.ID == id) {
			return one, nil
		}
	}
	if id == "" {
		return journal.Deployment{}, fmt.Errorf("nothing was deployed to %s yet", e.Name)
	}
	return journal.Deployment{}, &UsageError{Text: fmt.Sprintf("no deployment %q in %s", id, e.Name), Advice: "promote history " + e.Name}
}

// Past is a deployment that was, with its plan and all that happened.
type Past struct {
	journal.Deployment
	Plan   promotion.Plan
	Events []rollout.Event
}

// Find reads the deployment with the id, from the first host that knows it; without an id, the last one.
func (c *Client) Find(ctx context.Context, environment, id string) (past Past, err error) {
	environments, err := c.Connections.Open(c.Config, environment)
	for i := 0; err == nil && i < len(environments); i++ {
		var notHere error
		if past.Deployment, notHere = environments[i].find(ctx, id); notHere == nil {
			past.Plan, past.Events, err = environments[i].Side.Deployment(ctx, past.ID)
			return past, err
		}
		if i == len(environments)-1 {
			err = notHere
		}
	}
	return past, err
}
