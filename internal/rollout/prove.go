package rollout

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"promote/internal/docker"
	"promote/internal/promotion"
)

// often is how often a container's own health check command is run while it starts. The engine would
// wait a whole interval (30 s by default) before its first look.
const often = 100 * time.Millisecond

// restarted is what is wrong with a container that runs, but not for the first time.
const restarted = "it ended, and the engine started it again"

// removedByOthers is what is wrong with a container that is gone.
const removedByOthers = "it was removed by somebody else"

// containerError is a container that did not get healthy, with its last words.
type containerError struct {
	Service, Reason string
	Logs            []string
}

func (e *containerError) Error() string { return e.Service + ": " + e.Reason }

// watch is a subscription to what happens to the project's containers, made before anything is
// started: what happens in between can't be missed.
type watch struct {
	events <-chan docker.Event
	failed <-chan error
}

func (r *run) watch(ctx context.Context) (*watch, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	events, failed := r.Engine.Events(ctx, r.compose.Name)
	return &watch{events, failed}, cancel
}

// prove returns when the container does its work: its health check and those of the configuration
// passed, or, without any, it stayed up for the monitored time. It fails at the first sign that it
// won't.
func (r *run) prove(ctx context.Context, roll promotion.Roll, w *watch, c docker.Container) error {
	if roll.Awaited {
		c.Probe = nil // that of an image which other services run
	}
	checks := r.checksOf(roll, c)
	if len(checks) > 0 {
		roll.OneShot, roll.Fresh = false, false // what can be asked is not there to finish
	}
	r.tell(Event{Step: promotion.RollStep, Service: roll.Service, Status: Progress, Text: waiting(roll, c, checks, r.Target.Rollout)})
	reason, err := r.verdict(ctx, roll, w, c, checks)
	if err == nil && reason == "" {
		reason, err = r.settled(ctx, roll, c)
	}
	if err != nil {
		return err
	}
	if reason != "" {
		return r.failed(ctx, roll, c, reason)
	}
	r.proven.add(roll, c)
	return nil
}

func waiting(roll promotion.Roll, c docker.Container, checks []promotion.Check, limits promotion.Rollout) string {
	var words []string
	for _, check := range checks {
		words = append(words, check.String())
	}
	switch {
	case len(checks) > 0 && c.Probe != nil:
		return "waiting to be healthy, and for " + strings.Join(words, ", ")
	case len(checks) > 0:
		return "waiting for " + strings.Join(words, ", ")
	case c.Probe != nil:
		return "waiting to be healthy"
	case roll.OneShot:
		return "waiting for it to finish"
	}
	return fmt.Sprintf("watching for %s, it has no health check", limits.Monitor)
}

// verdict waits for the first thing that decides; reason says why the container failed.
func (r *run) verdict(ctx context.Context, roll promotion.Roll, w *watch, c docker.Container, checks []promotion.Check) (reason string, err error) {
	if c.Probe == nil && len(checks) == 0 && !roll.OneShot {
		r.mu.Lock()
		r.unchecked[roll.Service] = true
		r.mu.Unlock()
	}
	asking, stop := context.WithCancel(ctx)
	defer stop()
	t := r.trial(asking, roll, c, checks)
	defer t.deadline.Stop()
	if reason, over := alreadyOver(roll, c); over {
		return reason, nil
	}
	for !t.passed() {
		select {
		case e := <-w.events:
			if e.ID != c.ID {
				continue
			}
			if e.Action == "healthy" {
				t.healthy = nil
			} else if reason, over := decides(roll, c, e); over {
				return reason, nil
			}
		case <-t.healthy:
			t.healthy = nil
		case t.answer = <-t.answers:
			if t.answer == nil {
				t.answers = nil
			}
		case <-t.deadline.C:
			return t.late(roll, c), nil
		case err := <-w.failed:
			return "", fmt.Errorf("the engine's events ended: %w", err)
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	return "", nil
}

// alreadyOver looks at what happened before the first event could be read.
func alreadyOver(roll promotion.Roll, c docker.Container) (reason string, over bool) {
	switch {
	case c.State == "exited" || c.State == "dead":
		return decides(roll, c, docker.Event{ID: c.ID, Action: "die", Exit: strconv.Itoa(c.ExitCode)})
	case c.Restarts > 0:
		return restarted, true
	}
	return "", false
}

// decides says what an event means for a container that should get healthy. The status is the event's
// own: a container that was restarted since has lost its.
func decides(roll promotion.Roll, c docker.Container, e docker.Event) (reason string, over bool) {
	switch e.Action {
	case "unhealthy":
		return "its health check failed", true
	case "oom":
		return "it ran out of memory", true
	case "destroy":
		return removedByOthers, true
	case "die":
		if e.Exit == "0" && finishes(roll, c) {
			return "", true
		}
		return "exited with status " + e.Exit, true
	}
	return "", false
}

// finishes reports whether a container may have done its work by exiting. One with a health check may
// not: it was stopped by hand before. When nothing of the service ran before, all that tells is that
// nothing looks after it: no health check, no restart.
func finishes(roll promotion.Roll, c docker.Container) bool {
	return c.Probe == nil && (roll.OneShot || roll.Fresh && (c.Policy == "no" || c.Policy == ""))
}

// probe runs the container's own health check at once and often, and closes the channel when it passes.
func (r *run) probe(ctx context.Context, c docker.Container) <-chan struct{} {
	passed := make(chan struct{})
	go func() {
		tick := time.NewTicker(often)
		defer tick.Stop()
		for {
			once, cancel := context.WithTimeout(ctx, c.Probe.Timeout)
			code, err := r.Engine.Exec(once, c.ID, c.Probe.Command)
			cancel()
			if err == nil && code == 0 {
				close(passed)
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return passed
}

// settled is the last look: it runs, was not restarted meanwhile, and is still the same container.
func (r *run) settled(ctx context.Context, roll promotion.Roll, c docker.Container) (reason string, err error) {
	now, err := r.Engine.Inspect(ctx, c.ID)
	switch {
	case err != nil:
		return "", err
	case finishes(roll, c) && now.State == "exited" && now.ExitCode == 0:
		return "", nil
	case now.Restarts > 0:
		return restarted, nil
	case now.State != "running":
		return "it is " + now.State, nil
	case now.Health == "unhealthy":
		return "its health check failed", nil
	}
	return "", nil
}

// failedStart adds the last words of a container that compose could not start.
func (r *run) failedStart(ctx context.Context, roll promotion.Roll, cause error) error {
	list, err := r.Engine.Service(ctx, r.compose.Name, roll.Service)
	if err != nil || len(list) == 0 {
		return cause
	}
	return r.failed(ctx, roll, list[0], cause.Error())
}

// monitor watches new containers that are proven for as long as the compose file wants, which fails if one
// of them ends or gets unhealthy.
func (r *run) monitor(ctx context.Context, roll promotion.Roll, w *watch, fresh []docker.Container) error {
	if roll.Update.Monitor == 0 {
		return nil
	}
	r.tell(Event{Step: promotion.RollStep, Service: roll.Service, Status: Progress, Text: fmt.Sprintf("watching for %s, as update_config says", roll.Update.Monitor)})
	over := time.NewTimer(roll.Update.Monitor)
	defer over.Stop()
	for {
		select {
		case e := <-w.events:
			i := slices.IndexFunc(fresh, func(c docker.Container) bool { return c.ID == e.ID })
			if i < 0 {
				continue
			}
			if reason, bad := decides(roll, fresh[i], e); bad && reason != "" {
				return r.failed(ctx, roll, fresh[i], reason)
			}
		case <-over.C:
			return nil
		case err := <-w.failed:
			return fmt.Errorf("the engine's events ended: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// failed is a container that failed, with its last words.
func (r *run) failed(ctx context.Context, roll promotion.Roll, c docker.Container, reason string) error {
	logs, _ := r.Engine.Logs(ctx, c.ID, "15")
	return &containerError{Service: roll.Service, Reason: reason, Logs: logs}
}
