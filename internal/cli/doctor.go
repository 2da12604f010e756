package cli

import (
	"context"

	"github.com/urfave/cli/v2"

	"promote/internal/promotion"
	"promote/internal/ui"
)

func (p *program) doctorCommand() *cli.Command {
	return p.command(entry{
		name: "doctor", args: "[ENV…]", usage: "look beforehand at everything that a deployment will need, and change nothing",
		examples: []string{"promote doctor prod", "promote doctor --json  exit code 1 when something is missing"},
		run:      p.doctor,
	})
}

func (p *program) doctor(ctx context.Context, c *cli.Context) error {
	client, names, err := p.clientFor(c)
	if err != nil {
		return err
	}
	answer := ui.Examination{Schema: promotion.Schema}
	for _, name := range names {
		answer.Environments = append(answer.Environments, client.Checkup(ctx, name)...)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if err := p.screen.Examination(answer); err != nil {
		return err
	}
	if answer.Failed() > 0 {
		return &quietError{exitFailed}
	}
	return nil
}
