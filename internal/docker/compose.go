package docker

import (
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// Compose is one compose project on this machine, worked on by the machine's own docker compose: its
// labels and its config hash must be compose's own, or a later `up -d` by hand recreates everything.
type Compose struct {
	Dir      string   // project directory
	Name     string   // project name
	Files    []string // absolute
	EnvFiles []string // absolute
	Profiles []string
	Environ  []string // environment of the command
	Overlay  []byte   // a compose file over the others, which is on no disk
	// Lock is inherited by the commands, so that it is held until the last of them has ended, also when
	// whoever started it was killed: nothing of an old deployment may happen while a new one begins.
	Lock *os.File
}

// ComposeMissingError is a machine without docker compose.
type ComposeMissingError struct{}

func (*ComposeMissingError) Error() string { return "docker compose is not installed here" }

// Hint names the packages that have it.
func (*ComposeMissingError) Hint() string { return "apt-get install docker-cli docker-compose-plugin" }

// Check has compose read the files as they are now and accept them.
func (c Compose) Check(ctx context.Context) error {
	_, err := c.run(ctx, "config", "--quiet")
	return err
}

// Scale starts containers of a service until there are n, from the files as they are now. The running
// ones are left alone, whatever the files say of them.
func (c Compose) Scale(ctx context.Context, service string, n int) error {
	_, err := c.run(ctx, "up", "--detach", "--no-deps", "--no-recreate", "--no-build", "--pull", "never",
		"--scale", service+"="+strconv.Itoa(n), service)
	return err
}

// ScaleCreated is Scale, but the containers that are added are not started.
func (c Compose) ScaleCreated(ctx context.Context, service string, n int) error {
	_, err := c.run(ctx, "up", "--no-start", "--no-deps", "--no-recreate", "--no-build", "--pull", "never",
		"--scale", service+"="+strconv.Itoa(n), service)
	return err
}

// Up makes a service what the files say now: containers that differ are recreated.
func (c Compose) Up(ctx context.Context, service string) error {
	_, err := c.run(ctx, "up", "--detach", "--no-deps", "--no-build", "--pull", "never", service)
	return err
}

// Recreate makes all containers of a service anew, from the files as they are now.
func (c Compose) Recreate(ctx context.Context, service string) error {
	_, err := c.run(ctx, "up", "--detach", "--no-deps", "--force-recreate", "--no-build", "--pull", "never", service)
	return err
}

// Create makes a service's containers what the files say now, as Up does, but starts none.
func (c Compose) Create(ctx context.Context, service string) error {
	_, err := c.run(ctx, "up", "--no-start", "--no-deps", "--no-build", "--pull", "never", service)
	return err
}

// OneOff is a container of a service's image that runs one command, on its networks and volumes and with its
// environment.
type OneOff struct {
	Service, Name string
	Labels        map[string]string
	Environ       []string // besides the service's own: NAME=value
	Entrypoint    string   // instead of the image's, unless it is empty
	Command       []string
}

// Start starts a container beside a service's own, from the files as they are now. It goes on by itself.
func (c Compose) Start(ctx context.Context, o OneOff) error {
	args := []string{"run", "--detach", "--no-deps", "--no-TTY", "--name", o.Name}
	for _, key := range slices.Sorted(maps.Keys(o.Labels)) {
		args = append(args, "--label", key+"="+o.Labels[key])
	}
	for _, pair := range o.Environ {
		args = append(args, "--env", pair)
	}
	if o.Entrypoint != "" {
		args = append(args, "--entrypoint", o.Entrypoint)
	}
	_, err := c.run(ctx, slices.Concat(args, []string{o.Service}, o.Command)...)
	return err
}

// Diverged lists the containers that a plain `up -d` of the services would recreate or create.
func (c Compose) Diverged(ctx context.Context, services ...string) ([]string, error) {
	args := append([]string{"--dry-run", "up", "--detach", "--no-deps", "--no-build", "--pull", "never"}, services...)
	out, err := c.run(ctx, args...)
	if err != nil {
		return nil, err
	}
	var list []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, "Recreate") || strings.Contains(line, "Creat") {
			list = append(list, strings.TrimSpace(line))
		}
	}
	return list, nil
}

// run runs a compose command and returns its stderr, where compose shows what it does.
func (c Compose) run(ctx context.Context, args ...string) (string, error) {
	said, err := command{shown: append([]string{"compose"}, args...), args: append(c.flags(), args...), dir: c.Dir, environ: c.Environ, input: c.Overlay, lock: c.Lock}.run(ctx)
	var failed *CommandError
	if errors.Is(err, exec.ErrNotFound) || errors.As(err, &failed) && strings.Contains(failed.Output, "is not a docker command") {
		return "", &ComposeMissingError{}
	}
	return said, err
}

func (c Compose) flags() []string {
	flags := []string{"compose", "--progress", "plain", "--project-directory", c.Dir, "--project-name", c.Name}
	for _, f := range c.Files {
		flags = append(flags, "--file", f)
	}
	if c.Overlay != nil {
		flags = append(flags, "--file", "-")
	}
	for _, f := range c.EnvFiles {
		flags = append(flags, "--env-file", f)
	}
	for _, p := range c.Profiles {
		flags = append(flags, "--profile", p)
	}
	return flags
}
