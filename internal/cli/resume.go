package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"promote/internal/host"
	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

func (p *program) resumeCommand() *cli.Command {
	return p.command(entry{
		name: "resume", args: "ENV", usage: "end a deployment that was interrupted: finished where all of it is proven, put back otherwise",
		examples: []string{"promote resume prod"},
		flags:    []cli.Flag{waitFlag},
		run: func(ctx context.Context, c *cli.Context) error {
			f, err := p.deployments(c, promotion.Resume)
			if err != nil {
				return err
			}
			err = f.each(ctx, func(ctx context.Context, _ int, d *deployment) error {
				return d.env.side.Quiet(ctx, max(c.Duration("wait"), orphans))
			})
			if err == nil {
				err = f.look(ctx)
			}
			if err != nil {
				return err
			}
			return f.resume(ctx, c)
		},
	})
}

// resume ends what was interrupted, on every host where something was.
func (f fleet) resume(ctx context.Context, c *cli.Context) error {
	var failures []error
	found := false
	for _, d := range f {
		i := d.request.State.Interrupted
		if i == nil {
			continue
		}
		if !found {
			d.announceEnd(ctx, i.ID)
		}
		found = true
		err := d.resume(ctx, c)
		if failures = append(failures, err); err == nil {
			d.screen.Answer("%s of %s is finished", i.ID, d.env.label())
		}
	}
	if !found {
		f[0].screen.Answer("nothing to resume in %s", f[0].env.Name)
	}
	return errors.Join(failures...)
}

// resume ends the interrupted deployment of the environment's state, if there is one.
func (d *deployment) resume(ctx context.Context, c *cli.Context) error {
	if d.request.State.Interrupted == nil {
		return nil
	}
	plan := promotion.Plan{
		Schema: promotion.Schema, ID: newID(time.Now()), Kind: promotion.Resume, By: d.request.By, Target: d.env.target,
	}
	plan.Target.Name = d.request.State.Project
	job := host.Job{Plan: plan, Resume: d.request.State.Interrupted.ID}
	progress := d.screen.Progress()
	defer progress.Close()
	return d.apply(ctx, job, host.Control{Wait: max(c.Duration("wait"), orphans), Stop: d.signals.following(), Tell: d.tell(progress)})
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
	id := c.Args().Get(1)
	f, err := p.forID(c)
	if err != nil {
		return err
	}
	var failures []error
	var done []promotion.Plan
	followed := false
	for n, d := range f {
		holder, err := d.env.side.Holder(ctx)
		if err != nil {
			return err
		}
		if holder == nil && id == "" && (followed || n < len(f)-1) {
			continue // it goes on elsewhere, perhaps; the last host shows its last one
		}
		followed = true
		plan, err := d.attach(ctx, id, holder)
		if failures = append(failures, err); err == nil {
			done = append(done, plan)
		}
	}
	if len(done) > 0 {
		failures = append(failures, p.answerDone(done))
	}
	return errors.Join(failures...)
}

// forID are the deployments of a command that takes ENV [ID].
func (p *program) forID(c *cli.Context) (fleet, error) {
	cfg, err := p.load(c)
	if err != nil {
		return nil, err
	}
	environments, err := p.environments(cfg, c.Args().First())
	var f fleet
	for _, env := range environments {
		f = append(f, &deployment{program: p, cfg: cfg, env: env})
	}
	return f, err
}

// attach follows the deployment with the id; without one, that which goes on, or else the last.
func (d *deployment) attach(ctx context.Context, id string, holder *journal.Holder) (plan promotion.Plan, err error) {
	if id == "" && holder != nil {
		id = holder.ID
	}
	if id == "" {
		one, err := d.find(ctx, "")
		if err != nil {
			return plan, err
		}
		id = one.ID
	}
	result, err := d.follow(ctx, id)
	if err != nil {
		return plan, err
	}
	if result.Outcome != rollout.OutcomeDone {
		return plan, &outcomeError{Result: result, host: d.env.host}
	}
	plan, _, err = d.env.side.Deployment(ctx, id)
	return plan, err
}

// follow shows a deployment to its end.
func (d *deployment) follow(ctx context.Context, id string) (rollout.Result, error) {
	progress := d.screen.Progress()
	defer progress.Close()
	return d.env.side.Follow(ctx, id, d.tell(progress))
}

func (p *program) abortCommand() *cli.Command {
	return p.command(entry{
		name: "abort", args: "ENV", usage: "ask the deployment that goes on to stop and to put everything back",
		examples: []string{"promote abort prod"},
		run: func(ctx context.Context, c *cli.Context) error {
			f, err := p.deployments(c, promotion.Deploy)
			if err != nil {
				return err
			}
			return f.abort(ctx)
		},
	})
}

// abort stops what goes on, on every host.
func (f fleet) abort(ctx context.Context) error {
	var failures []error
	for _, d := range f {
		holder, err := d.env.side.Holder(ctx)
		if err == nil && holder != nil {
			err = d.abort(ctx, holder.ID)
		} else if err == nil {
			d.screen.Answer("nothing goes on in %s", d.env.label())
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// abort stops a deployment and waits for what becomes of it.
func (d *deployment) abort(ctx context.Context, id string) error {
	if err := d.env.side.Stop(ctx, id); err != nil {
		return err
	}
	result, err := d.follow(ctx, id)
	switch {
	case err != nil:
		return err
	case result.Outcome == rollout.OutcomeDone:
		return fmt.Errorf("%s was done before it could be stopped", id)
	case result.Outcome == rollout.OutcomeStuck:
		return &outcomeError{Result: result, host: d.env.host}
	}
	d.screen.Answer("%s was stopped, and everything is as before", id)
	return nil
}

// placeText is a place in a file as editors understand it.
func placeText(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }
