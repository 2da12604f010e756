package docker

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"
	"golang.org/x/sync/errgroup"
)

// Labels that compose puts on its containers.
const (
	LabelProject = "com.docker.compose.project"
	labelService = "com.docker.compose.service"
	labelDir     = "com.docker.compose.project.working_dir"
	labelFiles   = "com.docker.compose.project.config_files"
	labelOneOff  = "com.docker.compose.oneoff"
)

// Container is a container of a compose service.
type Container struct {
	ID, Name       string
	Project, Dir   string   // compose project and its directory
	Files          []string // its compose files
	Service        string
	Image, ImageID string // reference it was made from; the image itself
	State          string // created, running, restarting, exited, dead, …
	Health         string // healthy, unhealthy, starting; empty without a health check
	ExitCode       int
	Restarts       int
	Policy         string // when the engine starts it again: no, always, on-failure, unless-stopped
	Probe          *Probe // its health check
	Created        time.Time
	Started        time.Time // last; only from an inspection
	Joins          []string  // containers in whose network, pid or ipc namespace it is: ids, or names; only from an inspection
	Address        string
	Networks       []string // names
	Command        string   // as `docker ps` shows it; only from a listing
	Labels         map[string]string
}

// Probe is a health check as the image or the compose file gives it.
type Probe struct {
	Command []string // ready to be run in the container
	Timeout time.Duration
}

// Containers lists the containers of all compose projects, or of one; those of `compose run` are not
// among them.
func (e *Engine) Containers(ctx context.Context, project string) ([]Container, error) {
	label := LabelProject
	if project != "" {
		label += "=" + project
	}
	listed, err := e.API.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", label))})
	if err != nil {
		return nil, e.explain(err)
	}
	var list []Container
	for _, c := range listed {
		if c.Labels[labelOneOff] == "True" {
			continue
		}
		list = append(list, Container{
			ID: c.ID, Name: strings.TrimPrefix(slices.Concat(c.Names, []string{""})[0], "/"),
			Project: c.Labels[LabelProject], Dir: c.Labels[labelDir], Files: strings.Split(c.Labels[labelFiles], ","), Service: c.Labels[labelService],
			Image: c.Image, ImageID: c.ImageID, State: c.State, Created: time.Unix(c.Created, 0),
			Networks: networks(c.NetworkSettings), Command: c.Command, Labels: c.Labels,
		})
	}
	slices.SortFunc(list, func(a, b Container) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func networks(s *container.NetworkSettingsSummary) []string {
	if s == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.Networks))
}

// Service lists the containers of one compose service, with their details.
func (e *Engine) Service(ctx context.Context, project, service string) ([]Container, error) {
	all, err := e.Containers(ctx, project)
	if err != nil {
		return nil, err
	}
	of := slices.DeleteFunc(all, func(c Container) bool { return c.Service != service })
	return e.Details(ctx, of)
}

// Details inspects containers side by side. One that is gone meanwhile is left out.
func (e *Engine) Details(ctx context.Context, list []Container) ([]Container, error) {
	detailed := make([]Container, len(list))
	group, ctx := errgroup.WithContext(ctx)
	for i, c := range list {
		group.Go(func() error {
			d, err := e.Inspect(ctx, c.ID)
			if errdefs.IsNotFound(err) {
				return nil
			}
			detailed[i] = d
			return err
		})
	}
	err := group.Wait()
	return slices.DeleteFunc(detailed, func(c Container) bool { return c.ID == "" }), err
}

// Inspect reads one container.
func (e *Engine) Inspect(ctx context.Context, id string) (Container, error) {
	d, err := e.API.ContainerInspect(ctx, id)
	if err != nil {
		return Container{}, err
	}
	created, _ := time.Parse(time.RFC3339Nano, d.Created)
	c := Container{
		ID: d.ID, Name: strings.TrimPrefix(d.Name, "/"), Created: created,
		Project: d.Config.Labels[LabelProject], Dir: d.Config.Labels[labelDir], Files: strings.Split(d.Config.Labels[labelFiles], ","), Service: d.Config.Labels[labelService],
		Image: d.Config.Image, ImageID: d.Image, State: d.State.Status, ExitCode: d.State.ExitCode, Restarts: d.RestartCount,
		Probe: probe(d.Config.Healthcheck), Policy: string(d.HostConfig.RestartPolicy.Name),
	}
	if d.State.Health != nil && d.State.Health.Status != container.NoHealthcheck {
		c.Health = d.State.Health.Status
	}
	c.Started, _ = time.Parse(time.RFC3339Nano, d.State.StartedAt)
	for _, mode := range []string{string(d.HostConfig.NetworkMode), string(d.HostConfig.PidMode), string(d.HostConfig.IpcMode)} {
		if other, joined := strings.CutPrefix(mode, "container:"); joined && !slices.Contains(c.Joins, other) {
			c.Joins = append(c.Joins, other)
		}
	}
	return c, nil
}

// probe makes a health check's test a command, as the engine itself would run it.
func probe(h *container.HealthConfig) *Probe {
	if h == nil || len(h.Test) < 2 {
		return nil
	}
	p := &Probe{Command: h.Test[1:], Timeout: h.Timeout}
	if h.Test[0] == "CMD-SHELL" {
		p.Command = []string{"/bin/sh", "-c", h.Test[1]}
	}
	if p.Timeout == 0 {
		p.Timeout = 30 * time.Second // the engine's default
	}
	return p
}

// Logs returns the last lines that a container wrote.
func (e *Engine) Logs(ctx context.Context, id string, lines string) ([]string, error) {
	stream, err := e.API.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: lines})
	if err != nil {
		return nil, err
	}
	return readLines(stream)
}

// readLines reads both outputs of a container, to the end.
func readLines(stream io.ReadCloser) ([]string, error) {
	defer stream.Close()
	var out bytes.Buffer
	if _, err := stdcopy.StdCopy(&out, &out, stream); err != nil {
		return nil, err
	}
	text := strings.TrimRight(out.String(), "\n")
	if text == "" {
		return nil, nil
	}
	return strings.Split(text, "\n"), nil
}

// Remove stops a container with its own timeout and signal, and removes it. One that is gone is no error.
// It goes on when the context ends: so does the engine with what it was asked for, and whoever looked before
// that had come to its end would find a container running that is about to be no more.
func (e *Engine) Remove(ctx context.Context, id string) error {
	ctx = context.WithoutCancel(ctx)
	if err := e.Stop(ctx, id); err != nil {
		return err
	}
	return e.Discard(ctx, id)
}

// Stop stops a container with its own timeout and signal, and does not return before that, as Remove. One that is
// gone is no error.
func (e *Engine) Stop(ctx context.Context, id string) error {
	ctx = context.WithoutCancel(ctx)
	err := e.API.ContainerStop(ctx, id, container.StopOptions{})
	if client.IsErrConnectionFailed(err) {
		err = e.awaitStop(ctx, id, err)
	}
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// Discard removes a container at once, with its anonymous volumes. One that is gone is no error.
func (e *Engine) Discard(ctx context.Context, id string) error {
	err := e.API.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// Rename gives a container a name.
func (e *Engine) Rename(ctx context.Context, id, name string) error {
	return e.API.ContainerRename(ctx, id, name)
}

// Start starts a container that was stopped.
func (e *Engine) Start(ctx context.Context, id string) error {
	return e.API.ContainerStart(ctx, id, container.StartOptions{})
}

// Root is the folder where the engine keeps images and containers, and whether that is on this machine.
func (e *Engine) Root(ctx context.Context) (dir string, here bool, err error) {
	info, err := e.API.Info(ctx)
	if err != nil {
		return "", false, e.explain(err)
	}
	return info.DockerRootDir, strings.HasPrefix(e.API.DaemonHost(), "unix://"), nil
}
