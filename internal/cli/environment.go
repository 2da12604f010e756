package cli

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"promote/internal/config"
	"promote/internal/deploy"
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
		p.registries = cfg.Registry
	}
	return cfg, err
}

// client reads promote.yaml for a command that is about environments.
func (p *program) client(c *cli.Context) (*deploy.Client, error) {
	cfg, err := p.load(c)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// what else is brought to hosts lies beside the program, not beside the link that it was started by
	path, err := filepath.EvalSymlinks(self)
	if err != nil {
		return nil, err
	}
	ssh, err := p.ssh(cfg, path)
	if err != nil {
		return nil, err
	}
	p.connections = &deploy.Connections{
		Here: p.local(self), SSH: ssh, By: p.who(), Patience: cfg.SSH.Patience,
		Lost: p.screen.Lost, Found: p.screen.Found,
	}
	return &deploy.Client{Config: cfg, Connections: p.connections, Registry: p.registry(), By: p.who(), Environ: p.environ}, nil
}

// local is the host side in this process, for clients here and for those that come over ssh.
func (p *program) local(self string) *host.Local {
	return &host.Local{Open: p.machine, Worker: []string{self, "host", "work"}}
}

// ssh is how hosts are reached. A person at a terminal may be asked for a passphrase. A program that promote.yaml
// names, which may be anybody's in a checkout, runs once the person's own environment names it, too.
func (p *program) ssh(cfg *config.Config, program string) (*host.SSH, error) {
	command := strings.Fields(p.env("PROMOTE_SSH"))
	if named := strings.Join(cfg.SSH.Command, " "); named != "" && len(command) == 0 {
		return nil, &usage{
			text: fmt.Sprintf("%s wants hosts reached by %q, which is not run unasked", cfg.Path, named),
			hint: fmt.Sprintf("export PROMOTE_SSH=%q", named),
		}
	}
	return &host.SSH{Command: command, Environ: p.environ, Program: &host.Program{Path: program}, Batch: !p.interactive()}, nil
}

// interactive reports whether somebody can be asked something.
func (p *program) interactive() bool {
	in, ok := p.in.(*os.File)
	return ok && !p.screen.JSON && term.IsTerminal(int(in.Fd()))
}

// hangUp ends all connections.
func (p *program) hangUp() {
	if p.connections != nil {
		p.connections.Close()
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
	endpoint, err := docker.FindEndpoint(p.env)
	if err != nil {
		return m, err
	}
	m.Environ = endpoint.Environ(p.environ)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.docker == nil {
		p.docker, err = endpoint.Connect(ctx)
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
	endpoint, err := docker.FindEndpoint(p.env)
	if err != nil {
		return nil, err
	}
	return endpoint.Connect(ctx)
}

// who is the person, or the CI, that does this, and from where.
func (p *program) who() string {
	if actor := p.env("GITHUB_ACTOR"); actor != "" {
		return actor + "@github"
	}
	if actor := p.env("GITLAB_USER_LOGIN"); actor != "" {
		return actor + "@gitlab"
	}
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	where, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + where
}
