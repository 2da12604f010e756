package cli

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"promote/internal/deploy"
	"promote/internal/promotion"
	"promote/internal/ui"
)

func (p *program) gcCommand() *cli.Command {
	return p.command(entry{
		name: "gc", args: "[ENV…]", usage: "remove images that nothing needs any more, and the plans and events of old deployments",
		examples: []string{
			"promote gc prod               what is current, held, or a rollback may want stays",
			"promote gc prod -n            what would go, and why the rest stays",
			"promote gc --json             every environment, one after the other",
		},
		flags: []cli.Flag{
			dryRunFlag, waitFlag,
			&cli.BoolFlag{DisableDefaultText: true, Name: "long", Aliases: []string{"l"}, Usage: "show what stays, too, and why"},
		},
		run: p.gc,
	})
}

// gc tidies one environment after the other, since they may share a machine, and all hosts of each at once.
func (p *program) gc(ctx context.Context, c *cli.Context) error {
	client, names, err := p.clientFor(c)
	if err != nil {
		return err
	}
	answer := ui.Collected{Schema: promotion.Schema, Trial: c.Bool("dry-run"), Environments: []deploy.HostCollection{}}
	for _, name := range names {
		var list []deploy.HostCollection
		if list, err = client.Collect(ctx, name, c.Duration("wait"), answer.Trial); err != nil {
			break // what was removed until here is told all the same
		}
		answer.Environments = append(answer.Environments, list...)
	}
	if err == nil || !p.screen.JSON {
		err = errors.Join(err, p.screen.Collected(answer, c.Bool("long")))
	}
	if err != nil {
		return err
	}
	for _, env := range answer.Environments {
		if len(env.Failed) > 0 {
			return &quietError{exitFailed}
		}
	}
	return nil
}
