package cli

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"promote/internal/deploy"
	"promote/internal/promotion"
)

func (p *program) dataCommand() *cli.Command {
	return p.command(entry{
		name: "data", args: "FROM TO", usage: "replace the data of an environment by that of one above it, anonymised",
		examples: []string{
			"promote data prod staging        staging is typed to confirm it, or --yes=staging",
			"promote data prod staging -n     what would be dumped, hidden and loaded, and where",
			"promote data staging --undo      what the last one replaced, back again",
		},
		flags: []cli.Flag{
			dryRunFlag, yesFlag(), reasonFlag, waitFlag,
			&cli.StringFlag{Name: "only", Usage: "only the data with this `NAME`, where there are several"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "undo", Usage: "load back what the last data replaced"},
		},
		run: p.moveData,
	})
}

func (p *program) moveData(ctx context.Context, c *cli.Context) error {
	t, err := p.transfer(c)
	if err != nil {
		return err
	}
	plan, err := t.Plan(ctx)
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return p.answerPlans(deploy.Plans{{Host: t.Env.Host, Plan: plan}})
	}
	if !p.screen.JSON && !p.screen.Quiet {
		p.screen.Plan(p.err, plan)
	}
	if err := p.confirm(c, t.HostDeployment); err != nil {
		return err
	}
	follower := &follower{program: p}
	err = t.CarryOut(ctx, plan, follower.control(c))
	follower.close()
	if err != nil || p.screen.JSON {
		return err
	}
	p.answerData(t, plan)
	return nil
}

// transfer reads FROM TO, or TO --undo.
func (p *program) transfer(c *cli.Context) (*deploy.Transfer, error) {
	from, to := c.Args().First(), c.Args().Get(1)
	wanted := 2
	if c.Bool("undo") {
		from, to, wanted = "", from, 1
	}
	if c.NArg() != wanted {
		return nil, wrongArguments(c, "data goes FROM an environment TO one below it; --undo wants TO only")
	}
	request, err := requestOf(c, promotion.MoveData)
	if err != nil {
		return nil, err
	}
	client, err := p.client(c)
	if err != nil {
		return nil, err
	}
	request.Environment = to
	return client.PrepareTransfer(from, c.String("only"), request)
}

func (p *program) answerData(t *deploy.Transfer, plan promotion.Plan) {
	var names []string
	for _, d := range plan.Data.Items {
		names = append(names, d.Name)
	}
	what := "has that of " + plan.Data.From
	if plan.Data.Undo != "" {
		what = "is as it was before " + plan.Data.Undo
	}
	p.screen.Answer("%s %s %s; back again: promote data %s --undo", t.Env.Name, strings.Join(names, ", "), what, t.Env.Name)
	if task := t.Migration(); task != "" && plan.Data.Undo == "" {
		p.screen.Say("the data is as old as the code of %s; where %s has newer code: promote run %s %s", plan.Data.From, t.Env.Name, t.Env.Name, task)
	}
}
