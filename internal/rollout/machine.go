package rollout

import (
	"context"
	"errors"
	"os"
	"path/filepath"
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
	Lock    *os.File // the environment's, for the commands that a deployment starts; nil outside of one
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
	return compose.Load(ctx, o)
}

// command is docker compose for the project.
func (m *Machine) command(p *compose.Project, name string) docker.Compose {
	return docker.Compose{
		Dir: p.Dir(), Name: name, Files: p.Files(), EnvFiles: p.EnvFiles(),
		Profiles: m.Target.Profiles, Environ: m.Environ, Lock: m.Lock,
	}
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
	if len(running) == 0 || running[p.Name()] && len(running) == 1 {
		return p.Name(), nil
	}
	if len(running) > 1 {
		return "", errors.New("containers of several compose projects run from " + p.Dir() + "; say which one is meant with name: in promote.yaml")
	}
	for name := range running {
		return name, nil
	}
	return p.Name(), nil
}

func samePath(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := filepath.EvalSymlinks(a)
	y, errY := filepath.EvalSymlinks(b)
	return errX == nil && errY == nil && x == y
}
