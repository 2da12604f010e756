package deploy

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"promote/internal/config"
	"promote/internal/promotion"
	"promote/internal/release"
	"promote/internal/rollout"
)

// EnvironmentChecks are the checks of an environment, on one machine.
type EnvironmentChecks struct {
	Environment string          `json:"environment"`
	Checks      []rollout.Check `json:"checks"`
}

// Checkup looks at all that a deployment to an environment will need, from here and from each of its hosts.
func (c *Client) Checkup(ctx context.Context, name string) []EnvironmentChecks {
	environments, err := c.Connections.Open(c.Config, name)
	if err != nil {
		return []EnvironmentChecks{{Environment: name, Checks: []rollout.Check{rollout.CheckOf("environment", err)}}}
	}
	first := environments[0]
	there := make([]EnvironmentChecks, len(environments))
	var registry, upstream []rollout.Check
	var group sync.WaitGroup
	for i, env := range environments {
		group.Go(func() {
			there[i] = EnvironmentChecks{Environment: env.Label(), Checks: c.checkHost(ctx, env)}
		})
	}
	group.Go(func() { registry = c.checkRegistry(ctx, first.Target) })
	if first.From != "" {
		group.Go(func() { upstream = []rollout.Check{c.checkUpstream(ctx, first.From)} })
	}
	group.Wait()
	there[0].Checks = slices.Concat(there[0].Checks, registry, upstream)
	return there
}

// checkHost has the environment's machine look at itself.
func (c *Client) checkHost(ctx context.Context, env *Environment) []rollout.Check {
	var images []string
	for _, s := range env.Target.Services {
		images = append(images, s.Image)
	}
	credentials, err := c.pullCredentials(ctx, env, images)
	if err != nil {
		return []rollout.Check{rollout.CheckOf("credentials", err)}
	}
	there, err := env.Side.Checkup(ctx, headers(credentials))
	if err != nil {
		return []rollout.Check{rollout.CheckOf("environment", err)}
	}
	return slices.Concat(there.Checks, c.checkCredentials(env, credentials), []rollout.Check{checkClock(there.Now, time.Now())})
}

// skew is by how much the clocks of two machines may differ: what happened where is told by them.
const skew = 5 * time.Second

func checkClock(there, here time.Time) rollout.Check {
	off := here.Sub(there).Abs()
	if off > skew {
		return rollout.Check{
			Name: "clock", State: rollout.Warning, Advice: "timedatectl set-ntp true",
			Text: fmt.Sprintf("its clock and the one here are %s apart", off.Round(time.Second)),
		}
	}
	return rollout.Check{Name: "clock", State: rollout.Fine, Text: "its clock and the one here agree"}
}

// checkRegistry asks the registry for the versions of every service, as deploying will.
func (c *Client) checkRegistry(ctx context.Context, target promotion.Target) []rollout.Check {
	checks := make([]rollout.Check, len(target.Services))
	var group sync.WaitGroup
	for i, service := range target.Services {
		group.Go(func() {
			s, err := c.Config.Service(service.Name)
			if err != nil {
				checks[i] = rollout.CheckOf("registry", err)
				return
			}
			checks[i] = c.checkVersions(ctx, s)
		})
	}
	group.Wait()
	return checks
}

func (c *Client) checkVersions(ctx context.Context, s *config.Service) rollout.Check {
	versions, err := release.PublishedVersions(ctx, c.Registry, s)
	switch {
	case err != nil:
		return rollout.CheckOf("registry", err)
	case len(versions) == 0:
		return rollout.Check{Name: "registry", State: rollout.Warning, Text: s.Image + " has no published version yet", Advice: "promote publish " + s.Name}
	}
	return rollout.Check{Name: "registry", State: rollout.Fine, Text: fmt.Sprintf("the versions of %s can be listed from here (%d)", s.Image, len(versions))}
}

// checkUpstream looks whether the environment that releases come from can be asked.
func (c *Client) checkUpstream(ctx context.Context, name string) rollout.Check {
	if _, err := c.States(ctx, name); err != nil {
		return rollout.CheckOf("from "+name, err)
	}
	return rollout.Check{Name: "from " + name, State: rollout.Fine, Text: name + " can be asked for what it verified"}
}
