package cli

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/internal/ui"
)

func (p *program) deployCommand() *cli.Command {
	return p.command(entry{
		name: "deploy", args: "ENV [SERVICE[@VERSION]…]",
		usage: "put releases on an environment: the newest, those that its upstream verified, or the named ones",
		examples: []string{
			"promote deploy staging                  the newest release of every service",
			"promote deploy prod                     what staging verified, by digest",
			"promote deploy prod core@v1.5.0 mailer  only these",
			"promote deploy prod --dry-run           show the plan",
		},
		flags: []cli.Flag{
			dryRunFlag, yesFlag(), reasonFlag, waitFlag, againFlag, acceptFlag,
			&cli.BoolFlag{DisableDefaultText: true, Name: "downgrade", Usage: "let it go to a lower version"},
		},
		run: p.moving(promotion.Deploy),
	})
}

func (p *program) pinCommand() *cli.Command {
	return p.command(entry{
		name: "pin", args: "ENV [SERVICE@]VERSION…", usage: "put a service on an exact version and hold it there",
		examples: []string{
			"promote pin prod v1.4.2                  held until something newer than what it leaves is published",
			"promote pin prod core@v1.4.2 --keep      held until promote unpin, whatever is published",
			"promote pin prod core@v1.4.2 --until 2d  held for two days",
		},
		flags: []cli.Flag{
			dryRunFlag, yesFlag(), reasonFlag, waitFlag, againFlag, acceptFlag,
			&cli.BoolFlag{DisableDefaultText: true, Name: "keep", Usage: "hold it whatever is published"},
			&cli.StringFlag{Name: "until", Usage: "end the hold then: 2d, 36h, or a date"},
		},
		run: p.moving(promotion.Pin),
	})
}

func (p *program) rollbackCommand() *cli.Command {
	return p.command(entry{
		name: "rollback", args: "ENV [SERVICE…]", usage: "go back to the last release that was good there; needs no registry",
		examples: []string{
			"promote rollback prod                     undo the last deployment, whole",
			"promote rollback prod core                only this service",
			`promote rollback prod --reason "login 500"`,
		},
		flags: []cli.Flag{dryRunFlag, yesFlag(), reasonFlag, waitFlag, acceptFlag},
		run:   p.moving(promotion.Rollback),
	})
}

func (p *program) diffCommand() *cli.Command {
	return p.command(entry{
		name: "diff", args: "ENV [SERVICE[@VERSION]…]", usage: "show what deploy would do",
		examples: []string{
			"promote diff prod              versions, strategies, holds",
			"promote diff prod --exit-code  10 when something is pending",
		},
		flags: []cli.Flag{exitFlag, againFlag, acceptFlag, &cli.BoolFlag{DisableDefaultText: true, Name: "downgrade", Usage: "as with deploy"}},
		run: func(ctx context.Context, c *cli.Context) error {
			d, err := p.deployment(ctx, c, promotion.Deploy)
			if err != nil {
				return err
			}
			plan, err := d.plan(ctx)
			if err != nil {
				return err
			}
			if err := p.answerPlan(plan); err != nil {
				return err
			}
			if c.Bool("exit-code") && !plan.Nothing() {
				return &quietError{exitPending}
			}
			return nil
		},
	})
}

// moving is the body of every command that moves releases.
func (p *program) moving(kind promotion.Kind) func(context.Context, *cli.Context) error {
	return func(ctx context.Context, c *cli.Context) error {
		d, err := p.deployment(ctx, c, kind)
		if err != nil {
			return err
		}
		if kind == promotion.Pin && len(d.request.Wanted) == 0 {
			return wrongArguments(c, "pin to which version?")
		}
		plan, err := d.plan(ctx)
		if d.request.State.Lock != "" && !c.Bool("dry-run") { // what is half-way there was taken for drift
			if err := d.env.side.Quiet(ctx, c.Duration("wait")); err != nil {
				return err
			}
			plan, err = d.plan(ctx)
		}
		if halfway := (*interruptedError)(nil); errors.As(err, &halfway) && !c.Bool("dry-run") {
			plan, err = d.planAfter(ctx, c, halfway)
		}
		if err != nil {
			return err
		}
		if c.Bool("dry-run") {
			return p.answerPlan(plan)
		}
		if plan.Nothing() {
			return p.answerNothing(plan)
		}
		if !p.screen.JSON && !p.screen.Quiet {
			p.screen.Plan(p.err, plan)
		}
		if err := d.carryOut(ctx, c, plan); err != nil {
			return err
		}
		return p.answerDone(plan)
	}
}

// planAfter ends a deployment that was interrupted, and plans on what is there then.
func (d *deployment) planAfter(ctx context.Context, c *cli.Context, halfway *interruptedError) (promotion.Plan, error) {
	d.screen.Say("%v; ending it first", halfway)
	err := d.resume(ctx, c)
	if outcome := (*outcomeError)(nil); errors.As(err, &outcome) && outcome.Outcome == rollout.OutcomeRestored {
		err = nil // put back is ended well enough
	}
	if err != nil {
		return promotion.Plan{}, err
	}
	return d.plan(ctx)
}

func (p *program) answerPlan(plan promotion.Plan) error {
	switch {
	case p.screen.JSON:
		return p.screen.Object(plan)
	case plan.Nothing():
		return p.answerNothing(plan)
	}
	p.screen.Plan(p.out, plan)
	return nil
}

// answerNothing says that all is there already, and what was left out.
func (p *program) answerNothing(plan promotion.Plan) error {
	if p.screen.JSON {
		return p.screen.Object(plan)
	}
	for _, skip := range plan.Skipped {
		p.screen.Say("%s left out: %s", skip.Service, skip.Reason)
	}
	p.screen.Answer("nothing to do: %s is up to date", plan.Target.Environment)
	return nil
}

// answerDone tells where each service is now. With --json the events have told it.
func (p *program) answerDone(plan promotion.Plan) error {
	if p.screen.JSON {
		return nil
	}
	for _, m := range plan.Moves {
		p.screen.Answer("%s %s is on %s", plan.Target.Environment, m.Service, promotion.Label(m.To))
	}
	for _, mark := range plan.Marks {
		if mark.Kind == promotion.Held {
			p.screen.Say("%s %s is %s", plan.Target.Environment, mark.Service, ui.HeldText(mark))
		}
	}
	return nil
}
