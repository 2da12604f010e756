package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"promote/internal/deploy"
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
			d, err := p.prepare(c, promotion.Deploy)
			if err != nil {
				return err
			}
			list, err := d.History(ctx)
			if err != nil {
				return err
			}
			if limit := c.Int("limit"); limit > 0 && len(list) > limit {
				list = list[:limit]
			}
			return p.screen.History(list)
		},
	})
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
	client, err := p.client(c)
	if err != nil {
		return err
	}
	past, err := client.Find(ctx, c.Args().First(), c.Args().Get(1))
	switch {
	case err != nil:
		return err
	case p.screen.JSON:
		return p.screen.Object(map[string]any{"schema": promotion.Schema, "plan": past.Plan, "events": past.Events})
	}
	p.showText(past)
	return nil
}

func (p *program) showText(past deploy.Past) {
	p.screen.Answer("%s  %s  by %s", past.ID, past.At.UTC().Format("2006-01-02 15:04:05 UTC"), past.By)
	if past.Reason != "" {
		p.screen.Answer("%s", past.Reason)
	}
	p.screen.Plan(p.out, past.Plan)
	for _, e := range past.Events {
		if e.Layer == nil && e.Moved == 0 && e.Status != rollout.Finished {
			p.screen.Answer("  %s  %s", e.At.UTC().Format("15:04:05.000"), strings.TrimSpace(fmt.Sprintf("%s %s %s", ui.Label(e), e.Status, e.Text)))
		}
	}
	switch {
	case past.End.IsZero():
		p.screen.Answer("it has not ended")
	case past.Error != "":
		p.screen.Answer("%s: %s", past.Outcome, past.Error)
	default:
		p.screen.Answer("%s after %s", past.Outcome, past.End.Sub(past.At).Round(1e6))
	}
}
