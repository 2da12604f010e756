package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"promote/internal/config"
	"promote/internal/deploy"
	"promote/internal/promotion"
	"promote/internal/ui"
	"promote/semver"
)

func (p *program) statusCommand() *cli.Command {
	return p.command(entry{
		name: "status", args: "[ENV…]", usage: "show which version of each service is where, since when, and what is odd about it",
		examples: []string{"promote status", "promote status prod --long   what the file, the containers and the history say", "promote status prod --json", "promote status prod --exit-code  11 on drift"},
		flags:    []cli.Flag{exitFlag, &cli.BoolFlag{DisableDefaultText: true, Name: "notify", Usage: "tell those who want to know of drift, for a job that runs by the clock"}, &cli.BoolFlag{DisableDefaultText: true, Name: "long", Aliases: []string{"l"}, Usage: "show images, digests and history of each service"}},
		run:      p.status,
	})
}

func (p *program) status(ctx context.Context, c *cli.Context) error {
	client, names, err := p.clientFor(c)
	if err != nil {
		return err
	}
	found := make([][]ui.EnvironmentStatus, len(names))
	group := errgroup.Group{}
	for i, name := range names {
		group.Go(func() error {
			found[i] = environmentStatus(ctx, client, name)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	answer := ui.Status{Schema: promotion.Schema, Environments: slices.Concat(found...)}
	if err := p.screen.Status(answer, time.Now(), c.Bool("long")); err != nil {
		return err
	}
	if c.Bool("notify") {
		p.tellDrift(ctx, client.Config, answer)
	}
	return verdictOf(answer, c.Bool("exit-code"))
}

// clientFor is for a command that is about the environments of its command line, or all.
func (p *program) clientFor(c *cli.Context) (*deploy.Client, []string, error) {
	client, err := p.client(c)
	if err != nil {
		return nil, nil, err
	}
	names, err := environmentNames(client.Config, c.Args().Slice())
	return client, names, err
}

// environmentNames are those of the command line, or all.
func environmentNames(cfg *config.Config, named []string) ([]string, error) {
	for _, name := range named {
		if _, err := cfg.Environment(name); err != nil {
			return nil, err
		}
	}
	if len(named) > 0 {
		return named, nil
	}
	var all []string
	for _, e := range cfg.Environments {
		all = append(all, e.Name)
	}
	return all, nil
}

// verdictOf turns a status into an exit code: one environment that can't be looked at is a failure,
// though the others were shown.
func verdictOf(s ui.Status, drift bool) error {
	drifted := false
	for _, e := range s.Environments {
		if e.Error != "" {
			return &quietError{exitFailed}
		}
		for _, v := range e.Services {
			drifted = drifted || len(v.Drift) > 0
		}
	}
	if drift && drifted {
		return &quietError{exitDrift}
	}
	return nil
}

// environmentStatus looks at all hosts of an environment, side by side.
func environmentStatus(ctx context.Context, client *deploy.Client, name string) []ui.EnvironmentStatus {
	environments, err := client.Connections.Open(client.Config, name)
	if err != nil {
		return []ui.EnvironmentStatus{{Environment: name, Error: err.Error(), Hint: ui.Hint(err)}}
	}
	answers := make([]ui.EnvironmentStatus, len(environments))
	hosts := make([]promotion.HostState, len(environments))
	var group sync.WaitGroup
	for i, env := range environments {
		group.Go(func() {
			state, err := env.Side.State(ctx)
			answers[i] = hostStatus(env, state, err)
			hosts[i] = promotion.HostState{Host: env.Host, State: state}
		})
	}
	group.Wait()
	for i := range answers[0].Services {
		v := &answers[0].Services[i]
		for _, service := range environments[0].Target.Services {
			if service.Name == v.Service && len(hosts) > 1 {
				v.Drift = append(v.Drift, promotion.HostDrift(service, hosts)...)
			}
		}
	}
	return answers
}

// hostStatus is the status of an environment on one machine.
func hostStatus(env *deploy.Environment, state promotion.State, err error) ui.EnvironmentStatus {
	answer := ui.EnvironmentStatus{Environment: env.Name, Host: env.Host}
	if err != nil {
		answer.Error, answer.Hint = err.Error(), ui.Hint(err)
		return answer
	}
	answer.Lock = state.Lock
	if state.Locked != nil {
		answer.Locked = ui.LockedText(*state.Locked)
	}
	if i := state.Interrupted; i != nil {
		answer.Interrupted = string(i.Kind) + " " + i.ID + " by " + i.By
	}
	for i, s := range state.Services {
		if s.Absent {
			continue
		}
		v := serviceStatus(env.Target, env.Target.Services[i].Tag, s, state.Now)
		if state.Lock == "" { // else somebody is at it, and what is half-way there is no drift
			v.Drift = promotion.Drifts(env.Target, s, env.Target.Services[i].Tag)
		}
		answer.Services = append(answer.Services, v)
	}
	return answer
}

func serviceStatus(t promotion.Target, tag semver.Template, s promotion.ServiceState, now time.Time) ui.ServiceStatus {
	present, place := s.Present(tag), s.Parts[0].Compose.Place
	v := ui.ServiceStatus{
		Service: s.Service, Version: promotion.Label(present), In: place.In, Running: running(t, s), Digest: s.Digest(),
		Recorded: promotion.Recorded(s.Marks), Since: s.Last, Mark: promotion.Standing(s.Marks, present), Problem: s.Problem,
	}
	if hold := promotion.Hold(s.Marks, now); hold != nil {
		v.Hold = ui.HoldText(*hold)
	}
	if short, err := filepath.Rel(t.Project, place.File); err == nil {
		v.Place = placeText(short, place.Line)
	}
	for _, part := range s.Parts {
		for _, c := range part.Containers {
			v.Containers = append(v.Containers, ui.ContainerStatus{Service: part.Compose.Name, Container: c})
		}
	}
	return v
}

// running says in two words what the containers of a service do.
func running(t promotion.Target, s promotion.ServiceState) string {
	containers := 0
	for _, part := range s.Parts {
		containers += len(part.Containers)
	}
	switch {
	case t.Engine == promotion.EngineNone:
		return "files only"
	case containers == 0:
		return "not running"
	case s.Up():
		return "up"
	}
	return "down"
}

// placeText is a place in a file as editors understand it.
func placeText(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }
