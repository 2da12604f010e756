package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/urfave/cli/v2"

	"promote/internal/promotion"
	"promote/internal/ui"
)

func (p *program) unpinCommand() *cli.Command {
	return p.command(entry{
		name: "unpin", args: "ENV [SERVICE…]", usage: "end holds, so that deploy moves the service again",
		examples: []string{"promote unpin prod core", "promote unpin prod            every hold there"},
		flags:    []cli.Flag{dryRunFlag, reasonFlag},
		run: func(ctx context.Context, c *cli.Context) error {
			return p.marking(ctx, c, "unpin", func(d *deployment, s promotion.ServiceState) ([]promotion.Mark, error) {
				if promotion.Hold(s.Marks, d.request.State.Now) == nil {
					return nil, nil
				}
				return []promotion.Mark{{Service: s.Service, Kind: promotion.Freed}}, nil
			})
		},
	})
}

func (p *program) verifyCommand() *cli.Command {
	return p.command(entry{
		name: "verify", args: "ENV [SERVICE…]", usage: "say that what runs there was looked at and is good",
		examples: []string{`promote verify staging core --reason "clicked through it"`},
		flags:    []cli.Flag{dryRunFlag, reasonFlag},
		run: func(ctx context.Context, c *cli.Context) error {
			return p.marking(ctx, c, "verify", func(d *deployment, s promotion.ServiceState) ([]promotion.Mark, error) {
				present := s.Present(d.service(s.Service).Tag)
				if d.env.target.Engine != promotion.EngineNone && !s.Up() {
					p.screen.Say("%s %s is not up, so it can't be verified", d.env.label(), s.Service)
					return nil, nil
				}
				if promotion.Proven(s.Marks, present) {
					return nil, nil
				}
				return []promotion.Mark{{Service: s.Service, Kind: promotion.Verified, Release: present}}, nil
			})
		},
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
		run:   p.judging("block", promotion.Bad),
	})
}

func (p *program) unblockCommand() *cli.Command {
	return p.command(entry{
		name: "unblock", args: "ENV SERVICE@VERSION…", usage: "let a release be deployed again that was blocked or rolled back",
		examples: []string{`promote unblock prod core@v1.5.0 --reason "it was the database"`},
		flags:    []cli.Flag{dryRunFlag, reasonFlag},
		run:      p.judging("unblock", promotion.Cleared),
	})
}

// judging marks the named releases as bad, or as bad no longer, where they are not so already.
func (p *program) judging(name string, mark promotion.MarkKind) func(context.Context, *cli.Context) error {
	return func(ctx context.Context, c *cli.Context) error {
		if c.NArg() < 2 {
			return wrongArguments(c, "%s which release?", name)
		}
		return p.marking(ctx, c, name, func(d *deployment, s promotion.ServiceState) ([]promotion.Mark, error) {
			release := promotion.Known(s, d.service(s.Service).Tag, d.want(s.Service))
			if bad := promotion.IsBad(s.Marks, release) != nil; bad == (mark == promotion.Bad) {
				return nil, nil
			}
			return []promotion.Mark{{Service: s.Service, Kind: mark, Release: release}}, nil
		})
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
		run:   p.approve,
	})
}

// approve marks what a deployment would move.
func (p *program) approve(ctx context.Context, c *cli.Context) error {
	f, err := p.deployments(c, promotion.Deploy)
	if err != nil {
		return err
	}
	for _, d := range f {
		d.request.Look = true
	}
	plans, err := f.plan(ctx)
	if err != nil {
		return err
	}
	marks := make([][]promotion.Mark, len(f))
	for i, plan := range plans {
		for _, m := range plan.Moves {
			marks[i] = append(marks[i], promotion.Mark{Service: m.Service, Kind: promotion.Approved, Release: m.To})
		}
	}
	return f.leave(ctx, c, "approve", marks)
}

// want is what the command line says of a service.
func (d *deployment) want(service string) promotion.Want {
	for _, w := range d.request.Wanted {
		if w.Service == service {
			return w
		}
	}
	return promotion.Want{Service: service}
}

func (p *program) adoptCommand() *cli.Command {
	return p.command(entry{
		name: "adopt", args: "ENV [SERVICE…]", usage: "take what runs there into the history as it is, so that a rollback has somewhere to go",
		examples: []string{
			"promote adopt prod                what was deployed by hand until today",
			`promote adopt prod core --reason "hotfix by hand"`,
		},
		flags: []cli.Flag{dryRunFlag, reasonFlag},
		run: func(ctx context.Context, c *cli.Context) error {
			return p.marking(ctx, c, string(promotion.Adopt), func(d *deployment, s promotion.ServiceState) ([]promotion.Mark, error) {
				if state := d.request.State; state.Interrupted != nil {
					return nil, &interruptedError{d.env, state.Interrupted}
				}
				return promotion.Adoption(d.env.target, d.service(s.Service), s, promotion.Hold(s.Marks, d.request.State.Now))
			})
		},
	})
}

// marking adds marks to each named service that wants some, or to all, on every host. Nothing is marked
// when one of them refuses. It waits for no lock: marks are one line in the history.
func (p *program) marking(ctx context.Context, c *cli.Context, kind string, choose func(*deployment, promotion.ServiceState) ([]promotion.Mark, error)) error {
	f, err := p.deployments(c, promotion.Deploy)
	if err != nil {
		return err
	}
	if err := f.look(ctx); err != nil {
		return err
	}
	marks := make([][]promotion.Mark, len(f))
	var failures []error
	for i, d := range f {
		marks[i], err = d.choose(choose)
		failures = append(failures, err)
	}
	if err := errors.Join(failures...); err != nil {
		return err
	}
	return f.leave(ctx, c, kind, marks)
}

// look asks every host for its state.
func (f fleet) look(ctx context.Context) error {
	return f.each(ctx, func(ctx context.Context, _ int, d *deployment) (err error) {
		d.request.State, err = d.env.side.State(ctx)
		return err
	})
}

// leave writes marks into the history of each host, and answers with them.
func (f fleet) leave(ctx context.Context, c *cli.Context, kind string, marks [][]promotion.Mark) error {
	screen := f[0].screen
	all := slices.Concat(marks...)
	err := f.each(ctx, func(ctx context.Context, i int, d *deployment) error {
		if len(marks[i]) == 0 || c.Bool("dry-run") {
			return nil
		}
		return d.env.side.Mark(ctx, kind, d.request.Reason, marks[i])
	})
	switch {
	case err != nil:
		return err
	case screen.JSON:
		return screen.Object(map[string]any{"schema": promotion.Schema, "marks": append([]promotion.Mark{}, all...)})
	case len(all) == 0:
		screen.Answer("nothing to do")
	}
	for i, d := range f {
		for _, m := range marks[i] {
			screen.Answer("%s %s", d.env.label(), ui.MarkText(m))
		}
	}
	return nil
}

// choose asks for the marks of every service that is meant.
func (d *deployment) choose(choose func(*deployment, promotion.ServiceState) ([]promotion.Mark, error)) ([]promotion.Mark, error) {
	var marks []promotion.Mark
	var failures []error
	for _, s := range d.request.State.Services {
		if !d.names(s.Service) || s.Absent {
			continue
		}
		more, err := choose(d, s)
		marks, failures = append(marks, more...), append(failures, err)
	}
	return marks, errors.Join(failures...)
}

// names reports whether the command line means the service.
func (d *deployment) names(service string) bool {
	for _, w := range d.request.Wanted {
		if w.Service == service {
			return true
		}
	}
	return len(d.request.Wanted) == 0
}
