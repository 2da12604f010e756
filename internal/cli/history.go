package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/internal/ui"
)

func (p *program) historyCommand() *cli.Command {
	return p.command(entry{
		name: "history", args: "ENV [SERVICE…]", usage: "show what happened in an environment, newest first",
		examples: []string{"promote history prod", "promote history prod core --limit 5"},
		flags:    []cli.Flag{&cli.IntFlag{Name: "limit", Value: 20, Usage: "show at most so many; 0 for all"}},
		run: func(ctx context.Context, c *cli.Context) error {
			f, err := p.deployments(c, promotion.Deploy)
			if err != nil {
				return err
			}
			list, err := f.history(ctx)
			if err != nil {
				return err
			}
			list = slices.DeleteFunc(list, func(one journal.Deployment) bool { return !f[0].concerns(one) })
			if limit := c.Int("limit"); limit > 0 && len(list) > limit {
				list = list[:limit]
			}
			return p.screen.History(list)
		},
	})
}

// history is that of all hosts, newest first. What happened on several in the same way is told once.
func (f fleet) history(ctx context.Context) ([]journal.Deployment, error) {
	lists := make([][]journal.Deployment, len(f))
	err := f.each(ctx, func(ctx context.Context, i int, d *deployment) (err error) {
		lists[i], err = d.deployments(ctx)
		return err
	})
	if len(f) == 1 || err != nil {
		return lists[0], err
	}
	var all []journal.Deployment
	for _, list := range lists {
		for _, one := range list {
			if !slices.ContainsFunc(all, func(other journal.Deployment) bool { return sameDeployment(one, other) }) {
				all = append(all, one)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b journal.Deployment) int { return b.At.Compare(a.At) })
	return all, nil
}

// sameDeployment reports whether two hosts tell of the same thing. Marks have no id, but come within
// moments.
func sameDeployment(a, b journal.Deployment) bool {
	if a.Marked && b.Marked {
		return a.Kind == b.Kind && a.By == b.By && a.Reason == b.Reason && a.At.Sub(b.At).Abs() < time.Minute
	}
	return a.ID == b.ID && a.Outcome == b.Outcome
}

// deployments are those of the environment, newest first.
func (d *deployment) deployments(ctx context.Context) ([]journal.Deployment, error) {
	entries, err := d.env.side.History(ctx)
	list := journal.Deployments(entries)
	slices.Reverse(list)
	return list, err
}

// concerns reports whether a deployment is about a service of the command line.
func (d *deployment) concerns(one journal.Deployment) bool {
	return len(d.request.Wanted) == 0 ||
		slices.ContainsFunc(one.Moves, func(m journal.Move) bool { return d.names(m.Service) }) ||
		slices.ContainsFunc(one.Marks, func(m journal.Mark) bool { return d.names(m.Service) })
}

func (p *program) showCommand() *cli.Command {
	return p.command(entry{
		name: "show", args: "ENV [ID]", usage: "show one deployment, the last one unless its id is given: its plan and what happened",
		examples: []string{"promote show prod", "promote show prod 20261121-061203-k7f --json"},
		run:      p.show,
	})
}

func (p *program) show(ctx context.Context, c *cli.Context) error {
	if c.NArg() < 1 || c.NArg() > 2 {
		return wrongArguments(c, "show wants an environment, and at most one id")
	}
	f, err := p.forID(c)
	if err != nil {
		return err
	}
	for n, d := range f {
		one, err := d.find(ctx, c.Args().Get(1))
		if err != nil && n < len(f)-1 {
			continue // another host may know it
		}
		if err != nil {
			return err
		}
		return d.show(ctx, one)
	}
	return nil
}

func (d *deployment) show(ctx context.Context, one journal.Deployment) error {
	plan, events, err := d.env.side.Deployment(ctx, one.ID)
	if err != nil {
		return err
	}
	if d.screen.JSON {
		return d.screen.Object(map[string]any{"schema": promotion.Schema, "plan": plan, "events": events})
	}
	d.showText(one, plan, events)
	return nil
}

func (p *program) showText(one journal.Deployment, plan promotion.Plan, events []rollout.Event) {
	p.screen.Answer("%s  %s  by %s", one.ID, one.At.UTC().Format("2006-01-02 15:04:05 UTC"), one.By)
	if one.Reason != "" {
		p.screen.Answer("%s", one.Reason)
	}
	p.screen.Plan(p.out, plan)
	for _, e := range events {
		if e.Layer == nil && e.Moved == 0 && e.Status != rollout.Finished {
			p.screen.Answer("  %s  %s", e.At.UTC().Format("15:04:05.000"), strings.TrimSpace(fmt.Sprintf("%s %s %s", ui.Label(e), e.Status, e.Text)))
		}
	}
	switch {
	case one.End.IsZero():
		p.screen.Answer("it has not ended")
	case one.Error != "":
		p.screen.Answer("%s: %s", one.Outcome, one.Error)
	default:
		p.screen.Answer("%s after %s", one.Outcome, one.End.Sub(one.At).Round(1e6))
	}
}

// find is the deployment with the id, or the last one.
func (d *deployment) find(ctx context.Context, id string) (journal.Deployment, error) {
	list, err := d.deployments(ctx)
	if err != nil {
		return journal.Deployment{}, err
	}
	for _, one := range list {
		if !one.Marked && (id == "" || one.ID == id) {
			return one, nil
		}
	}
	if id == "" {
		return journal.Deployment{}, fmt.Errorf("nothing was deployed to %s yet", d.env.Name)
	}
	return journal.Deployment{}, &usage{text: fmt.Sprintf("no deployment %q in %s", id, d.env.Name), hint: "promote history " + d.env.Name}
}
