package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"promote/compose"
	"promote/internal/docker"
	"promote/internal/journal"
	"promote/internal/promotion"
)

// State looks at the environment: files, containers, journal. Nothing is changed.
func (m *Machine) State(ctx context.Context) (promotion.State, error) {
	if m.Target.Engine == promotion.EngineSwarm {
		return m.stackState(ctx)
	}
	var project *compose.Project
	var containers []docker.Container
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() (err error) { project, err = m.load(inner); return err })
	if m.Engine != nil {
		group.Go(func() (err error) { containers, err = m.Engine.Containers(inner, ""); return err })
	}
	if err := group.Wait(); err != nil {
		return promotion.State{}, err
	}
	name, err := m.projectName(project, containers)
	if err != nil {
		return promotion.State{}, err
	}
	s := promotion.State{Environment: m.Target.Environment, Project: name, Now: m.Now().UTC()}
	found, err := m.describe(ctx, slices.DeleteFunc(slices.Clone(containers), func(c docker.Container) bool { return c.Project != name }))
	if err != nil {
		return s, err
	}
	services := byName(project)
	for _, service := range m.Target.Services {
		one := m.service(service, services, func(name string) []promotion.Container { return containerStates(found, name, service.Image) })
		for i, part := range one.Parts {
			of := slices.DeleteFunc(slices.Clone(containers), func(c docker.Container) bool { return c.Project != name || c.Service != part.Compose.Name })
			one.Parts[i].Neighbours = neighbours(of, containers)
			one.Parts[i].Attached = runningServices(part.Compose.Attached, name, containers)
		}
		s.Services = append(s.Services, one)
	}
	return s, m.complete(&s, project)
}

// runningServices are those compose services of a project that have a container that runs.
func runningServices(services []string, project string, containers []docker.Container) []string {
	var list []string
	for _, service := range services {
		if slices.ContainsFunc(containers, func(c docker.Container) bool {
			return c.Project == project && c.Service == service && (c.State == "running" || c.State == "restarting")
		}) {
			list = append(list, service)
		}
	}
	return list
}

// complete adds what neither containers nor tasks tell.
func (m *Machine) complete(s *promotion.State, p *compose.Project) error {
	for _, service := range s.Services {
		for i, part := range service.Parts {
			service.Parts[i].Given = p.Given(part.Compose.Name)
		}
	}
	if err := m.remember(s); err != nil {
		return err
	}
	return m.recall(s)
}

// described is a container with the digests of its image.
type described struct {
	docker.Container
	digests []string
}

// describe reads the containers of the target's services and their images, side by side.
func (m *Machine) describe(ctx context.Context, list []docker.Container) ([]described, error) {
	ours := map[string]bool{}
	for _, s := range m.Target.Services {
		for _, name := range s.Runs {
			ours[name] = true
		}
	}
	list = slices.DeleteFunc(list, func(c docker.Container) bool { return !ours[c.Service] })
	if len(list) == 0 {
		return nil, nil
	}
	detailed, err := m.Engine.Details(ctx, list)
	if err != nil {
		return nil, err
	}
	found := make([]described, len(detailed))
	group, ctx := errgroup.WithContext(ctx)
	for i, c := range detailed {
		group.Go(func() error {
			image, _, err := m.Engine.Image(ctx, c.ImageID)
			found[i] = described{Container: c, digests: image.Digests}
			return err
		})
	}
	return found, group.Wait()
}

// service puts together what is known of one service, but for the journal.
func (m *Machine) service(s promotion.Service, services map[string]compose.Service, containers func(composeService string) []promotion.Container) promotion.ServiceState {
	state := promotion.ServiceState{Service: s.Name, Image: s.Image}
	for _, name := range s.Runs {
		facts, ok := services[name]
		if !ok {
			continue
		}
		if facts.Refusal != "" && state.Problem == "" {
			state.Problem, state.Advice = facts.Refusal, facts.Advice
		}
		if facts.Repository != "" && !compose.SameRepository(facts.Repository, s.Image) && state.Problem == "" {
			state.Problem = fmt.Sprintf("%s: service %s runs %s, promote.yaml says %s", facts.Place.File, name, facts.Repository, s.Image)
			state.Advice = "promote lint " + m.Target.Environment
		}
		state.Parts = append(state.Parts, promotion.Part{Compose: facts, Containers: containers(name)})
	}
	state.Absent = len(state.Parts) == 0
	return state
}

// byName are the services of a project. Listing them is work, so ask once.
func byName(p *compose.Project) map[string]compose.Service {
	services := map[string]compose.Service{}
	for _, s := range p.Services() {
		services[s.Name] = s
	}
	return services
}

func containerStates(found []described, composeService, repository string) []promotion.Container {
	var list []promotion.Container
	for _, c := range found {
		if c.Service == composeService {
			list = append(list, containerState(c, repository))
		}
	}
	return list
}

func containerState(c described, repository string) promotion.Container {
	state := promotion.Container{
		ID: c.ID, Name: c.Name, Image: c.Image, ImageID: c.ImageID, State: c.State, Health: c.Health, ExitCode: c.ExitCode, Restarts: c.Restarts,
	}
	for _, d := range c.digests {
		name, digest, _ := strings.Cut(d, "@")
		if compose.SameRepository(name, repository) {
			state.Digest = digest
		}
	}
	return state
}

// remember adds what the lock says: who works on the environment right now.
func (m *Machine) remember(s *promotion.State) error {
	holder, err := m.journal().Locked()
	if holder != nil {
		s.Lock = holder.String()
	}
	return err
}

// recall adds what the journal says. A deployment without an end is only interrupted when nobody is
// working on it.
func (m *Machine) recall(s *promotion.State) error {
	entries, err := m.History.Entries()
	if err != nil {
		return err
	}
	marks := map[string][]promotion.Mark{}
	for _, mark := range journal.Marks(entries) {
		marks[mark.Service] = append(marks[mark.Service], fromJournal(mark))
	}
	s.Locked = promotion.Lock(marks[""])
	ran := m.taskRuns(entries)
	for i, service := range s.Services {
		s.Services[i].Ran = ran[service.Service]
		s.Services[i].Marks = marks[service.Service]
		for _, mark := range marks[service.Service] {
			if mark.Kind == promotion.Running && mark.Deployment != "" {
				s.Services[i].Last = mark.At
			}
		}
	}
	if d := journal.Unfinished(entries); d != nil && s.Lock == "" {
		s.Interrupted = &promotion.Interrupted{ID: d.ID, Kind: promotion.Kind(d.Kind), By: d.By, At: d.At}
	}
	return nil
}

// The journal keeps marks as text; what they mean is promotion's.
func fromJournal(m journal.Mark) promotion.Mark {
	return promotion.Mark{
		Service: m.Service, Kind: promotion.MarkKind(m.Kind), Release: m.Release, Left: m.Left, Keep: m.Keep,
		Until: m.Until, By: m.By, At: m.At, Reason: m.Reason, Deployment: m.Deployment,
	}
}

func toJournal(m promotion.Mark) journal.Mark {
	return journal.Mark{
		Service: m.Service, Kind: string(m.Kind), Release: m.Release, Left: m.Left, Keep: m.Keep,
		Until: m.Until, By: m.By, At: m.At, Reason: m.Reason, Deployment: m.Deployment,
	}
}
