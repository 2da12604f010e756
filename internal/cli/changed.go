package cli

import (
	"context"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/promotion"
	"promote/internal/release"
)

type changedOptions struct {
	cfg      *config.Config
	since    string // a revision; empty for each service's last version
	exitCode bool
}

func (p *program) changedCommand() *cli.Command {
	return p.command(entry{
		name: "changed", usage: "list the services whose path has commits since their last version, or since a revision",
		examples: []string{
			"promote changed                              what changed since each one's last version",
			"promote changed --since origin/main --json   for the matrix of a CI job: fromJSON(…).services",
		},
		flags: []cli.Flag{&cli.StringFlag{Name: "since", Usage: "commits that `REV` does not have, instead of those since the last version"}, exitFlag},
		run: func(ctx context.Context, c *cli.Context) error {
			if c.NArg() > 0 {
				return wrongArguments(c, "changed wants no arguments; did you mean --since %s?", c.Args().First())
			}
			cfg, err := p.load(c)
			if err != nil {
				return err
			}
			return p.runChanged(ctx, changedOptions{cfg: cfg, since: c.String("since"), exitCode: c.Bool("exit-code")})
		},
	})
}

func (p *program) runChanged(ctx context.Context, o changedOptions) error {
	project, err := p.openProject(ctx, o.cfg)
	if err != nil {
		return err
	}
	names, err := release.ChangedServices(ctx, project.Linked(o.cfg.Services), o.since)
	if err != nil {
		return err
	}
	if err := p.answerChanged(names); err != nil || len(names) > 0 || !o.exitCode {
		return err
	}
	return &quietError{exitPending}
}

func (p *program) answerChanged(names []string) error {
	if p.screen.JSON {
		return p.screen.Object(map[string]any{"schema": promotion.Schema, "services": names})
	}
	for _, name := range names {
		p.screen.Answer("%s", name)
	}
	if len(names) == 0 {
		p.screen.Say("no service changed")
	}
	return nil
}
