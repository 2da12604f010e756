package rollout

import (
	"context"
	"maps"
	"slices"
	"strings"

	"promote/internal/docker"
	"promote/internal/promotion"
)

// stackState is State for a stack: its services' tasks are the containers.
func (m *Machine) stackState(ctx context.Context) (promotion.State, error) {
	s := promotion.State{Environment: m.Target.Environment, Project: m.Target.Name, Now: m.Now().UTC()}
	project, err := m.load(ctx)
	if err != nil {
		return s, err
	}
	services, err := m.Engine.StackServices(ctx, s.Project)
	if err != nil {
		return s, err
	}
	tasks, err := m.Engine.Tasks(ctx, s.Project)
	if err != nil {
		return s, err
	}
	written := byName(project)
	for name, facts := range written {
		if one := inStack(services, name); one != nil && one.PerNode {
			facts.Replicas = one.Wanted
			written[name] = facts
		}
	}
	for _, service := range m.Target.Services {
		s.Services = append(s.Services, m.service(service, written, func(name string) []promotion.Container {
			return taskStates(s.Project, inStack(services, name), tasks, written[name].Pin.Digest != "")
		}))
	}
	return s, m.complete(&s, project)
}

// taskStates describes the tasks that a service is to have, newest first as they are given. A task keeps its
// place when its container is replaced, so the place is what it is known by; while one is replaced by the
// next, the one that runs counts. The image has its digest only where the file's has.
func taskStates(stack string, s *docker.StackService, tasks []docker.Task, digest bool) []promotion.Container {
	found := map[string]promotion.Container{}
	for _, t := range tasks {
		if s == nil || t.Service != s.ID || !t.Wanted {
			continue
		}
		c := promotion.Container{ID: s.ID + "." + t.Name, Name: stack + "_" + s.Name + "." + t.Name, Image: t.Image, State: t.State, ExitCode: t.ExitCode}
		if c.State == "complete" {
			c.State = "exited"
		}
		image, sum, _ := strings.Cut(t.Image, "@")
		if c.Digest = sum; !digest {
			c.Image = image
		}
		if other, taken := found[t.Name]; !taken || other.State != "running" && c.State == "running" {
			found[t.Name] = c
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b promotion.Container) int { return strings.Compare(a.Name, b.Name) })
}
