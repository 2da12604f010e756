package cli

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"promote/internal/deploy"
	"promote/internal/promotion"
)

func (p *program) resumeCommand() *cli.Command {
	return p.command(entry{
		name: "resume", args: "ENV", usage: "end a deployment that was interrupted: finished where all of it is proven, put back otherwise",
		examples: []string{
			"promote resume prod",
			`promote resume prod --forget --reason "put right by hand"`,
		},
		flags: []cli.Flag{
			waitFlag, reasonFlag,
			&cli.BoolFlag{DisableDefaultText: true, Name: "forget", Usage: "only say in the history that it ended; for one whose folder is gone"},
		},
		run: p.resume,
	})
}

func (p *program) resume(ctx context.Context, c *cli.Context) error {
	d, err := p.prepare(c, promotion.Resume)
	if err != nil {
		return err
	}
	interrupted, err := d.LookInterrupted(ctx, c.Duration("wait"))
	if err != nil {
		return err
	}
	if interrupted == nil {
		p.screen.Answer("nothing to resume in %s", d.Environment().Name)
		return nil
	}
	p.announce(d.Config, deploy.Plans{{Plan: *interrupted}})
	follower := &follower{program: p}
	defer follower.close()
	return d.Resume(ctx, c.Bool("forget"), follower.control(c), func(id, environment string) {
		follower.close()
		p.screen.Answer("%s of %s is finished", id, environment)
	})
}

func (p *program) attachCommand() *cli.Command {
	return p.command(entry{
		name: "attach", args: "ENV [ID]", usage: "follow a deployment that goes on, or show the last one again",
		examples: []string{"promote attach prod"},
		run:      p.attach,
	})
}

func (p *program) attach(ctx context.Context, c *cli.Context) error {
	if c.NArg() < 1 || c.NArg() > 2 {
		return wrongArguments(c, "attach wants an environment, and at most one id")
	}
	client, err := p.client(c)
	if err != nil {
		return err
	}
	d, err := client.Prepare(deploy.Request{Environment: c.Args().First(), Kind: promotion.Deploy})
	if err != nil {
		return err
	}
	follower := &follower{program: p}
	done, err := d.Attach(ctx, c.Args().Get(1), follower.control(c))
	follower.close()
	if len(done) > 0 {
		err = errors.Join(err, p.answerDone(done))
	}
	return err
}

func (p *program) abortCommand() *cli.Command {
	return p.command(entry{
		name: "abort", args: "ENV", usage: "ask the deployment that goes on to stop and to put everything back",
		examples: []string{"promote abort prod"},
		run:      p.abort,
	})
}

func (p *program) abort(ctx context.Context, c *cli.Context) error {
	d, err := p.prepare(c, promotion.Deploy)
	if err != nil {
		return err
	}
	follower := &follower{program: p}
	defer follower.close()
	return d.Abort(ctx, follower.control(c), func(id, environment string) {
		follower.close()
		if id == "" {
			p.screen.Answer("nothing goes on in %s", environment)
			return
		}
		p.screen.Answer("%s was stopped, and everything is as before", id)
	})
}
