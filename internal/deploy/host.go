package deploy

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"promote/internal/host"
	"promote/internal/promotion"
	"promote/internal/release"
	"promote/internal/rollout"
	"promote/registry"
)

// HostDeployment is a deployment as far as one host of the environment goes.
type HostDeployment struct {
	*Client
	Env     *Environment
	Request promotion.Request
}

// plan looks at the environments and the registry, and has the plan made. State and registry are asked side by
// side.
func (h *HostDeployment) plan(ctx context.Context) (promotion.Plan, error) {
	if err := h.lookAround(ctx); err != nil {
		return promotion.Plan{}, err
	}
	if i := h.Request.State.Interrupted; i != nil {
		return promotion.Plan{}, &InterruptedError{h.Env, i}
	}
	if err := h.lookUpVersions(ctx); err != nil {
		return promotion.Plan{}, err
	}
	choices, err := promotion.Choose(h.Request)
	if err != nil {
		return promotion.Plan{}, err
	}
	if err := h.resolveDigests(ctx, choices); err != nil {
		return promotion.Plan{}, err
	}
	if err := h.compareFiles(ctx, choices); err != nil {
		return promotion.Plan{}, err
	}
	return promotion.New(h.Request, choices)
}

// lookAround asks this environment and the one upstream for their state, and already has the registry say what is
// published where that will be needed.
func (h *HostDeployment) lookAround(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { h.Request.State, err = h.Env.Side.State(ctx); return err })
	if h.Env.From != "" && h.Request.Kind != promotion.Rollback {
		group.Go(func() error {
			upstream, err := h.States(ctx, h.Env.From)
			if err == nil {
				state := promotion.Agree(upstream)
				h.Request.Upstream = &state
			}
			return err
		})
	} else if h.Request.Kind == promotion.Deploy {
		group.Go(func() error { return h.lookUpVersions(ctx) })
	}
	return group.Wait()
}

// lookUpVersions asks the registry for the published versions that choosing needs, side by side, once.
func (h *HostDeployment) lookUpVersions(ctx context.Context) error {
	if h.Request.Published != nil {
		return nil
	}
	services := promotion.Lookups(h.Request)
	found := make([][]registry.TaggedVersion, len(services))
	group, ctx := errgroup.WithContext(ctx)
	for i, name := range services {
		group.Go(func() error {
			s, err := h.Config.Service(name)
			if err != nil {
				return err
			}
			found[i], err = release.PublishedVersions(ctx, h.Registry, s)
			return err
		})
	}
	err := group.Wait()
	h.Request.Published = map[string][]registry.TaggedVersion{}
	for i, name := range services {
		h.Request.Published[name] = found[i]
	}
	return err
}

// resolveDigests asks the registry for the digests of the chosen tags that nobody knows yet, and for those that
// only the upstream environment vouches for.
func (h *HostDeployment) resolveDigests(ctx context.Context, choices []promotion.Choice) error {
	group, ctx := errgroup.WithContext(ctx)
	for i := range choices {
		c := &choices[i]
		switch {
		case c.Skip != "":
		case c.Release.Digest == "":
			group.Go(func() (err error) {
				c.Release.Digest, err = h.Registry.Digest(ctx, c.Service.Image, c.Release.Tag)
				c.Tagged = &promotion.Tagged{Digest: c.Release.Digest}
				return err
			})
		case h.Request.Unvouched(*c):
			group.Go(func() (err error) { c.Tagged, err = h.askTag(ctx, c); return err })
		}
	}
	return group.Wait()
}

// askTag asks the registry what the tag of a choice is. Who only looks is told that it could not say.
func (h *HostDeployment) askTag(ctx context.Context, c *promotion.Choice) (*promotion.Tagged, error) {
	if c.Release.Tag == "" {
		return &promotion.Tagged{}, nil
	}
	digest, err := h.Registry.Digest(ctx, c.Service.Image, c.Release.Tag)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return &promotion.Tagged{}, nil
	case err != nil && h.Request.Look && ctx.Err() == nil:
		return &promotion.Tagged{Err: err}, nil
	}
	return &promotion.Tagged{Digest: digest}, err
}

// States asks all hosts of an environment for their state, side by side.
func (c *Client) States(ctx context.Context, name string) ([]promotion.State, error) {
	environments, err := c.Connections.Open(c.Config, name)
	if err != nil {
		return nil, err
	}
	states := make([]promotion.State, len(environments))
	group, ctx := errgroup.WithContext(ctx)
	for i, env := range environments {
		group.Go(func() (err error) { states[i], err = env.Side.State(ctx); return err })
	}
	return states, group.Wait()
}

// service is the target's service of that name.
func (h *HostDeployment) service(name string) promotion.Service {
	for _, s := range h.Env.Target.Services {
		if s.Name == name {
			return s
		}
	}
	return promotion.Service{}
}

// wanted is what was said of a service.
func (h *HostDeployment) wanted(service string) promotion.Want {
	for _, w := range h.Request.Wanted {
		if w.Service == service {
			return w
		}
	}
	return promotion.Want{Service: service}
}

// isMeant reports whether the deployment is about a service.
func (h *HostDeployment) isMeant(service string) bool {
	for _, w := range h.Request.Wanted {
		if w.Service == service {
			return true
		}
	}
	return len(h.Request.Wanted) == 0
}

// job is a plan with what the host side needs to carry it out.
func (h *HostDeployment) job(ctx context.Context, plan promotion.Plan) (host.Job, error) {
	credentials, err := h.planCredentials(ctx, plan)
	return host.Job{Plan: plan, Credentials: credentials}, err
}

// apply follows a job on the host side to its end.
func (h *HostDeployment) apply(ctx context.Context, job host.Job, control host.Control) error {
	following, detach := context.WithCancel(context.WithoutCancel(ctx))
	defer detach()
	defer context.AfterFunc(ctx, detach)()
	result, err := h.Env.Side.Apply(following, job, control)
	switch {
	case errors.Is(err, host.ErrDetached):
		return &DetachedError{h.Env.Name, err}
	case err != nil:
		return err
	case result.Outcome != rollout.OutcomeDone:
		return &OutcomeError{Result: result, Host: h.Env.Host}
	}
	return nil
}

// putBack deploys what the host was on before a plan.
func (h *HostDeployment) putBack(ctx context.Context, plan promotion.Plan, control host.Control) error {
	state, err := h.Env.Side.State(ctx)
	if err != nil {
		return fmt.Errorf("%s could not be put back: %w", h.Env.Label(), err)
	}
	request := h.Request
	request.ID, request.State, request.Reason = plan.ID+"-back", state, "another host failed"
	request, choices := promotion.Back(request, plan)
	back, err := promotion.New(request, choices)
	if err != nil {
		return fmt.Errorf("%s could not be put back: %w", h.Env.Label(), err)
	}
	job, err := h.job(ctx, back)
	if err == nil {
		err = h.apply(ctx, job, control)
	}
	if err != nil {
		return fmt.Errorf("%s could not be put back: %w", h.Env.Label(), err)
	}
	return nil
}
