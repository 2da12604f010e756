package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"promote/internal/config"
	"promote/internal/deploy"
	"promote/internal/notify"
	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/internal/ui"
)

// notices are what is told of the deployment that this run of promote carries out. A nil one tells nothing.
type notices struct {
	receivers []notify.Receiver
	message   notify.Message
	held      bool // it leaves a hold when it ends well

	mu    sync.Mutex
	began time.Time      // zero: nothing has happened yet, and nothing is told of it
	early sync.WaitGroup // telling that it began
	errs  []error        // of that
}

// announce has the deployment of the plans told when it begins, and when the program ends.
func (p *program) announce(cfg *config.Config, plans deploy.Plans) {
	first := plans[0]
	m := notify.Message{
		Schema: notify.Schema, Environment: first.Target.Environment, Kind: string(first.Kind), Deployment: first.ID,
		By: first.By, Reason: first.Reason, URL: p.job(),
	}
	if first.AcceptDigest {
		m.Reason = "digest accepted: " + m.Reason
	}
	if first.Emergency {
		m.Reason = "emergency: " + m.Reason
	}
	n := &notices{receivers: p.receivers(cfg)}
	for _, plan := range plans {
		if plan.Host != "" && !plan.Plan.Nothing() {
			m.Hosts = append(m.Hosts, plan.Host)
		}
		for _, move := range plan.Moves {
			s := notify.Service{Name: move.Service, From: promotion.Label(move.From), To: promotion.Label(move.To)}
			if s.From == s.To {
				s.From = "" // it did not run
			}
			if !slices.Contains(m.Services, s) {
				m.Services = append(m.Services, s)
			}
		}
		n.held = n.held || slices.ContainsFunc(plan.Marks, func(m promotion.Mark) bool { return m.Kind == promotion.Held })
	}
	n.message, p.notices = m, n
}

// begun is called with every event of the deployment; the first one is told, while the work goes on.
func (n *notices) begun(ctx context.Context) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.began.IsZero() {
		return
	}
	n.began = time.Now()
	n.early.Go(func() { n.errs = notify.Tell(ctx, n.receivers, n.message, notify.Started) })
}

func (n *notices) hasBegun() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.began.IsZero()
}

// ended tells how the deployment ended, after everything else was said. Nothing is told of one that did not
// begin, or that goes on without us.
func (p *program) ended(err error) {
	n := p.notices
	if n == nil || !n.hasBegun() {
		return
	}
	events := n.events(err)
	if len(events) == 0 {
		n.silent(p)
		return
	}
	p.signals.following() // the one that has everything put back must not keep that from being told; another may
	n.early.Wait()
	m := n.message
	m.Seconds = time.Since(n.began).Round(time.Millisecond).Seconds()
	if err != nil {
		m.Error, m.Hint = complaint(err), ui.Hint(err)
	}
	p.warn(slices.Concat(n.errs, notify.Tell(p.signals.ctx, n.receivers, m, events...)))
}

// silent says that nobody hears of the end of a deployment that was left alone.
func (n *notices) silent(p *program) {
	for _, r := range n.receivers {
		if _, waits := r.Wants(n.message.Environment, notify.Succeeded, notify.Held, notify.PutBack, notify.Failed); waits {
			p.screen.Warn(fmt.Errorf("%s will not be told how %s ends", r.Name, n.message.Deployment))
		}
	}
}

// events are what a deployment that ended so is told as; a receiver is told the first that it wants. None is
// for one that goes on.
func (n *notices) events(err error) []notify.Event {
	switch {
	case err == nil && n.held:
		return []notify.Event{notify.Held, notify.Succeeded}
	case err == nil:
		return []notify.Event{notify.Succeeded}
	case restored(err):
		return []notify.Event{notify.PutBack}
	case exitCode(err) == exitDetached:
		return nil
	}
	return []notify.Event{notify.Failed}
}

// restored tells whether all is as before. Of several hosts, some may have been done earlier, or may not have
// been put back.
func restored(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return !slices.ContainsFunc(joined.Unwrap(), func(e error) bool { return !restored(e) })
	}
	o, ok := err.(*deploy.OutcomeError)
	return ok && o.Outcome == rollout.OutcomeRestored && len(o.Before) == 0
}

// complaint is an error on one line. That everything was put back is told by the event.
func complaint(err error) string {
	if o, ok := err.(*deploy.OutcomeError); ok && o.Host == "" {
		return o.Result.Error
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
