package cli

import (
	"context"
	"errors"
	"fmt"

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
			dryRunFlag, yesFlag(), reasonFlag, waitFlag, againFlag, acceptFlag, urgentFlag,
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
			dryRunFlag, yesFlag(), reasonFlag, waitFlag, againFlag, acceptFlag, urgentFlag,
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
			"promote rollback prod --schema=undo       and take back the migrations since",
		},
		flags: []cli.Flag{
			dryRunFlag, yesFlag(), reasonFlag, waitFlag, acceptFlag,
			&cli.StringFlag{Name: "schema", Usage: "where something was migrated since: `keep|undo|restore`, the last of which puts back the backup from before"},
		},
		run: p.moving(promotion.Rollback),
	})
}

// moving is the body of every command that moves releases.
func (p *program) moving(kind promotion.Kind) func(context.Context, *cli.Context) error {
	return func(ctx context.Context, c *cli.Context) error {
		f, err := p.deployments(c, kind)
		if err != nil {
			return err
		}
		if kind == promotion.Pin && len(f[0].request.Wanted) == 0 {
			return wrongArguments(c, "pin to which version?")
		}
		if c.Bool("dry-run") {
			plans, err := f.plan(ctx)
			if err != nil {
				return err
			}
			return p.answerPlans(f, plans)
		}
		plans, err := f.move(ctx, c)
		f.reportMoves(plans, err)
		switch {
		case err != nil:
			return err
		case nothing(plans):
			return p.answerNothing(f, plans)
		}
		return p.answerDone(plans)
	}
}

// move plans, shows what it will do, and does it.
func (f fleet) move(ctx context.Context, c *cli.Context) ([]promotion.Plan, error) {
	plans, err := f.planQuietly(ctx, c)
	if err != nil || nothing(plans) {
		return plans, err
	}
	if screen := f[0].screen; !screen.JSON && !screen.Quiet {
		screen.Plans(screen.Err, f.shown(plans))
	}
	f.announce(plans)
	return plans, f.carryOut(ctx, c, plans)
}

// planQuietly plans when nobody else is at it, and ends first what was interrupted.
func (f fleet) planQuietly(ctx context.Context, c *cli.Context) ([]promotion.Plan, error) {
	plans, err := f.plan(ctx)
	if f.working() { // what is half-way there was taken for drift
		if err := f.quiet(ctx, c); err != nil {
			return nil, err
		}
		plans, err = f.plan(ctx)
	}
	if halfway := (*interruptedError)(nil); errors.As(err, &halfway) {
		return f.planAfter(ctx, c, halfway)
	}
	return plans, err
}

// planAfter ends a deployment that was interrupted, and plans on what is there then.
func (f fleet) planAfter(ctx context.Context, c *cli.Context, halfway *interruptedError) ([]promotion.Plan, error) {
	f[0].screen.Say("%v; ending it first", halfway)
	for _, d := range f {
		err := d.resume(ctx, c)
		if outcome := (*outcomeError)(nil); errors.As(err, &outcome) && outcome.Outcome == rollout.OutcomeRestored {
			err = nil // put back is ended well enough
		}
		if err != nil {
			return nil, err
		}
	}
	return f.plan(ctx)
}

func (p *program) answerPlans(f fleet, plans []promotion.Plan) error {
	switch {
	case p.screen.JSON:
		return p.screen.PlansObject(f.shown(plans))
	case nothing(plans):
		return p.answerNothing(f, plans)
	}
	p.screen.Plans(p.out, f.shown(plans))
	return nil
}

// answerNothing says that all is there already, and what was left out.
func (p *program) answerNothing(f fleet, plans []promotion.Plan) error {
	if p.screen.JSON {
		return p.screen.PlansObject(f.shown(plans))
	}
	for _, skip := range plans[0].Skipped {
		p.screen.Say("%s left out: %s", skip.Service, skip.Reason)
	}
	p.screen.Answer("nothing to do: %s is up to date", plans[0].Target.Environment)
	return nil
}

// answerDone tells where each service is now. With --json the events have told it.
func (p *program) answerDone(plans []promotion.Plan) error {
	if p.screen.JSON {
		return nil
	}
	said := map[string]bool{}
	for _, plan := range plans {
		for _, m := range plan.Moves {
			if text := fmt.Sprintf("%s %s is on %s", plan.Target.Environment, m.Service, promotion.Label(m.To)); !said[text] {
				said[text] = true
				p.screen.Answer("%s", text)
			}
		}
	}
	for _, mark := range plans[0].Marks {
		if mark.Kind == promotion.Held {
			p.screen.Say("%s %s is %s", plans[0].Target.Environment, mark.Service, ui.HeldText(mark))
		}
	}
	return nil
}
