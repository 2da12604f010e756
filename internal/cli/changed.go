package cli

import (
	"context"

	"github.com/urfave/cli/v2"

	"promote/internal/promotion"
)

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
			units, err := p.units(ctx, c, cfg, "", true)
			if err != nil {
				return err
			}
			names, err := changedSince(ctx, units, c.String("since"))
			if err != nil {
				return err
			}
			if err := p.answerChanged(names); err != nil || len(names) > 0 || !c.Bool("exit-code") {
				return err
			}
			return &quietError{exitPending}
		},
	})
}

// changedSince are the names of the services that changed. What is linked changes together.
func changedSince(ctx context.Context, units []batch, rev string) ([]string, error) {
	names := []string{}
	for _, unit := range units {
		touched, err := unit.touched(ctx, rev)
		if err != nil {
			return nil, err
		}
		for _, r := range unit {
			if touched {
				names = append(names, r.service.Name)
			}
		}
	}
	return names, nil
}

// touched reports whether there are commits since a revision that touch one of the services; since its
// last version, if there is no revision.
func (list batch) touched(ctx context.Context, rev string) (bool, error) {
	for _, r := range list {
		from := rev
		if rev == "" {
			p, err := r.past(ctx)
			if err != nil {
				return false, err
			}
			from = p.last().rev
		} else if err := r.tags.whole(); err != nil {
			return false, err // a shallow clone knows too few commits
		}
		if commits, err := r.since(ctx, from); err != nil || len(commits) > 0 {
			return err == nil, err
		}
	}
	return false, nil
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
