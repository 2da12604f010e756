package cli

import (
	"context"

	"github.com/urfave/cli/v2"

	"promote/internal/promotion"
)

func (p *program) lockCommand() *cli.Command {
	return p.command(entry{
		name: "lock", args: "ENV", usage: "keep everybody from deploying there, until promote unlock",
		examples: []string{`promote lock prod --reason "the database moves tonight"`},
		flags:    []cli.Flag{dryRunFlag, reasonFlag},
		run:      func(ctx context.Context, c *cli.Context) error { return p.setLock(ctx, c, promotion.Locked) },
	})
}

func (p *program) unlockCommand() *cli.Command {
	return p.command(entry{
		name: "unlock", args: "ENV", usage: "end a lock, whoever set it",
		examples: []string{"promote unlock prod"},
		flags:    []cli.Flag{dryRunFlag, reasonFlag},
		run:      func(ctx context.Context, c *cli.Context) error { return p.setLock(ctx, c, promotion.Unlocked) },
	})
}

// setLock locks or unlocks an environment. What is being deployed there goes on.
func (p *program) setLock(ctx context.Context, c *cli.Context, kind promotion.MarkKind) error {
	d, err := p.prepare(c, promotion.Deploy)
	if err != nil {
		return err
	}
	if c.NArg() > 1 {
		return wrongArguments(c, "%s is about a whole environment; promote pin --keep holds a service", c.Command.Name)
	}
	marks, err := d.LockMarks(ctx, kind)
	if err != nil {
		return err
	}
	return p.leaveMarks(ctx, c, d, marks)
}
