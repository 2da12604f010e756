package cli

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

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
	cfg, err := config.Load(path, p.lookup)
	if err == nil {
		p.patience = cfg.Registry.Patience
	}
	return cfg, err
}

// environment is one of promote.yaml's, on one machine, with its host side.
type environment struct {
	*config.Environment
	host   string // which of several hosts; empty where there is one
	target promotion.Target
	side   *host.Side
}

// label names the environment for people, with the host where there are several.
func (e *environment) label() string {
	if e.host == "" {
		return e.Name
	}
	return e.Name + "@" + e.host
}

// environments opens an environment by name, once for each of its hosts: their sides are ready to be
// asked.
func (p *program) environments(cfg *config.Config, name string) ([]*environment, error) {
	e, err := cfg.Environment(name)
	if err != nil {
		return nil, err
	}
	target, err := targetOf(cfg, e)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if len(e.Hosts) == 0 {
		return []*environment{{e, "", target, host.Here(target, p.who(), p.local(self))}}, nil
	}
	var list []*environment
	for _, address := range e.Hosts {
		remote, err := p.remote(cfg, address, self)
		if err != nil {
			return nil, err
		}
		one := &environment{e, "", target, host.There(target, p.who(), remote)}
		if len(e.Hosts) > 1 {
			one.host = remote.Host.Host
		}
		list = append(list, one)
	}
	return list, nil
}

// local is the host side in this process, for clients here and for those that come over ssh.
func (p *program) local(self string) *host.Local {
	return &host.Local{Open: p.machine, Worker: []string{self, "host", "work"}}
}

// remote is a host. All that one run of promote wants of it goes over one connection.
func (p *program) remote(cfg *config.Config, address, self string) (*host.Remote, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.remotes[address]; r != nil {
		return r, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	command := cfg.SSH.Command
	if own := strings.Fields(p.env("PROMOTE_SSH")); len(own) > 0 {
		command = own
	}
	if p.bring == nil {
		// what else is brought lies beside the program, not beside the link that it was started by
		path, err := filepath.EvalSymlinks(self)
		if err != nil {
			return nil, err
		}
		p.bring = &host.Program{Path: path}
	}
	in, terminal := p.in.(*os.File)
	r := &host.Remote{
		Host: u, SSH: &host.SSH{Command: command, Environ: p.environ, Program: p.bring, Batch: !terminal || p.screen.JSON || !term.IsTerminal(int(in.Fd()))},
		Patience: cfg.SSH.Patience,
		Lost:     func(err error, again time.Duration) { p.screen.Lost(u.Hostname(), err, again) },
		Found:    func() { p.screen.Found(u.Hostname()) },
	}
	if p.remotes == nil {
		p.remotes = map[string]*host.Remote{}
	}
	p.remotes[address] = r
	return r, nil
}

// hangUp ends all connections.
func (p *program) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.remotes {
		r.Close()
	}
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
	m.Login = p.login
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	if p.docker == nil {
		p.docker, err = p.engine(ctx)
	}
	m.Engine = p.docker
	return m, err
}

// login is the docker login of this machine for a repository, if there is one that can be read.
func (p *program) login(ctx context.Context, repository string) string {
	credentials, err := p.registry().Credentials(ctx, repository)
	if err != nil {
		return "" // the registry will say what it wants
	}
	return credentials.Header()
}

// engine is the Docker engine that docker itself would use here.
func (p *program) engine(ctx context.Context) (*docker.Engine, error) {
	host := p.env("DOCKER_HOST")
	if dir := p.env("DOCKER_CERT_PATH"); dir != "" && p.env("DOCKER_TLS_VERIFY") != "" {
		return docker.Connect(ctx, host, docker.Certificates(dir))
	}
	return docker.Connect(ctx, host)
}

// serviceOf is what the host side has to know of a service.
func serviceOf(s *config.Service) promotion.Service {
	t := promotion.Service{
		Name: s.Name, Image: s.Image, Runs: s.Runs, After: s.After, Tag: s.Tag,
		Strategy: s.Strategy, Concurrent: s.Concurrent, Dark: s.Dark, Checks: checksOf(s), Tasks: tasksOf(s),
	}
	if p := s.Proxy; p != nil {
		t.Front = &promotion.Front{Service: p.Service, ProxyCare: promotion.ProxyCare{
			AfterHealthy: argv(p.AfterHealthy), AfterGone: argv(p.AfterGone), Drain: argv(p.Drain), Settle: p.Settle,
		}}
	}
	return t
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
		if e.Has(s.Name) {
			t.Services = append(t.Services, serviceOf(s))
		}
	}
	if len(e.Hosts) > 0 {
		if !path.IsAbs(t.Project) {
			return t, fmt.Errorf("%s: project of %s has to be the whole path of the project directory on its host, such as /srv/%s", e.Place, e.Name, e.Name)
		}
		return t, nil
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
