package cli

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"promote/internal/deploy"
	"promote/internal/promotion"
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
			dryRunFlag, yesFlag(), reasonFlag, waitFlag, againFlag, acceptFlag, digestFlag, urgentFlag,
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
			dryRunFlag, yesFlag(), reasonFlag, waitFlag, againFlag, acceptFlag, digestFlag, urgentFlag,
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
		d, err := p.prepare(c, kind)
		if err != nil {
			return err
		}
		if kind == promotion.Pin && c.NArg() < 2 {
			return wrongArguments(c, "pin to which version?")
		}
		if c.Bool("dry-run") {
			plans, err := d.Plan(ctx)
			if err != nil {
				return err
			}
			return p.answerPlans(plans)
		}
		plans, err := p.move(ctx, c, d)
		p.reportMoves(d, plans, err)
		switch {
		case err != nil:
			return err
		case plans.Nothing():
			return p.answerNothing(plans)
		}
		return p.answerDone(plans)
	}
}

// move plans, shows what it will do, asks, and does it.
func (p *program) move(ctx context.Context, c *cli.Context, d *deploy.Deployment) (deploy.Plans, error) {
	follower := &follower{program: p}
	defer follower.close()
	plans, err := d.PlanWhenFree(ctx, follower.control(c))
	if err != nil || plans.Nothing() {
		return plans, err
	}
	follower.close()
	if !p.screen.JSON && !p.screen.Quiet {
		p.screen.Plans(p.err, plans)
	}
	p.announce(d.Config, plans)
	if err := p.confirm(c, d.Hosts[0]); err != nil {
		return plans, err
	}
	return plans, d.CarryOut(ctx, plans, follower.control(c))
}

func (p *program) answerPlans(plans deploy.Plans) error {
	switch {
	case p.screen.JSON:
		return p.screen.PlansObject(plans)
	case plans.Nothing():
		return p.answerNothing(plans)
	}
	p.screen.Plans(p.out, plans)
	return nil
}

// answerNothing says that all is there already, and what was left out.
func (p *program) answerNothing(plans deploy.Plans) error {
	if p.screen.JSON {
		return p.screen.PlansObject(plans)
	}
	for _, skip := range plans[0].Skipped {
		p.screen.Say("%s left out: %s", skip.Service, skip.Reason)
	}
	p.screen.Answer("nothing to do: %s is up to date", plans[0].Target.Environment)
	return nil
}

// answerDone tells where each service is now. With --json the events have told it.
func (p *program) answerDone(plans deploy.Plans) error {
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
