package cli

import (
	"context"
	"slices"

	"github.com/urfave/cli/v2"

	"promote/internal/deploy"
	"promote/internal/promotion"
	"promote/internal/ui"
)

func (p *program) unpinCommand() *cli.Command {
	return p.command(entry{
		name: "unpin", args: "ENV [SERVICE…]", usage: "end holds, so that deploy moves the service again",
		examples: []string{"promote unpin prod core", "promote unpin prod            every hold there"},
		flags:    []cli.Flag{dryRunFlag, reasonFlag},
		run:      p.marking(deploy.EndHold),
	})
}

func (p *program) verifyCommand() *cli.Command {
	return p.command(entry{
		name: "verify", args: "ENV [SERVICE…]", usage: "say that what runs there was looked at and is good",
		examples: []string{`promote verify staging core --reason "clicked through it"`},
		flags:    []cli.Flag{dryRunFlag, reasonFlag},
		run: p.marking(deploy.Verify(func(h *deploy.HostDeployment, service string) {
			p.screen.Say("%s %s is not up, so it can't be verified", h.Env.Label(), service)
		})),
	})
}

func (p *program) blockCommand() *cli.Command {
	return p.command(entry{
		name: "block", args: "ENV SERVICE[@VERSION]…", usage: "keep a release from being deployed somewhere, until unblock",
		examples: []string{
			`promote block prod core@v1.5.0 --reason "loses mails"`,
			"promote block staging core         the one that runs there",
		},
		flags: []cli.Flag{dryRunFlag, reasonFlag},
		run:   p.judging(promotion.Bad),
	})
}

func (p *program) unblockCommand() *cli.Command {
	return p.command(entry{
		name: "unblock", args: "ENV SERVICE@VERSION…", usage: "let a release be deployed again that was blocked or rolled back",
		examples: []string{`promote unblock prod core@v1.5.0 --reason "it was the database"`},
		flags:    []cli.Flag{dryRunFlag, reasonFlag},
		run:      p.judging(promotion.Cleared),
	})
}

// judging marks the named releases as bad, or as bad no longer.
func (p *program) judging(mark promotion.MarkKind) func(context.Context, *cli.Context) error {
	return func(ctx context.Context, c *cli.Context) error {
		if c.NArg() < 2 {
			return wrongArguments(c, "%s which release?", c.Command.Name)
		}
		return p.marking(deploy.Judge(mark))(ctx, c)
	}
}

func (p *program) approveCommand() *cli.Command {
	return p.command(entry{
		name: "approve", args: "ENV [SERVICE[@VERSION]…]", usage: "say that a release may come to a protected environment; somebody else deploys it",
		examples: []string{
			"promote approve prod               what deploy would put there now",
			"promote approve prod core@v1.5.0",
		},
		flags: []cli.Flag{dryRunFlag, reasonFlag},
		run: func(ctx context.Context, c *cli.Context) error {
			d, err := p.prepare(c, promotion.Deploy)
			if err != nil {
				return err
			}
			marks, err := d.Approvals(ctx)
			if err != nil {
				return err
			}
			return p.leaveMarks(ctx, c, d, marks)
		},
	})
}

func (p *program) adoptCommand() *cli.Command {
	return p.command(entry{
		name: "adopt", args: "ENV [SERVICE…]", usage: "take what runs there into the history as it is, so that a rollback has somewhere to go",
		examples: []string{
			"promote adopt prod                what was deployed by hand until today",
			`promote adopt prod core --reason "hotfix by hand"`,
		},
		flags: []cli.Flag{dryRunFlag, reasonFlag},
		run:   p.marking(deploy.Adopt),
	})
}

// marking is the body of every command that adds marks to the services that are named, or to all, on every host.
// Nothing is marked when one of them refuses.
func (p *program) marking(choose deploy.Chooser) func(context.Context, *cli.Context) error {
	return func(ctx context.Context, c *cli.Context) error {
		d, err := p.prepare(c, promotion.Deploy)
		if err != nil {
			return err
		}
		marks, err := d.ChooseMarks(ctx, choose)
		if err != nil {
			return err
		}
		return p.leaveMarks(ctx, c, d, marks)
	}
}

// leaveMarks writes marks into the history of each host, unless only a look was asked for, and answers with them.
func (p *program) leaveMarks(ctx context.Context, c *cli.Context, d *deploy.Deployment, marks [][]promotion.Mark) error {
	if !c.Bool("dry-run") {
		if err := d.LeaveMarks(ctx, c.Command.Name, marks); err != nil {
			return err
		}
	}
	all := slices.Concat(marks...)
	switch {
	case p.screen.JSON:
		return p.screen.Object(map[string]any{"schema": promotion.Schema, "marks": append([]promotion.Mark{}, all...)})
	case len(all) == 0:
		p.screen.Answer("nothing to do")
	}
	for i, h := range d.Hosts {
		for _, m := range marks[i] {
			p.screen.Answer("%s %s", h.Env.Label(), ui.MarkText(m))
		}
	}
	return nil
}
