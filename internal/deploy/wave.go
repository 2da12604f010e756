package deploy

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"promote/internal/host"
)

// carryOutWaves carries the plans out on a few hosts at a time.
func (d *Deployment) carryOutWaves(ctx context.Context, plans Plans, control Control) error {
	var pending []int
	for i, p := range plans {
		if !p.Plan.Nothing() {
			pending = append(pending, i)
		}
	}
	stop := control.Follow()
	var before []string
	for hosts := range slices.Chunk(pending, max(1, d.first().Env.Target.Rollout.MaxParallel)) {
		w := &wave{deployment: d, plans: plans, hosts: hosts, control: control}
		if err := w.carryOut(ctx, stop); err != nil {
			if outcome := (*OutcomeError)(nil); errors.As(err, &outcome) {
				outcome.Before = before
			}
			return err
		}
		for _, i := range hosts {
			before = append(before, d.Hosts[i].Env.Host)
		}
	}
	return nil
}

// wave is some hosts that are deployed to at a time.
type wave struct {
	deployment *Deployment
	plans      Plans
	hosts      []int // of the deployment
	control    Control
}

// carryOut deploys to the hosts of the wave. Closing stop has all of them put back.
func (w *wave) carryOut(ctx context.Context, stop <-chan struct{}) error {
	halt, done := make(chan struct{}), make(chan struct{})
	stopAll := sync.OnceFunc(func() { close(halt) })
	go func() {
		select {
		case <-stop:
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
			if err := w.deployHost(ctx, i, halt); err != nil {
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

func (w *wave) deployHost(ctx context.Context, i int, halt <-chan struct{}) error {
	h := w.deployment.Hosts[i]
	job, err := h.job(ctx, w.plans[i].Plan)
	if err != nil {
		return err
	}
	return h.apply(ctx, job, w.control.host(h, halt))
}

// settle puts back those hosts of a wave that were done when another one failed.
func (w *wave) settle(ctx context.Context, failed []bool, cause error) error {
	if cause == nil {
		return nil
	}
	for n, i := range w.hosts {
		if !failed[n] {
			h := w.deployment.Hosts[i]
			tell := host.Control{Tell: w.control.host(h, nil).Tell}
			cause = errors.Join(cause, h.putBack(context.WithoutCancel(ctx), w.plans[i].Plan, tell))
		}
	}
	return cause
}
