package deploy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"promote/internal/config"
	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/registry"
)

// wayBackPatience is how long a registry may take with a token where the images are there already, mostly: going
// back needs no registry, and must not wait for one that hangs.
const wayBackPatience = 3 * time.Second

// planCredentials are those for the images of a plan. On the way back they are left out where the registry gives
// none: the engine says so if it has to pull after all.
func (h *HostDeployment) planCredentials(ctx context.Context, plan promotion.Plan) (map[string]string, error) {
	var images []string
	for _, m := range plan.Moves {
		images = append(images, m.Image)
	}
	if plan.Kind != promotion.Rollback && plan.Kind != promotion.Pin {
		found, err := h.pullCredentials(ctx, h.Env, images)
		return headers(found), err
	}
	patient, cancel := context.WithTimeout(ctx, wayBackPatience)
	defer cancel()
	found, err := h.pullCredentials(patient, h.Env, images)
	if err != nil {
		return nil, ctx.Err()
	}
	return headers(found), nil
}

// headers are credentials as an engine takes them, by repository.
func headers(found map[string]registry.Credentials) map[string]string {
	list := map[string]string{}
	for image, credentials := range found {
		if !credentials.Anonymous() {
			list[image] = credentials.Header()
		}
	}
	return list
}

// pullCredentials are what an environment's engine needs to pull images, by repository, in memory only. All are
// asked for side by side.
func (c *Client) pullCredentials(ctx context.Context, env *Environment, images []string) (map[string]registry.Credentials, error) {
	images = slices.Compact(slices.Sorted(slices.Values(images)))
	list := make([]registry.Credentials, len(images))
	group, ctx := errgroup.WithContext(ctx)
	for i, image := range images {
		group.Go(func() (err error) { list[i], err = c.credentialsFor(ctx, env, image); return err })
	}
	err := group.Wait()
	found := map[string]registry.Credentials{}
	for i, image := range images {
		found[image] = list[i]
	}
	return found, err
}

// credentialsFor are the least that an engine can pull an image with: the login that promote.yaml has for it, or a
// token. An engine here is on the machine that has the login anyway, and the nodes of a swarm pull again when no
// token is good any more.
func (c *Client) credentialsFor(ctx context.Context, env *Environment, image string) (registry.Credentials, error) {
	if len(env.Hosts) == 0 {
		return c.Registry.Credentials(ctx, image)
	}
	login, err := c.pullLogin(image)
	switch {
	case err != nil:
		return registry.Credentials{}, err
	case login == nil && env.Target.Engine == promotion.EngineSwarm:
		return c.Registry.Credentials(ctx, image)
	case login == nil:
		return c.Registry.PullCredentials(ctx, image)
	case len(login.Unset) > 0:
		return registry.Credentials{}, &unsetLoginError{login}
	}
	return registry.LoginFor(image, login.Username, login.Password)
}

// pullLogin is the login that promote.yaml has for pulling an image, or nil.
func (c *Client) pullLogin(image string) (*config.PullLogin, error) {
	host, err := registry.HostOf(image)
	for i := range c.Config.Registry.Pull {
		if login := &c.Config.Registry.Pull[i]; login.Registry == host {
			return login, err
		}
	}
	return nil, err
}

// unsetLoginError is a pull login whose variables are not set here.
type unsetLoginError struct{ login *config.PullLogin }

func (e *unsetLoginError) Error() string {
	return fmt.Sprintf("%s: the pull login for %s needs what is not set in the environment, or empty: %s",
		e.login.Place, e.login.Registry, strings.Join(e.login.Unset, ", "))
}

// Hint says what to do first.
func (e *unsetLoginError) Hint() string { return "export " + e.login.Unset[0] + "=…" }

// checkCredentials says what a host learns of the logins here.
func (c *Client) checkCredentials(env *Environment, found map[string]registry.Credentials) []rollout.Check {
	var checks []rollout.Check
	told := map[string]bool{}
	for _, image := range slices.Sorted(maps.Keys(found)) {
		login, _ := c.pullLogin(image)
		credentials := found[image]
		if login != nil || len(env.Hosts) == 0 || !credentials.IsLogin() || told[credentials.Registry] {
			continue
		}
		told[credentials.Registry] = true
		why := "it gives no tokens"
		if env.Target.Engine == promotion.EngineSwarm {
			why = "its nodes pull again later"
		}
		checks = append(checks, rollout.Check{
			Name: "credentials", State: rollout.Warning,
			Text:   fmt.Sprintf("it is sent the login for %s itself, since %s", credentials.Registry, why),
			Advice: "name one that can only pull in promote.yaml: registry: {pull: [{registry, username, password}]}",
		})
	}
	return checks
}
