package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"promote/internal/config"
	"promote/internal/host"
	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/registry"
)

// deployment is what deploy, pin, rollback and diff share, for one machine: everything from the command
// line to a plan, and from a plan to its end.
type deployment struct {
	*program
	cfg      *config.Config
	env      *environment
	registry *registry.Client
	request  promotion.Request
}

// deployments reads what the commands of a deployment have in common: ENV and SERVICE[@VERSION]…. There
// is one for every host of the environment, all with the same id.
func (p *program) deployments(c *cli.Context, kind promotion.Kind) (fleet, error) {
	if !c.Args().Present() {
		return nil, wrongArguments(c, "%s which environment?", c.Command.Name)
	}
	cfg, err := p.load(c)
	if err != nil {
		return nil, err
	}
	environments, err := p.environments(cfg, c.Args().First())
	if err != nil {
		return nil, err
	}
	wants, err := parseWants(environments[0].target, c.Args().Tail())
	if err != nil {
		return nil, err
	}
	return p.deploymentsOf(c, cfg, environments, kind, wants)
}

// deploymentsOf is deployments of what the arguments were found to mean.
func (p *program) deploymentsOf(c *cli.Context, cfg *config.Config, environments []*environment, kind promotion.Kind, wants []promotion.Want) (f fleet, err error) {
	request := promotion.Request{
		Kind: kind, ID: newID(time.Now()), By: p.who(), Reason: c.String("reason"), Target: environments[0].target, Wanted: wants,
		Options: promotion.Options{
			Again: c.Bool("again"), Downgrade: c.Bool("downgrade"), Keep: c.Bool("keep"), AcceptDrift: c.Bool("accept-drift"),
			Emergency: c.Bool("emergency"), Schema: c.String("schema"),
		},
		Policy: policyOf(environments[0].Environment), Look: c.Command.Name == "diff",
	}
	if request.Emergency && request.Reason == "" {
		return nil, wrongArguments(c, "--emergency wants a --reason, for the history")
	}
	if !slices.Contains([]string{"", promotion.SchemaKeep, promotion.SchemaUndo, promotion.SchemaRestore}, request.Schema) {
		return nil, wrongArguments(c, "--schema is keep, undo or restore, not %q", request.Schema)
	}
	if request.Until, err = until(c.String("until"), time.Now()); err != nil {
		return nil, err
	}
	client := p.registry()
	for _, env := range environments {
		f = append(f, &deployment{program: p, cfg: cfg, env: env, registry: client, request: request})
	}
	return f, nil
}

// policyOf is what an environment wants of a release.
func policyOf(e *config.Environment) promotion.Policy {
	policy := promotion.Policy{Soak: e.Soak, Approval: e.Protected}
	for _, w := range e.Closed {
		policy.Closed = append(policy.Closed, promotion.Window(w))
	}
	return policy
}

// parseWants reads SERVICE[@VERSION]…, and a VERSION alone where there is one service.
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
	for _, s := range t.Services {
		isService = isService || s.Name == arg
	}
	if isService {
		return promotion.ParseWant(arg)
	}
	var names []string
	for _, s := range t.Services {
		names = append(names, s.Name)
	}
	if len(names) == 1 {
		return promotion.Want{Service: names[0]}.At(arg)
	}
	return promotion.Want{}, &usage{
		text: fmt.Sprintf("%q is no service of %s; there are %s", arg, t.Environment, strings.Join(names, ", ")),
		hint: "name the service with the version: SERVICE@VERSION",
	}
}

// plan looks at the environments and the registry, and has the plan made. State and registry are asked
// side by side.
func (d *deployment) plan(ctx context.Context) (promotion.Plan, error) {
	if err := d.look(ctx); err != nil {
		return promotion.Plan{}, err
	}
	if i := d.request.State.Interrupted; i != nil {
		return promotion.Plan{}, &interruptedError{d.env, i}
	}
	if err := d.lookUp(ctx, promotion.Lookups(d.request)); err != nil {
		return promotion.Plan{}, err
	}
	choices, err := promotion.Choose(d.request)
	if err != nil {
		return promotion.Plan{}, err
	}
	if err := d.resolve(ctx, choices); err != nil {
		return promotion.Plan{}, err
	}
	if err := d.compare(ctx, choices); err != nil {
		return promotion.Plan{}, err
	}
	return promotion.New(d.request, choices)
}

// service is the target's service of that name.
func (d *deployment) service(name string) promotion.Service {
	for _, s := range d.env.target.Services {
		if s.Name == name {
			return s
		}
	}
	return promotion.Service{}
}

// look asks this environment and the one upstream for their state, and already has the registry say
// what is published where that will be needed.
func (d *deployment) look(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { d.request.State, err = d.env.side.State(ctx); return err })
	if d.env.From != "" && d.request.Kind != promotion.Rollback {
		group.Go(func() error {
			upstream, err := d.program.states(ctx, d.cfg, d.env.From)
			if err == nil {
				state := promotion.Agree(upstream)
				d.request.Upstream = &state
			}
			return err
		})
	} else if d.request.Kind == promotion.Deploy {
		group.Go(func() error { return d.lookUp(ctx, promotion.Lookups(d.request)) })
	}
	return group.Wait()
}

// lookUp asks the registry for the published versions of services, side by side.
func (d *deployment) lookUp(ctx context.Context, services []string) error {
	if d.request.Published != nil {
		return nil
	}
	found := make([][]registry.TaggedVersion, len(services))
	group, ctx := errgroup.WithContext(ctx)
	for i, name := range services {
		group.Go(func() error {
			s, err := d.cfg.Service(name)
			if err != nil {
				return err
			}
			found[i], err = published(ctx, d.registry, s)
			return err
		})
	}
	err := group.Wait()
	d.request.Published = map[string][]registry.TaggedVersion{}
	for i, name := range services {
		d.request.Published[name] = found[i]
	}
	return err
}

// resolve asks the registry for the digests of the chosen tags that nobody knows yet.
func (d *deployment) resolve(ctx context.Context, choices []promotion.Choice) error {
	group, ctx := errgroup.WithContext(ctx)
	for i := range choices {
		c := &choices[i]
		if c.Skip != "" || c.Release.Digest != "" {
			continue
		}
		group.Go(func() (err error) {
			c.Release.Digest, err = d.registry.Digest(ctx, c.Service.Image, c.Release.Tag)
			return err
		})
	}
	return group.Wait()
}

// states asks all hosts of an environment for their state, side by side.
func (p *program) states(ctx context.Context, cfg *config.Config, name string) ([]promotion.State, error) {
	environments, err := p.environments(cfg, name)
	if err != nil {
		return nil, err
	}
	states := make([]promotion.State, len(environments))
	group, ctx := errgroup.WithContext(ctx)
	for i, env := range environments {
		group.Go(func() (err error) { states[i], err = env.side.State(ctx); return err })
	}
	return states, group.Wait()
}

// job is a plan with what the host side needs to carry it out.
func (d *deployment) job(ctx context.Context, plan promotion.Plan) (host.Job, error) {
	var images []string
	for _, m := range plan.Moves {
		images = append(images, m.Image)
	}
	credentials, err := d.program.credentials(ctx, images)
	return host.Job{Plan: plan, Credentials: credentials}, err
}

// apply follows a job on the host side to its end.
func (d *deployment) apply(ctx context.Context, job host.Job, control host.Control) error {
	following, detach := context.WithCancel(context.WithoutCancel(ctx))
	defer detach()
	defer context.AfterFunc(ctx, detach)()
	result, err := d.env.side.Apply(following, job, control)
	switch {
	case errors.Is(err, host.ErrDetached):
		return &detachedError{d.env.Name, err}
	case err != nil:
		return err
	case result.Outcome != rollout.OutcomeDone:
		return &outcomeError{Result: result, host: d.env.host}
	}
	return nil
}

// detachedError names the way back to a deployment that goes on.
type detachedError struct {
	env string
	err error
}

func (e *detachedError) Error() string {
	if e.err == nil {
		return host.ErrDetached.Error()
	}
	return e.err.Error()
}
func (e *detachedError) Unwrap() error { return host.ErrDetached }

// Hint names the command that follows it again.
func (e *detachedError) Hint() string { return "promote attach " + e.env }

// credentials are what the engine needs to pull images, by repository, in memory only.
func (p *program) credentials(ctx context.Context, images []string) (map[string]string, error) {
	client, headers := p.registry(), map[string]string{}
	for _, image := range images {
		credentials, err := client.Credentials(ctx, image)
		if err != nil {
			return nil, err
		}
		if !credentials.Anonymous() {
			headers[image] = credentials.Header()
		}
	}
	return headers, nil
}

// confirm asks where the environment wants it, and before data is replaced. Off a terminal nothing is asked.
func (d *deployment) confirm(c *cli.Context) error {
	wanted := d.env.Confirm || d.request.Kind == promotion.MoveData || d.request.Schema == promotion.SchemaRestore
	name, given := d.env.Name, yes(c)
	if given != "" && given != "true" && given != name {
		return wrongArguments(c, "--yes=%s, but this goes to %s", given, name)
	}
	if !wanted || given == name {
		return nil
	}
	if in, ok := d.in.(*os.File); !ok || !term.IsTerminal(int(in.Fd())) || d.screen.JSON {
		return &promotion.Refusal{Gate: "confirm", Reason: name + " wants to be confirmed", Advice: typed(c) + " --yes=" + name}
	}
	return d.screen.Ask(d.in, fmt.Sprintf("type %s to go ahead:", name), name)
}

func yes(c *cli.Context) string {
	if given, ok := c.Generic("yes").(*consent); ok {
		return string(*given)
	}
	return ""
}

// who is the person, or the CI, that does this, and from where.
func (p *program) who() string {
	if actor := p.env("GITHUB_ACTOR"); actor != "" {
		return actor + "@github"
	}
	if actor := p.env("GITLAB_USER_LOGIN"); actor != "" {
		return actor + "@gitlab"
	}
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	where, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + where
}

// newID is a deployment's: UTC time and three random characters.
func newID(now time.Time) string {
	return now.UTC().Format("20060102-150405") + "-" + strings.ToLower(rand.Text()[:3])
}

// interruptedError is a deployment that has to be ended before anything else.
type interruptedError struct {
	env  *environment
	what *promotion.Interrupted
}

func (e *interruptedError) Error() string {
	return fmt.Sprintf("%s %s by %s in %s began and did not end", e.what.Kind, e.what.ID, e.what.By, e.env.label())
}

// Hint is the command that ends it.
func (e *interruptedError) Hint() string { return "promote resume " + e.env.Name }
