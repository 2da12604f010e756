package cli

import (
	"context"
	"strconv"

	"github.com/urfave/cli/v2"

	"promote/internal/deploy"
	"promote/internal/notes"
	"promote/internal/promotion"
	"promote/internal/ui"
)

func (p *program) diffCommand() *cli.Command {
	return p.command(entry{
		name: "diff", args: "ENV [SERVICE[@VERSION]…]", usage: "show what deploy would do: versions, commits, files, tasks, strategies, gates",
		examples: []string{
			"promote diff prod              what would go to prod",
			"promote diff prod --exit-code  10 when something is pending",
			"promote diff prod --markdown   for a pull request",
			"promote diff prod --pending    and what migrations say that they would do",
		},
		flags: []cli.Flag{
			exitFlag, againFlag, acceptFlag, &cli.BoolFlag{DisableDefaultText: true, Name: "downgrade", Usage: "as with deploy"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "markdown", Usage: "answer as Markdown"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "long", Usage: "list all commits and files"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "pending", Usage: "have the tasks there say what is pending; pulls the new images"},
		},
		run: p.diff,
	})
}

func (p *program) diff(ctx context.Context, c *cli.Context) error {
	d, err := p.prepare(c, promotion.Deploy)
	if err != nil {
		return err
	}
	plans, err := d.Plan(ctx)
	if err != nil {
		return err
	}
	p.screen.Values(ui.Value{Name: "changes", Text: strconv.FormatBool(!plans.Nothing())})
	if plans[0].Contents, err = d.Contents(ctx, plans[0].Plan); err != nil {
		return err
	}
	if c.Bool("pending") {
		if plans[0].Pending, err = d.Pending(ctx, plans[0].Plan); err != nil {
			return err
		}
	}
	if err := p.answerDiff(c, plans); err != nil {
		return err
	}
	if c.Bool("exit-code") && !plans.Nothing() {
		return &quietError{exitPending}
	}
	return nil
}

func (p *program) answerDiff(c *cli.Context, plans deploy.Plans) error {
	switch {
	case !p.screen.JSON && plans.Nothing():
		return p.answerNothing(plans)
	case p.screen.JSON:
		return p.screen.PlansObject(plans)
	case c.Bool("markdown"):
		p.screen.PlanMarkdown(p.out, plans[0], func(text string) string { return notes.Escape(text) })
	default:
		p.screen.Plans(p.out, plans)
		p.screen.Contents(p.out, plans[0].Contents, c.Bool("long"))
		p.screen.Pending(p.out, plans[0].Pending, c.Bool("long"))
	}
	return nil
}
