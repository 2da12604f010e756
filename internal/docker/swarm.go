package docker

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
)

// Labels that docker stack puts on its services.
const (
	labelStack      = "com.docker.stack.namespace"
	labelStackImage = "com.docker.stack.image"
)

// StackService is a service of a stack, as the swarm wants it to be.
type StackService struct {
	ID       string
	Name     string        // as in the compose file, without the stack's
	Image    string        // that its tasks are made from, with the digest that was resolved
	Written  string        // image as the file had it when it was deployed last
	Update   string        // state of the last change: updating, completed, paused, rollback_started, …; empty without one
	Message  string        // what the swarm says of it
	Wanted   int           // tasks that should run
	Monitor  time.Duration // how long a new task is watched before the next one
	PerNode  bool          // Wanted follows the number of nodes (mode: global)
	HasProbe bool          // the service says how its health is checked; its image may, too
}

// Task is one container that the swarm runs, or ran, for a service.
type Task struct {
	ID        string
	Service   string // ID
	Name      string // of its place: 1, 2, 3, …, or the node's ID where each node has one
	Node      string // ID
	Container string // ID; empty before there is one
	Image     string // with its digest
	State     string // pending, preparing, starting, running, complete, failed, rejected, …
	Wanted    bool   // to run; false: it was replaced, or is being stopped
	Error     string // why it is not running
	ExitCode  int
	Created   time.Time
}

// NotManagerError is an engine that can't be asked for a swarm's services.
type NotManagerError struct{ State string }

func (e *NotManagerError) Error() string {
	return "the engine is no manager of a swarm (" + cmp.Or(e.State, "inactive") + ")"
}

// Hint makes it one.
func (e *NotManagerError) Hint() string { return "docker swarm init, or host: … of a manager" }

// Manager makes sure that the engine is a manager of a swarm.
func (e *Engine) Manager(ctx context.Context) error {
	info, err := e.API.Info(ctx)
	if err != nil {
		return e.explain(err)
	}
	if !info.Swarm.ControlAvailable {
		return &NotManagerError{string(info.Swarm.LocalNodeState)}
	}
	return nil
}

// StackServices lists the services of a stack by name.
func (e *Engine) StackServices(ctx context.Context, stack string) ([]StackService, error) {
	listed, err := e.API.ServiceList(ctx, swarm.ServiceListOptions{Status: true, Filters: filters.NewArgs(filters.Arg("label", labelStack+"="+stack))})
	if err != nil {
		return nil, e.swarmError(ctx, err)
	}
	var list []StackService
	for _, s := range listed {
		list = append(list, stackService(stack, s))
	}
	slices.SortFunc(list, func(a, b StackService) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func stackService(stack string, s swarm.Service) StackService {
	one := StackService{
		ID: s.ID, Name: strings.TrimPrefix(s.Spec.Name, stack+"_"), Written: s.Spec.Labels[labelStackImage],
		PerNode: s.Spec.Mode.Global != nil,
	}
	if c := s.Spec.TaskTemplate.ContainerSpec; c != nil {
		one.Image, one.HasProbe = c.Image, probe(c.Healthcheck) != nil
	}
	if u := s.Spec.UpdateConfig; u != nil {
		one.Monitor = u.Monitor
	}
	one.Monitor = cmp.Or(one.Monitor, 5*time.Second) // the swarm's default
	if s.UpdateStatus != nil {
		one.Update, one.Message = string(s.UpdateStatus.State), s.UpdateStatus.Message
	}
	if s.ServiceStatus != nil {
		one.Wanted = int(s.ServiceStatus.DesiredTasks)
	}
	return one
}

// Tasks lists the tasks of a stack, those that the swarm still remembers included, newest first.
func (e *Engine) Tasks(ctx context.Context, stack string) ([]Task, error) {
	listed, err := e.API.TaskList(ctx, swarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("label", labelStack+"="+stack))})
	if err != nil {
		return nil, e.swarmError(ctx, err)
	}
	var list []Task
	for _, t := range listed {
		list = append(list, task(t))
	}
	slices.SortFunc(list, func(a, b Task) int { return b.Created.Compare(a.Created) })
	return list, nil
}

func task(t swarm.Task) Task {
	one := Task{
		ID: t.ID, Service: t.ServiceID, Node: t.NodeID, State: string(t.Status.State), Error: t.Status.Err, Created: t.CreatedAt,
		Wanted: t.DesiredState == swarm.TaskStateRunning || t.DesiredState == swarm.TaskStateReady || t.DesiredState == swarm.TaskStateComplete,
		Name:   cmp.Or(t.NodeID, t.ID),
	}
	if t.Slot > 0 {
		one.Name = fmt.Sprint(t.Slot)
	}
	if t.Spec.ContainerSpec != nil {
		one.Image = t.Spec.ContainerSpec.Image
	}
	if t.Status.ContainerStatus != nil {
		one.Container, one.ExitCode = t.Status.ContainerStatus.ContainerID, t.Status.ContainerStatus.ExitCode
	}
	return one
}

// TaskLogs returns the last lines that a task wrote, on whichever node it was.
func (e *Engine) TaskLogs(ctx context.Context, id, lines string) ([]string, error) {
	stream, err := e.API.TaskLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: lines})
	if err != nil {
		return nil, err
	}
	return readLines(stream)
}

// Entrust gives a service the credentials that its nodes pull its image with; its tasks are left alone.
// auth is as for Push. The swarm keeps it, encrypted, for nodes that will need it later.
func (e *Engine) Entrust(ctx context.Context, service, auth string) error {
	s, _, err := e.API.ServiceInspectWithRaw(ctx, service, swarm.ServiceInspectOptions{})
	if err != nil {
		return err
	}
	_, err = e.API.ServiceUpdate(ctx, s.ID, s.Version, s.Spec, swarm.ServiceUpdateOptions{EncodedRegistryAuth: auth})
	return err
}

// RemoveService takes a service out of the swarm, with its tasks. One that is gone is no error.
func (e *Engine) RemoveService(ctx context.Context, id string) error {
	err := e.API.ServiceRemove(ctx, id)
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// SwarmEvents tells that something happened to a service or a node, from now on. It ends with the context,
// or with an error of the engine's, which closes it: a look from time to time is needed anyhow, since the
// swarm tells nothing of tasks.
func (e *Engine) SwarmEvents(ctx context.Context) <-chan struct{} {
	messages, failures := e.API.Events(ctx, events.ListOptions{Filters: filters.NewArgs(
		filters.Arg("type", string(events.ServiceEventType)), filters.Arg("type", string(events.NodeEventType)),
	)})
	happened := make(chan struct{}, 1)
	go func() {
		for {
			select {
			case <-messages:
				select {
				case happened <- struct{}{}:
				default: // it is known already that there is something to look at
				}
			case <-failures:
				return
			}
		}
	}()
	return happened
}

// swarmError is the clearer error for an engine without a swarm.
func (e *Engine) swarmError(ctx context.Context, err error) error {
	if missing := e.Manager(ctx); missing != nil {
		return missing
	}
	return e.explain(err)
}
