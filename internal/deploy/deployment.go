package deploy

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"promote/internal/config"
	"promote/internal/host"
	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/registry"
)

// Client is what everything that is done with environments has in common.
type Client struct {
	Config      *config.Config
	Connections *Connections
	Registry    *registry.Client
	By          string   // who does it, from where
	Environ     []string // of the commands that run on this machine
}

// Request is what somebody wants of an environment.
type Request struct {
	Environment string
	Kind        promotion.Kind
	Services    []string // SERVICE[@VERSION], as it was typed; a version alone where there is one service
	Reason      string
	Look        bool // nothing will be deployed
	promotion.Options
}

// Deployment is what somebody wants of an environment, on every host of it; mostly that is one.
type Deployment struct {
	*Client
	Hosts []*HostDeployment
}

// Control is how somebody follows a deployment, and speaks to it.
type Control struct {
	Wait   time.Duration                      // for the lock
	Follow func() (stop <-chan struct{})      // called when a host is about to begin: closing what it returns has everything put back
	Tell   func(host string, e rollout.Event) // every event, in order
	Say    func(text string)                  // what is no event of a host's
}

// Prepare opens the environment and reads what is wanted of it. No host is asked anything yet.
func (c *Client) Prepare(r Request) (*Deployment, error) {
	environments, err := c.Connections.Open(c.Config, r.Environment)
	if err != nil {
		return nil, err
	}
	wanted, err := parseWants(environments[0].Target, r.Services)
	if err != nil {
		return nil, err
	}
	d := &Deployment{Client: c}
	id := NewID(time.Now())
	for _, env := range environments {
		d.Hosts = append(d.Hosts, &HostDeployment{Client: c, Env: env, Request: promotion.Request{
			Kind: r.Kind, ID: id, By: c.By, Reason: r.Reason, Target: env.Target, Wanted: wanted,
			Options: r.Options, Policy: policyOf(env.Environment), Look: r.Look,
		}})
	}
	return d, nil
}

// NewID is a deployment's: UTC time and three random characters.
func NewID(now time.Time) string {
	return now.UTC().Format("20060102-150405") + "-" + strings.ToLower(rand.Text()[:3])
}

// policyOf is what an environment wants of a release.
func policyOf(e *config.Environment) promotion.Policy {
	policy := promotion.Policy{Soak: e.Soak, Approval: e.Protected}
	for _, w := range e.Closed {
		policy.Closed = append(policy.Closed, promotion.Window(w))
	}
	return policy
}

func parseWants(t promotion.Target, args []string) ([]promotion.Want, error) {
	var wants []promotion.Want
	for _, arg := range args {
		w, err := parseWant(t, arg)
		if err != nil {
			return nil, err
		}
		wants = append(wants, w)
	}
	return wants, nil
}

func parseWant(t promotion.Target, arg string) (promotion.Want, error) {
	isService := strings.Contains(arg, "@")
	var names []string
	for _, s := range t.Services {
		isService = isService || s.Name == arg
		names = append(names, s.Name)
	}
	if isService {
		return promotion.ParseWant(arg)
	}
	if len(names) == 1 {
		return promotion.Want{Service: names[0]}.At(arg)
	}
	return promotion.Want{}, &UsageError{
		Text:   fmt.Sprintf("%q is no service of %s; there are %s", arg, t.Environment, strings.Join(names, ", ")),
		Advice: "name the service with the version: SERVICE@VERSION",
	}
}

// ID is the deployment's, on every host.
func (d *Deployment) ID() string { return d.Hosts[0].Request.ID }

// Environment is the deployment's, as promote.yaml has it.
func (d *Deployment) Environment() *config.Environment { return d.Hosts[0].Env.Environment }

// first is the host that does what is to be done once.
func (d *Deployment) first() *HostDeployment { return d.Hosts[0] }

// each does something on every host, side by side.
func (d *Deployment) each(ctx context.Context, do func(context.Context, int, *HostDeployment) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, h := range d.Hosts {
		group.Go(func() error { return do(ctx, i, h) })
	}
	return group.Wait()
}

// Look asks every host for its state.
func (d *Deployment) Look(ctx context.Context) error {
	return d.each(ctx, func(ctx context.Context, _ int, h *HostDeployment) (err error) {
		h.Request.State, err = h.Env.Side.State(ctx)
		return err
	})
}

// Plan makes the plan of every host. They must put each service on one release.
func (d *Deployment) Plan(ctx context.Context) (Plans, error) {
	plans := make([]promotion.Plan, len(d.Hosts))
	err := d.each(ctx, func(ctx context.Context, i int, h *HostDeployment) (err error) {
		plans[i], err = h.plan(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return d.plansOf(plans...), promotion.Agreed(plans)
}

// PlanWhenFree plans when nobody else is at it any more, and ends first what was interrupted.
func (d *Deployment) PlanWhenFree(ctx context.Context, control Control) (Plans, error) {
	plans, err := d.Plan(ctx)
	if d.occupied() { // what is half-way there was taken for drift
		if err := d.waitUntilFree(ctx, control.Wait); err != nil {
			return nil, err
		}
		plans, err = d.Plan(ctx)
	}
	halfway := (*InterruptedError)(nil)
	if !errors.As(err, &halfway) {
		return plans, err
	}
	control.Say(fmt.Sprintf("%v; ending it first", halfway))
	if err := d.endInterrupted(ctx, control); err != nil {
		return nil, err
	}
	return d.Plan(ctx)
}

// occupied reports whether somebody is at it on one of the hosts.
func (d *Deployment) occupied() bool {
	return slices.ContainsFunc(d.Hosts, func(h *HostDeployment) bool { return h.Request.State.Lock != "" })
}

func (d *Deployment) waitUntilFree(ctx context.Context, wait time.Duration) error {
	return d.each(ctx, func(ctx context.Context, _ int, h *HostDeployment) error { return h.Env.Side.Quiet(ctx, wait) })
}

// CarryOut has the plans carried out in waves, and stops at the first host that fails: it has put itself back
// then, and the others of its wave are put back too.
func (d *Deployment) CarryOut(ctx context.Context, plans Plans, control Control) error {
	if err := d.runLocalTasks(ctx, plans, control, promotion.PhaseBackup, promotion.PhaseBefore); err != nil {
		return err
	}
	return d.runTasksAfter(ctx, plans, control, d.carryOutWaves(ctx, plans, control))
}

// HostPlan is the plan of one of several hosts.
type HostPlan struct {
	Host     string            `json:"host,omitempty"`
	Contents []Contents        `json:"contents,omitempty"` // of the first host's plan
	Pending  []rollout.Pending `json:"pending,omitempty"`  // likewise
	promotion.Plan
}

// Plans are those of all hosts, in the order of promote.yaml.
type Plans []HostPlan

func (d *Deployment) plansOf(plans ...promotion.Plan) Plans {
	var list Plans
	for i, p := range plans {
		list = append(list, HostPlan{Host: d.Hosts[i].Env.Host, Plan: p})
	}
	return list
}

// Nothing reports whether none of them would change anything.
func (p Plans) Nothing() bool {
	return !slices.ContainsFunc(p, func(one HostPlan) bool { return !one.Plan.Nothing() })
}

// Moves are those of all hosts, each once.
func (p Plans) Moves() []promotion.Move {
	var moves []promotion.Move
	seen := map[string]bool{}
	for _, plan := range p {
		for _, m := range plan.Moves {
			key := m.Service + " " + promotion.Label(m.From) + " " + promotion.Label(m.To)
			if !seen[key] {
				seen[key], moves = true, append(moves, m)
			}
		}
	}
	return moves
}

// host is the control of one host.
func (c Control) host(h *HostDeployment, stop <-chan struct{}) host.Control {
	return host.Control{Wait: c.Wait, Stop: stop, Tell: func(e rollout.Event) { c.Tell(h.Env.Host, e) }}
}
