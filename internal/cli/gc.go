package cli

import (
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"promote/internal/config"
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
	cfg, names, err := p.loadNamed(c)
	if err != nil {
		return err
	}
	answer := ui.Collected{Schema: promotion.Schema, Trial: c.Bool("dry-run"), Environments: []ui.EnvironmentCollected{}}
	for _, name := range names {
		var list []ui.EnvironmentCollected
		if list, err = p.collect(ctx, cfg, name, c.Duration("wait"), answer.Trial); err != nil {
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

// collect tidies all hosts of an environment.
func (p *program) collect(ctx context.Context, cfg *config.Config, name string, wait time.Duration, trial bool) ([]ui.EnvironmentCollected, error) {
	environments, err := p.environments(cfg, name)
	if err != nil {
		return nil, err
	}
	id := newID(time.Now())
	list := make([]ui.EnvironmentCollected, len(environments))
	group, ctx := errgroup.WithContext(ctx)
	for i, env := range environments {
		group.Go(func() error {
			found, err := env.side.Collect(ctx, id, wait, trial)
			list[i] = ui.EnvironmentCollected{Environment: env.Name, Host: env.host, Collection: found}
			return err
		})
	}
	return list, group.Wait()
}
