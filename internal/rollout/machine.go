package rollout

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"promote/compose"
	"promote/internal/docker"
	"promote/internal/journal"
	"promote/internal/promotion"
)

// History is an environment's journal: a file beside the compose files, or the commits that hold them.
type History interface {
	Entries() ([]journal.Entry, error)
	Append(journal.Entry) error
}

// Machine is this machine, as far as one environment is concerned.
type Machine struct {
	Target  promotion.Target
	Engine  *docker.Engine // nil with engine: none
	Environ []string       // that docker compose runs in
	History History
	Now     func() time.Time
	Login   func(ctx context.Context, repository string) (header string) // this machine's own docker login, as an engine takes it; empty without one
	Lock    *os.File                                                     // the environment's, for the commands that a deployment starts; nil outside of one
}

// auth is what an engine needs to get images of a repository: what came with the request, or else this machine's
// own docker login.
func (m *Machine) auth(ctx context.Context, given map[string]string, repository string) string {
	if header := given[repository]; header != "" || m.Login == nil || repository == "" {
		return header
	}
	return m.Login(ctx, repository)
}

// journal is where the environment's lock and deployments lie, wherever its history does.
func (m *Machine) journal() *journal.Journal { return journal.Open(m.Target.Project) }

// load reads the compose project as it is now, as far as the target's services go.
func (m *Machine) load(ctx context.Context) (*compose.Project, error) {
	o := compose.Options{
		Dir: m.Target.Project, Files: m.Target.Compose, EnvFiles: m.Target.EnvFiles,
		Name: m.Target.Name, Profiles: m.Target.Profiles, Environ: m.Environ,
	}
	for _, s := range m.Target.Services {
		o.Services = append(o.Services, s.Runs...)
	}
	if m.Target.Engine == promotion.EngineSwarm {
		o.Services = nil // a stack is deployed whole
	}
	return compose.Load(ctx, o)
}

// command is docker compose for the project.
func (m *Machine) command(p *compose.Project, name string) docker.Compose {
	return docker.Compose{
		Dir: p.Dir(), Name: name, Files: p.Files(), EnvFiles: p.EnvFiles(),
		Profiles: m.Target.Profiles, Environ: m.Environ, Lock: m.Lock,
	}
}

// stackCommand is docker stack for the project.
func (m *Machine) stackCommand(p *compose.Project, name string) (docker.Stack, error) {
	environ, err := p.Environ()
	return docker.Stack{Dir: p.Dir(), Name: name, Files: p.Files(), Environ: environ, Lock: m.Lock}, err
}

// projectName is the compose project to work on: the configured one, else the one whose containers
// run from this directory, else compose's default. Two that run from one directory are not guessed
// between.
func (m *Machine) projectName(p *compose.Project, containers []docker.Container) (string, error) {
	if m.Target.Name != "" {
		return m.Target.Name, nil
	}
	running := map[string]bool{}
	for _, c := range containers {
		if samePath(c.Dir, p.Dir()) {
			running[c.Project] = true
		}
	}
	switch names := slices.Collect(maps.Keys(running)); {
	case len(names) == 1:
		return names[0], nil
	case len(names) > 1:
		return "", &secondStackError{fmt.Sprintf("containers of several compose projects run from %s", p.Dir()), "name: …   # which of them is meant, in promote.yaml"}
	}
	return p.Name(), m.noSecondStack(p, containers)
}

// noSecondStack refuses to start what runs already under another name, from another directory.
func (m *Machine) noSecondStack(p *compose.Project, containers []docker.Container) error {
	for _, c := range containers {
		same := func(path string) bool { return path != "" && slices.Contains(p.Files(), path) }
		if c.Project != p.Name() && slices.ContainsFunc(c.Files, same) {
			return &secondStackError{
				fmt.Sprintf("the compose project %s runs from the same files in %s; deploying to %s would start it a second time", c.Project, c.Dir, p.Name()),
				fmt.Sprintf("project: %s   # in promote.yaml, if that is the one; else name: %s", c.Dir, p.Name()),
			}
		}
	}
	return nil
}

// secondStackError is a project of which it is not clear which running one it is.
type secondStackError struct{ reason, advice string }

func (e *secondStackError) Error() string { return e.reason }

// Hint is the setting that makes it clear.
func (e *secondStackError) Hint() string { return e.advice }

func samePath(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := filepath.EvalSymlinks(a)
	y, errY := filepath.EvalSymlinks(b)
	return errX == nil && errY == nil && x == y
}
