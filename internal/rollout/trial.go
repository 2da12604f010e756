package rollout

import (
	"context"
	"fmt"
	"time"

	"promote/internal/docker"
	"promote/internal/promotion"
)

// trial is what a new container has to pass, and for how long that may take.
type trial struct {
	healthy  <-chan struct{} // its own health check; nil once it passed
	answers  <-chan error    // of the checks; nil once all passed
	answer   error           // the last one
	limit    time.Duration
	deadline *time.Timer
	patient  bool // at the deadline it has passed, if it is up still
}

func (r *run) trial(ctx context.Context, roll promotion.Roll, c docker.Container, checks []promotion.Check) *trial {
	t := &trial{limit: r.Target.Rollout.HealthyDeadline}
	switch {
	case c.Health == "healthy":
	case c.Probe != nil:
		t.healthy = r.probe(ctx, c)
	case len(checks) == 0:
		t.healthy = make(chan struct{}) // nothing says so: time decides, or its end
	}
	if len(checks) > 0 {
		t.answers, t.answer = r.ask(ctx, c, checks), fmt.Errorf("%s has not answered", checks[0])
	}
	t.patient = c.Probe == nil && !roll.OneShot && (len(checks) == 0 || r.back)
	if t.patient {
		t.limit = r.Target.Rollout.Monitor
	}
	t.deadline = time.NewTimer(t.limit)
	return t
}

// checksOf are the checks that a container has to pass. What ran before may not know one that came with
// the release that failed, and that must not keep it from coming back: then its own health check
// decides, or, without one, that it stays up. What others wait for to end can't be asked.
func (r *run) checksOf(roll promotion.Roll, c docker.Container) []promotion.Check {
	if r.back && c.Probe != nil || roll.Awaited {
		return nil
	}
	return r.Target.ChecksOf(roll.Service)
}

func (t *trial) passed() bool { return t.healthy == nil && t.answers == nil }

// late says what is wrong with a container at the deadline.
func (t *trial) late(roll promotion.Roll, c docker.Container) string {
	switch {
	case t.patient:
		return ""
	case c.Probe == nil && roll.OneShot:
		return fmt.Sprintf("not finished after %s", t.limit)
	case t.answer != nil:
		return fmt.Sprintf("not healthy after %s: %v", t.limit, t.answer)
	}
	return fmt.Sprintf("not healthy after %s", t.limit)
}
