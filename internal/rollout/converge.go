package rollout

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"promote/internal/docker"
	"promote/internal/promotion"
)

// lookAgain is how often the tasks are looked at. The engine has events for services, and none for tasks.
const lookAgain = 500 * time.Millisecond

// converge waits until the swarm runs the services from these images. It gives up when nothing has changed
// for as long as a container may take to become healthy.
// Tasks of the past have failed for another reason.
func (r *run) converge(ctx context.Context, images map[string]string, past []docker.Task) error {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	happened := r.Engine.SwarmEvents(watching)
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	deadline := time.NewTimer(r.Target.Rollout.HealthyDeadline)
	defer deadline.Stop()
	look := &stackLook{run: r, images: images, past: map[string]bool{}, shown: map[string]string{}, up: map[string]time.Time{}}
	for _, t := range past {
		look.past[t.ID] = true
	}
	for {
		waiting, changed, err := look.once(ctx)
		if err != nil || waiting == "" {
			return err
		}
		if changed {
			deadline.Reset(r.Target.Rollout.HealthyDeadline)
		}
		select {
		case <-happened:
		case <-tick.C:
		case <-deadline.C:
			return fmt.Errorf("no progress for %s: %s", r.Target.Rollout.HealthyDeadline, waiting)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// stackLook is what is known of services that are being replaced.
type stackLook struct {
	*run
	images map[string]string    // by service
	past   map[string]bool      // by task: it was there before
	shown  map[string]string    // by service: what was told last
	up     map[string]time.Time // by service: since when all of its tasks run
}

// once looks at all services; waiting says what is missing still, changed that it is something else than
// the last time. A manager that can't tell right now, such as while a new leader is elected, is asked again.
func (l *stackLook) once(ctx context.Context) (waiting string, changed bool, err error) {
	services, err := l.Engine.StackServices(ctx, l.stack.Name)
	if err == nil {
		var tasks []docker.Task
		if tasks, err = l.Engine.Tasks(ctx, l.stack.Name); err == nil {
			return l.all(ctx, services, tasks)
		}
	}
	return "the manager can't tell: " + err.Error(), false, ctx.Err()
}

func (l *stackLook) all(ctx context.Context, services []docker.StackService, tasks []docker.Task) (waiting string, changed bool, err error) {
	for _, name := range slices.Sorted(maps.Keys(l.images)) {
		s := inStack(services, name)
		if s == nil {
			return "", false, fmt.Errorf("%s: somebody removed it from the swarm", name)
		}
		state, err := l.service(ctx, *s, slices.DeleteFunc(slices.Clone(tasks), func(t docker.Task) bool { return t.Service != s.ID }))
		if err != nil {
			return "", false, err
		}
		if state != l.shown[name] && state != "" {
			l.tell(Event{Step: promotion.RollStep, Service: name, Status: Progress, Text: state})
			l.shown[name], changed = state, true
		}
		if state != "" {
			waiting = name + ": " + state
		}
	}
	return waiting, changed, nil
}

// service says what is missing until a service runs from its image, or why it won't.
func (l *stackLook) service(ctx context.Context, s docker.StackService, tasks []docker.Task) (waiting string, err error) {
	places, others, failed := map[string]bool{}, 0, (*docker.Task)(nil)
	for _, t := range tasks {
		switch on := sameImage(t.Image, l.images[s.Name]); {
		case t.Wanted && t.State == "running" && on:
			places[t.Name] = true // a swarm that lost a node may have two in one
		case t.Wanted: // to be stopped, or to be started
			others++
		case on && failed == nil && !l.past[t.ID] && (t.State == "failed" || t.State == "rejected"):
			failed = &t
		}
	}
	running := len(places)
	arrived := running >= s.Wanted && others == 0
	if arrived && l.since(s.Name) > s.Monitor+time.Second && s.Update == "updating" {
		s.Update = "completed" // it waits for word of an old task, from a node that is gone
	}
	switch {
	case s.Update == "updating", s.Update == "rollback_started":
		return fmt.Sprintf("%d of %d tasks are new%s", running, s.Wanted, underway(tasks, l.images[s.Name])), nil
	case !sameImage(s.Image, l.images[s.Name]):
		return "", l.gaveUp(ctx, s, failed, "the swarm rolled it back")
	case s.Update == "paused", s.Update == "rollback_paused":
		return "", l.gaveUp(ctx, s, failed, "the swarm stopped replacing it")
	case !arrived && failed != nil:
		return "", l.gaveUp(ctx, s, failed, "its task failed")
	case !arrived:
		return fmt.Sprintf("%d of %d tasks run%s", running, s.Wanted, underway(tasks, l.images[s.Name])), nil
	}
	return l.stays(ctx, s, tasks)
}

// underway is what takes long about the newest task that does not run yet.
func underway(tasks []docker.Task, image string) string {
	for _, t := range tasks {
		if !t.Wanted || !sameImage(t.Image, image) {
			continue
		}
		switch t.State {
		case "preparing":
			return ", one gets its image"
		case "starting":
			return ", one is waiting to be healthy"
		}
	}
	return ""
}

// stays watches a service without a health check for a while, as the swarm itself does with an update.
func (l *stackLook) stays(ctx context.Context, s docker.StackService, tasks []docker.Task) (waiting string, err error) {
	if s.HasProbe || l.healthy(ctx, tasks) {
		return "", nil
	}
	l.unchecked[s.Name] = true
	if s.Update == "completed" {
		return "", nil
	}
	if l.since(s.Name) < l.Target.Rollout.Monitor {
		return fmt.Sprintf("watching for %s, it has no health check", l.Target.Rollout.Monitor), nil
	}
	return "", nil
}

// since is for how long all tasks of a service have been seen to run.
func (l *stackLook) since(name string) time.Duration {
	if _, known := l.up[name]; !known {
		l.up[name] = time.Now()
	}
	return time.Since(l.up[name])
}

// healthy reports whether one of the tasks is a container of this machine that is healthy: the swarm does not
// tell whether an image brings a health check.
func (l *stackLook) healthy(ctx context.Context, tasks []docker.Task) bool {
	for _, t := range tasks {
		if t.State != "running" || t.Container == "" {
			continue
		}
		if c, err := l.Engine.Inspect(ctx, t.Container); err == nil {
			return c.Health == "healthy"
		}
	}
	return false
}

// gaveUp is a service that the swarm has given up, with the last words of the task that failed.
func (l *stackLook) gaveUp(ctx context.Context, s docker.StackService, t *docker.Task, what string) error {
	failure := &containerError{Service: s.Name, Reason: what}
	if t == nil {
		if s.Message != "" {
			failure.Reason += ": " + s.Message
		}
		return failure
	}
	failure.Reason += ": " + cmp.Or(t.Error, t.State)
	asking, stop := context.WithTimeout(ctx, 5*time.Second) // its node may be the one that is gone
	defer stop()
	failure.Logs, _ = l.Engine.TaskLogs(asking, t.ID, "15")
	return failure
}
