package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/docker"
	"promote/internal/host"
	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// load finds and reads promote.yaml.
func (p *program) load(c *cli.Context) (*config.Config, error) {
	path := c.String("config")
	if path == "" {
		dir, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		if path, err = config.Find(dir); err != nil {
			return nil, err
		}
	}
	return config.Load(path, p.lookup)
}

// environment is one of promote.yaml's, with its host side.
type environment struct {
	*config.Environment
	target promotion.Target
	side   *host.Local
}

// environment opens an environment by name: its host side is ready to be asked.
func (p *program) environment(ctx context.Context, cfg *config.Config, name string) (*environment, error) {
	e, err := cfg.Environment(name)
	if err != nil {
		return nil, err
	}
	target, err := targetOf(cfg, e)
	if err != nil {
		return nil, err
	}
	machine, err := p.machine(ctx, target)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return &environment{e, target, &host.Local{Machine: machine, Worker: []string{self, "host", "work"}}}, nil
}

// machine is this machine for a target. With engine: none no engine is looked for.
func (p *program) machine(ctx context.Context, t promotion.Target) (*rollout.Machine, error) {
	m := &rollout.Machine{Target: t, Environ: p.environ, History: journal.Open(t.Project).Of(t.Environment), Now: time.Now}
	if t.Git != nil && t.Git.Commit {
		m.History = &commits{ctx, t}
	}
	if t.Engine == promotion.EngineNone {
		return m, nil
	}
	var err error
	m.Engine, err = p.engine(ctx)
	return m, err
}

// engine is the Docker engine that docker itself would use here.
func (p *program) engine(ctx context.Context) (*docker.Engine, error) {
	host := p.env("DOCKER_HOST")
	if dir := p.env("DOCKER_CERT_PATH"); dir != "" && p.env("DOCKER_TLS_VERIFY") != "" {
		return docker.Connect(ctx, host, docker.Certificates(dir))
	}
	return docker.Connect(ctx, host)
}

// targetOf is what the host side has to know of an environment.
func targetOf(cfg *config.Config, e *config.Environment) (promotion.Target, error) {
	t := promotion.Target{
		Environment: e.Name, Project: e.Project, Compose: e.Compose, EnvFiles: e.EnvFile, Name: e.ProjectName,
		Profiles: e.Profiles, Engine: e.Engine, Accept: e.Accept, Digests: e.Digests,
		Rollout: promotion.Rollout(e.Rollout),
	}
	if e.Git != nil {
		t.Git = &promotion.Git{Commit: e.Git.Commit, Push: e.Git.Push}
	}
	for _, s := range cfg.Services {
		if len(e.Services) == 0 || slices.Contains(e.Services, s.Name) {
			t.Services = append(t.Services, promotion.Service{Name: s.Name, Image: s.Image, Runs: s.Runs, After: s.After, Tag: s.Tag})
		}
	}
	if !filepath.IsAbs(t.Project) {
		t.Project = filepath.Join(cfg.Dir, t.Project)
	}
	var err error
	t.Project, err = filepath.Abs(t.Project)
	if info, statErr := os.Stat(t.Project); statErr != nil || !info.IsDir() {
		return t, fmt.Errorf("%s: the project directory of %s, %s, is not there", e.Place, e.Name, t.Project)
	}
	return t, err
}
