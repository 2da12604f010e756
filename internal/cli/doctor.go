package cli

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/internal/ui"
	"promote/registry"
)

func (p *program) doctorCommand() *cli.Command {
	return p.command(entry{
		name: "doctor", args: "[ENV…]", usage: "look beforehand at everything that a deployment will need, and change nothing",
		examples: []string{"promote doctor prod", "promote doctor --json  exit code 1 when something is missing"},
		run:      p.doctor,
	})
}

func (p *program) doctor(ctx context.Context, c *cli.Context) error {
	cfg, names, err := p.loadNamed(c)
	if err != nil {
		return err
	}
	answer := ui.Examination{Schema: promotion.Schema}
	for _, name := range names {
		answer.Environments = append(answer.Environments, p.examine(ctx, cfg, name)...)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if err := p.screen.Examination(answer); err != nil {
		return err
	}
	if answer.Failed() > 0 {
		return &quietError{exitFailed}
	}
	return nil
}

// examine looks at one environment, from here and from each of its hosts.
func (p *program) examine(ctx context.Context, cfg *config.Config, name string) []ui.EnvironmentChecks {
	environments, err := p.environments(cfg, name)
	if err != nil {
		return []ui.EnvironmentChecks{{Environment: name, Checks: []rollout.Check{rollout.CheckOf("environment", err)}}}
	}
	first := environments[0]
	there := make([]ui.EnvironmentChecks, len(environments))
	var registry, upstream []rollout.Check
	var group sync.WaitGroup
	for i, env := range environments {
		group.Go(func() {
			there[i] = ui.EnvironmentChecks{Environment: env.label(), Checks: p.examineThere(ctx, env)}
		})
	}
	group.Go(func() { registry = p.examineRegistry(ctx, cfg, first) })
	if first.From != "" {
		group.Go(func() { upstream = []rollout.Check{p.examineUpstream(ctx, cfg, first.From)} })
	}
	group.Wait()
	there[0].Checks = slices.Concat(there[0].Checks, registry, upstream)
	return there
}

// examineThere has the environment's machine look at itself.
func (p *program) examineThere(ctx context.Context, env *environment) []rollout.Check {
	var images []string
	for _, s := range env.target.Services {
		images = append(images, s.Image)
	}
	credentials, err := p.credentials(ctx, images)
	if err != nil {
		return []rollout.Check{rollout.CheckOf("credentials", err)}
	}
	there, err := env.side.Checkup(ctx, credentials)
	if err != nil {
		return []rollout.Check{rollout.CheckOf("environment", err)}
	}
	return append(there.Checks, clockCheck(there.Now, time.Now()))
}

// skew is by how much the clocks of two machines may differ: what happened where is told by them.
const skew = 5 * time.Second

func clockCheck(there, here time.Time) rollout.Check {
	off := here.Sub(there).Abs()
	if off > skew {
		return rollout.Check{
			Name: "clock", State: rollout.Warning, Advice: "timedatectl set-ntp true",
			Text: fmt.Sprintf("its clock and the one here are %s apart", off.Round(time.Second)),
		}
	}
	return rollout.Check{Name: "clock", State: rollout.Fine, Text: "its clock and the one here agree"}
}

// examineRegistry asks the registry for the versions of every service, as deploying will.
func (p *program) examineRegistry(ctx context.Context, cfg *config.Config, env *environment) []rollout.Check {
	client := p.registry()
	checks := make([]rollout.Check, len(env.target.Services))
	var group sync.WaitGroup
	for i, target := range env.target.Services {
		group.Go(func() {
			s, err := cfg.Service(target.Name)
			if err != nil {
				checks[i] = rollout.CheckOf("registry", err)
				return
			}
			checks[i] = registryCheck(ctx, client, s)
		})
	}
	group.Wait()
	return checks
}

func registryCheck(ctx context.Context, client *registry.Client, s *config.Service) rollout.Check {
	versions, err := published(ctx, client, s)
	switch {
	case err != nil:
		return rollout.CheckOf("registry", err)
	case len(versions) == 0:
		return rollout.Check{Name: "registry", State: rollout.Warning, Text: s.Image + " has no published version yet", Advice: "promote publish " + s.Name}
	}
	return rollout.Check{Name: "registry", State: rollout.Fine, Text: fmt.Sprintf("the versions of %s can be listed from here (%d)", s.Image, len(versions))}
}

// examineUpstream looks whether the environment that releases come from can be asked.
func (p *program) examineUpstream(ctx context.Context, cfg *config.Config, name string) rollout.Check {
	if _, err := p.states(ctx, cfg, name); err != nil {
		return rollout.CheckOf("from "+name, err)
	}
	return rollout.Check{Name: "from " + name, State: rollout.Fine, Text: name + " can be asked for what it verified"}
}
