package cli

import (
	"context"

	"github.com/urfave/cli/v2"

	"promote/internal/promotion"
)

func (p *program) unpinCommand() *cli.Command {
	return p.command(entry{
		name: "unpin", args: "ENV [SERVICE…]", usage: "end holds, so that deploy moves the service again",
		examples: []string{"promote unpin prod core", "promote unpin prod            every hold there"},
		flags:    []cli.Flag{dryRunFlag, reasonFlag},
		run: func(ctx context.Context, c *cli.Context) error {
			return p.marking(ctx, c, "unpin", "no longer held", func(d *deployment, s promotion.ServiceState) (promotion.Mark, bool) {
				hold := promotion.Hold(s.Marks, d.request.State.Now)
				return promotion.Mark{Service: s.Service, Kind: promotion.Freed}, hold != nil
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
			return p.marking(ctx, c, "verify", "verified", func(d *deployment, s promotion.ServiceState) (promotion.Mark, bool) {
				present := s.Present(d.template(s.Service))
				runs := d.env.target.Engine == promotion.EngineNone || s.Up()
				if !runs {
					p.screen.Say("%s %s is not up, so it can't be verified", d.env.Name, s.Service)
				}
				return promotion.Mark{Service: s.Service, Kind: promotion.Verified, Release: present}, runs && !promotion.Proven(s.Marks, present)
			})
		},
	})
}

// marking adds a mark to each named service that wants one, or to all. It waits for no lock: a mark is
// one line in the history.
func (p *program) marking(ctx context.Context, c *cli.Context, kind, done string, mark func(*deployment, promotion.ServiceState) (promotion.Mark, bool)) error {
	d, err := p.deployment(ctx, c, promotion.Deploy)
	if err != nil {
		return err
	}
	if d.request.State, err = d.env.side.State(ctx); err != nil {
		return err
	}
	var marks []promotion.Mark
	for _, s := range d.request.State.Services {
		if !d.names(s.Service) || s.Absent {
			continue
		}
		if m, wanted := mark(d, s); wanted {
			marks = append(marks, m)
		}
	}
	if len(marks) == 0 {
		p.screen.Answer("nothing to do")
		return nil
	}
	if !c.Bool("dry-run") {
		if err := d.env.side.Mark(ctx, kind, d.request.By, d.request.Reason, marks); err != nil {
			return err
		}
	}
	if p.screen.JSON {
		return p.screen.Object(map[string]any{"schema": promotion.Schema, "marks": marks})
	}
	for _, m := range marks {
		p.screen.Answer("%s %s: %s", d.env.Name, m.Service, done)
	}
	return nil
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
