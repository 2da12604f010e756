package docker

import (
	"context"
	"strings"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
)

// Event is something that happened to a container.
type Event struct {
	ID     string // container
	Action string // start, die, restart, destroy, healthy, unhealthy, …
	Exit   string // status that it exited with, of "die"
}

// Events subscribes to what happens to the containers of a compose project, from now on. The channel is
// closed when the context ends; an error comes at most once, before that.
func (e *Engine) Events(ctx context.Context, project string) (<-chan Event, <-chan error) {
	messages, failures := e.API.Events(ctx, events.ListOptions{Filters: filters.NewArgs(
		filters.Arg("type", "container"), filters.Arg("label", LabelProject+"="+project),
	)})
	out, failed := make(chan Event, 16), make(chan error, 1)
	go func() {
		defer close(out)
		for {
			select {
			case m := <-messages:
				if action, matters := action(string(m.Action)); matters {
					select {
					case out <- Event{ID: m.Actor.ID, Action: action, Exit: m.Actor.Attributes["exitCode"]}:
					case <-ctx.Done():
						return
					}
				}
			case err := <-failures:
				failed <- err
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, failed
}

// action keeps the events that tell of a container's life. The engine writes health as
// "health_status: healthy", and an event for each exec, which a probe makes many of.
func action(a string) (string, bool) {
	if health, found := strings.CutPrefix(a, "health_status: "); found {
		return health, true
	}
	switch a {
	case "create", "start", "die", "restart", "stop", "destroy", "oom":
		return a, true
	}
	return "", false
}
