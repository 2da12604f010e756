package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"promote/internal/host"
	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/internal/ui"
)

// fleet is one deployment on every host of an environment; mostly that is one.
type fleet []*deployment

// each does something on every host, side by side.
func (f fleet) each(ctx context.Context, do func(context.Context, int, *deployment) error) error {
	group, ctx := errgroup.WithContext(ctx)
	for i, d := range f {
		group.Go(func() error { return do(ctx, i, d) })
	}
	return group.Wait()
}

// plan makes the plan of every host. They must put each service on one release.
func (f fleet) plan(ctx context.Context) ([]promotion.Plan, error) {
	plans := make([]promotion.Plan, len(f))
	err := f.each(ctx, func(ctx context.Context, i int, d *deployment) (err error) {
		plans[i], err = d.plan(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return plans, promotion.Agreed(plans)
}

// working reports whether somebody is at it on one of the hosts.
func (f fleet) working() bool {
	return slices.ContainsFunc(f, func(d *deployment) bool { return d.request.State.Lock != "" })
}

// quiet waits until nobody is at it on any host.
func (f fleet) quiet(ctx context.Context, c *cli.Context) error {
	return f.each(ctx, func(ctx context.Context, _ int, d *deployment) error {
		return d.env.side.Quiet(ctx, c.Duration("wait"))
	})
}

// shown are the plans as they are shown.
func (f fleet) shown(plans []promotion.Plan) []ui.HostPlan {
	var list []ui.HostPlan
	for i, p := range plans {
		list = append(list, ui.HostPlan{Host: f[i].env.host, Plan: p})
	}
	return list
}

func nothing(plans []promotion.Plan) bool {
	return !slices.ContainsFunc(plans, func(p promotion.Plan) bool { return !p.Nothing() })
}

// carryOut has the plans carried out in waves, and stops at the first host that fails: it has put itself
// back then, and the others of its wave are put back too.
func (f fleet) carryOut(ctx context.Context, c *cli.Context, plans []promotion.Plan) error {
	if err := f[0].confirm(c); err != nil {
		return err
	}
	progress := f[0].screen.Progress()
	defer progress.Close()
	if err := f.here(ctx, plans, progress, promotion.PhaseBackup, promotion.PhaseBefore); err != nil {
		return err
	}
	return f.hereAfter(ctx, plans, progress, f.inWaves(ctx, c, plans, progress))
}

// inWaves carries the plans out on a few hosts at a time.
func (f fleet) inWaves(ctx context.Context, c *cli.Context, plans []promotion.Plan, progress *ui.Progress) error {
	var pending []int
	for i, p := range plans {
		if !p.Nothing() {
			pending = append(pending, i)
		}
	}
	stop := f[0].signals.following()
	var before []string
	for hosts := range slices.Chunk(pending, max(1, f[0].env.target.Rollout.MaxParallel)) {
		w := &wave{fleet: f, plans: plans, hosts: hosts, progress: progress, stop: stop}
		if err := w.carryOut(ctx, c); err != nil {
			if outcome := (*outcomeError)(nil); errors.As(err, &outcome) {
				outcome.before = before
			}
			return err
		}
		for _, i := range hosts {
			before = append(before, f[i].env.host)
		}
	}
	return nil
}

// wave is some hosts that are deployed to at a time.
type wave struct {
	fleet    fleet
	plans    []promotion.Plan
	hosts    []int // of the fleet
	progress *ui.Progress
	stop     <-chan struct{} // closed: the person wants everything put back
}

func (w *wave) carryOut(ctx context.Context, c *cli.Context) error {
	halt, done := make(chan struct{}), make(chan struct{})
	stopAll := sync.OnceFunc(func() { close(halt) })
	go func() {
		select {
		case <-w.stop:
			stopAll()
		case <-done:
		}
	}()
	failed := make([]bool, len(w.hosts))
	var mu sync.Mutex
	var cause error // what failed first; it is noted before the others are stopped because of it
	var group sync.WaitGroup
	for n, i := range w.hosts {
		group.Go(func() {
			if err := w.deploy(ctx, c, i, halt); err != nil {
				failed[n] = true
				mu.Lock()
				cause = cmp.Or(cause, err)
				mu.Unlock()
				stopAll()
			}
		})
	}
	group.Wait()
	close(done)
	return w.settle(ctx, failed, cause)
}

// deploy carries the plan of one host out.
func (w *wave) deploy(ctx context.Context, c *cli.Context, i int, halt <-chan struct{}) error {
	d := w.fleet[i]
	job, err := d.job(ctx, w.plans[i])
	if err != nil {
		return err
	}
	return d.apply(ctx, job, host.Control{Wait: c.Duration("wait"), Stop: halt, Tell: d.tell(w.progress)})
}

// tell shows the events of a host. The first one is told to others, too.
func (d *deployment) tell(p *ui.Progress) func(rollout.Event) {
	return func(e rollout.Event) {
		d.notices.begun(d.signals.ctx)
		p.Event(d.env.host, e)
	}
}

// settle puts back those hosts of a wave that were done when another one failed.
func (w *wave) settle(ctx context.Context, failed []bool, cause error) error {
	if cause == nil {
		return nil
	}
	for n, i := range w.hosts {
		if !failed[n] {
			cause = errors.Join(cause, w.fleet[i].putBack(context.WithoutCancel(ctx), w.plans[i], w.fleet[i].tell(w.progress)))
		}
	}
	return cause
}

// putBack deploys what a host was on before a plan.
func (d *deployment) putBack(ctx context.Context, plan promotion.Plan, tell func(rollout.Event)) error {
	state, err := d.env.side.State(ctx)
	if err != nil {
		return fmt.Errorf("%s could not be put back: %w", d.env.label(), err)
	}
	request := d.request
	request.ID, request.State, request.Reason = plan.ID+"-back", state, "another host failed"
	request, choices := promotion.Back(request, plan)
	back, err := promotion.New(request, choices)
	if err != nil {
		return fmt.Errorf("%s could not be put back: %w", d.env.label(), err)
	}
	job, err := d.job(ctx, back)
	if err == nil {
		err = d.apply(ctx, job, host.Control{Tell: tell})
	}
	if err != nil {
		return fmt.Errorf("%s could not be put back: %w", d.env.label(), err)
	}
	return nil
}
