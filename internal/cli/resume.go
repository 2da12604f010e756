package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"promote/internal/host"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

func (p *program) resumeCommand() *cli.Command {
	return p.command(entry{
		name: "resume", args: "ENV", usage: "end a deployment that was interrupted: finished where all of it is proven, put back otherwise",
		examples: []string{"promote resume prod"},
		flags:    []cli.Flag{waitFlag},
		run: func(ctx context.Context, c *cli.Context) error {
			d, err := p.deployment(ctx, c, promotion.Resume)
			if err != nil {
				return err
			}
			if err := d.env.side.Quiet(ctx, max(c.Duration("wait"), orphans)); err != nil {
				return err
			}
			if d.request.State, err = d.env.side.State(ctx); err != nil {
				return err
			}
			if d.request.State.Interrupted == nil {
				p.screen.Answer("nothing to resume in %s", d.env.Name)
				return nil
			}
			if err := d.resume(ctx, c); err != nil {
				return err
			}
			p.screen.Answer("%s of %s is finished", d.request.State.Interrupted.ID, d.env.Name)
			return nil
		},
	})
}

// resume ends the interrupted deployment of the environment's state.
func (d *deployment) resume(ctx context.Context, c *cli.Context) error {
	plan := promotion.Plan{
		Schema: promotion.Schema, ID: newID(time.Now()), Kind: promotion.Resume, By: d.request.By, Target: d.env.target,
	}
	plan.Target.Name = d.request.State.Project
	job := host.Job{Plan: plan, Resume: d.request.State.Interrupted.ID}
	return d.program.apply(ctx, d.env, job, max(c.Duration("wait"), orphans))
}

// orphans is how long commands that a killed worker had started may go on, holding the lock.
const orphans = 30 * time.Second

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
	cfg, err := p.load(c)
	if err != nil {
		return err
	}
	env, err := p.environment(cfg, c.Args().First())
	if err != nil {
		return err
	}
	d := &deployment{program: p, cfg: cfg, env: env}
	id, err := d.current(ctx, c.Args().Get(1))
	if err != nil {
		return err
	}
	progress := p.screen.Progress()
	result, err := env.side.Follow(ctx, id, progress.Event)
	progress.Close()
	if err == nil && result.Outcome != rollout.OutcomeDone {
		return &outcomeError{result}
	}
	return err
}

func (p *program) abortCommand() *cli.Command {
	return p.command(entry{
		name: "abort", args: "ENV", usage: "ask the deployment that goes on to stop and to put everything back",
		examples: []string{"promote abort prod"},
		run: func(ctx context.Context, c *cli.Context) error {
			d, err := p.deployment(ctx, c, promotion.Deploy)
			if err != nil {
				return err
			}
			holder, err := d.env.side.Holder(ctx)
			if err != nil {
				return err
			}
			if holder == nil {
				p.screen.Answer("nothing goes on in %s", d.env.Name)
				return nil
			}
			return d.abort(ctx, holder.ID)
		},
	})
}

// abort stops a deployment and waits for what becomes of it.
func (d *deployment) abort(ctx context.Context, id string) error {
	if err := d.env.side.Stop(ctx, id); err != nil {
		return err
	}
	progress := d.screen.Progress()
	result, err := d.env.side.Follow(ctx, id, progress.Event)
	progress.Close()
	switch {
	case err != nil:
		return err
	case result.Outcome == rollout.OutcomeDone:
		return fmt.Errorf("%s was done before it could be stopped", id)
	case result.Outcome == rollout.OutcomeStuck:
		return &outcomeError{result}
	}
	d.screen.Answer("%s was stopped, and everything is as before", id)
	return nil
}

// current is the deployment with the id; without one, that which goes on, or else the last.
func (d *deployment) current(ctx context.Context, id string) (string, error) {
	holder, err := d.env.side.Holder(ctx)
	if err == nil && id == "" && holder != nil {
		return holder.ID, nil
	}
	if err != nil {
		return "", err
	}
	one, err := d.find(ctx, id)
	return one.ID, err
}

// placeText is a place in a file as editors understand it.
func placeText(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }
