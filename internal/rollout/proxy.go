package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"promote/compose"
	"promote/internal/docker"
	"promote/internal/promotion"
)

// neighbours are the reverse proxies that share a network with the containers of a compose service. What
// Traefik is not told of by labels it does not serve.
func neighbours(of []docker.Container, all []docker.Container) []promotion.Neighbour {
	var list []promotion.Neighbour
	for _, p := range all {
		kind := promotion.ProxyKind(p.Image, p.Command)
		shares := func(c docker.Container) bool {
			return slices.ContainsFunc(c.Networks, func(n string) bool { return slices.Contains(p.Networks, n) })
		}
		self := func(c docker.Container) bool { return c.Project == p.Project && c.Service == p.Service }
		if kind == "" || p.State != "running" || !slices.ContainsFunc(of, shares) || slices.ContainsFunc(of, self) {
			continue
		}
		if kind == "traefik" && !slices.ContainsFunc(of, labelledForTraefik) {
			continue
		}
		if n := (promotion.Neighbour{Project: p.Project, Service: p.Service, Kind: kind}); !slices.Contains(list, n) {
			list = append(list, n)
		}
	}
	return list
}

// appear has the proxies of a roll find containers that are proven.
func (r *run) appear(ctx context.Context, roll promotion.Roll, w *watch, fresh []docker.Container) error {
	health := slices.ContainsFunc(roll.Proxies, func(p promotion.Proxy) bool { return p.Health })
	for _, c := range fresh {
		if roll.Dark {
			if err := r.light(ctx, roll, w, c); err != nil {
				return err
			}
		}
		if health && c.Health != "" {
			if err := r.becomes(ctx, w, c, "healthy"); err != nil {
				return err
			}
		}
	}
	return r.settleProxies(ctx, roll, func(p promotion.Proxy) []string { return p.AfterHealthy })
}

// retire stops an old container: the proxies that can be told beforehand are, what the compose file wants
// done first is done, it stops by its own signal and timeout, and the proxies forget it. That is only done while the
// new containers live: what was proven may have died since, or may die while the old one drains.
func (r *run) retire(ctx context.Context, roll promotion.Roll, w *watch, c docker.Container) error {
	if err := r.stillProven(ctx, roll.Service); err != nil {
		return err
	}
	if err := r.drain(ctx, roll, w, c); err != nil {
		return err
	}
	if err := r.preStop(ctx, c); err != nil {
		r.tell(Event{Step: promotion.RollStep, Service: roll.Service, Status: Noted, Text: "pre_stop failed: " + err.Error()})
	}
	if err := r.stillProven(context.WithoutCancel(ctx), roll.Service); err != nil {
		return errors.Join(err, r.Engine.Stop(ctx, c.ID)) // it was told to end; putting back starts it anew
	}
	if err := r.Engine.Remove(ctx, c.ID); err != nil {
		return err
	}
	return r.tellProxies(ctx, roll, func(p promotion.Proxy) []string { return p.AfterGone })
}

// drain has a container's health check fail before it stops, where somebody said how, and waits until the
// proxies that go by it have stopped to send it requests. There is no way back from that for the container,
// so that nothing keeps it from being stopped from then on.
func (r *run) drain(ctx context.Context, roll promotion.Roll, w *watch, c docker.Container) error {
	for _, p := range roll.Proxies {
		if len(p.Drain) == 0 || c.State != "running" {
			continue
		}
		r.tell(Event{Step: promotion.RollStep, Service: roll.Service, Status: Progress, Text: "draining the old container"})
		if err := r.execute(ctx, c, compose.Hook{Command: p.Drain}); err != nil {
			return err
		}
		ctx := context.WithoutCancel(ctx)
		if p.Health && c.Health != "" {
			if err := r.becomes(ctx, w, c, "unhealthy"); err != nil {
				r.tell(Event{Step: promotion.RollStep, Service: roll.Service, Status: Noted, Text: "not drained: " + err.Error()})
			}
		}
		_ = pause(ctx, p.Settle)
	}
	return nil
}

// becomes waits until the engine says of a container's health what is wanted.
func (r *run) becomes(ctx context.Context, w *watch, c docker.Container, health string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.Target.Rollout.HealthyDeadline, fmt.Errorf("%s: the engine does not find it %s", c.Name, health))
	defer cancel()
	now, err := r.Engine.Inspect(ctx, c.ID)
	for err == nil && now.Health != health {
		select {
		case e := <-w.events:
			if e.ID == c.ID && e.Action == health {
				return nil
			}
		case err = <-w.failed:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	return err
}

// settleProxies tells the proxies of a roll that something changed, and gives them the time that they need.
func (r *run) settleProxies(ctx context.Context, roll promotion.Roll, command func(promotion.Proxy) []string) error {
	if err := r.tellProxies(ctx, roll, command); err != nil || len(roll.Proxies) == 0 {
		return err
	}
	slowest := slices.MaxFunc(roll.Proxies, func(a, b promotion.Proxy) int { return cmp.Compare(a.Settle, b.Settle) })
	if slowest.Settle == 0 {
		return nil
	}
	r.tell(Event{Step: promotion.RollStep, Service: roll.Service, Status: Progress, Text: fmt.Sprintf("giving %s %s to notice", slowest.Service, slowest.Settle)})
	return pause(ctx, slowest.Settle)
}

// pause waits for what can't say that it has happened.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *run) tellProxies(ctx context.Context, roll promotion.Roll, command func(promotion.Proxy) []string) error {
	for _, p := range roll.Proxies {
		argv := command(p)
		if len(argv) == 0 {
			continue
		}
		list, err := r.Engine.Service(ctx, p.Project, p.Service)
		if err != nil {
			return err
		}
		for _, c := range list {
			err := r.tellProxy(ctx, p, c, argv)
			if err != nil && r.back { // no reason to get stuck
				r.tell(Event{Step: promotion.RollStep, Service: roll.Service, Status: Noted, Text: "proxy " + p.Service + ": " + err.Error()})
			} else if err != nil {
				return fmt.Errorf("proxy %s: %w", p.Service, err)
			}
		}
	}
	return nil
}

func (r *run) tellProxy(ctx context.Context, p promotion.Proxy, c docker.Container, argv []string) error {
	switch {
	case c.State != "running":
		return nil
	case p.Renews:
		return r.renew(ctx, c, argv)
	}
	return r.execute(ctx, c, compose.Hook{Command: argv})
}

// renew has a proxy read its configuration, and returns when it does its work with processes that did.
func (r *run) renew(ctx context.Context, c docker.Container, argv []string) error {
	before, err := r.Engine.Processes(ctx, c.ID)
	if err != nil {
		return err
	}
	if err := r.execute(ctx, c, compose.Hook{Command: argv}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, slowReload, &reloadError{c.Name})
	defer cancel()
	for tick := time.NewTicker(often / 2); ; {
		now, err := r.Engine.Processes(ctx, c.ID)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(now, func(id string) bool { return !slices.Contains(before, id) }) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// reloadError is a proxy that did not reload, most likely because it does not like its configuration.
type reloadError struct{ container string }

func (e *reloadError) Error() string {
	return fmt.Sprintf("it was told to reload, and no new process of it came within %s", slowReload)
}

// Hint is where the proxy says why.
func (e *reloadError) Hint() string { return "docker logs --tail 5 " + e.container }

// slowReload is how long a proxy may take to read its configuration.
const slowReload = 10 * time.Second

// preStop runs what the compose file wants done in a container before it is stopped. Docker Compose does
// that for `down` and `stop` only.
func (r *run) preStop(ctx context.Context, c docker.Container) error {
	if c.State != "running" {
		return nil
	}
	for _, hook := range byName(r.project)[c.Service].PreStop {
		if err := r.execute(ctx, c, hook); err != nil {
			return err
		}
	}
	return nil
}

// execute runs a command in a container to its end. What it said is of use only when it failed.
func (r *run) execute(ctx context.Context, c docker.Container, h compose.Hook) error {
	code, said, err := r.Engine.Execute(ctx, c.ID, docker.ExecOptions{
		Cmd: h.Command, User: h.User, Privileged: h.Privileged, WorkingDir: h.Dir, Env: h.Environ,
	})
	if err == nil && code != 0 {
		err = fmt.Errorf("%s: %q exited with status %d: %s", c.Name, h.Command, code, lastLine(said)) // which ends up in histories and notices
	}
	return err
}

func lastLine(text string) string { return text[strings.LastIndexByte(text, '\n')+1:] }

func labelledForTraefik(c docker.Container) bool {
	for label := range c.Labels {
		if strings.HasPrefix(label, "traefik.") {
			return true
		}
	}
	return false
}
