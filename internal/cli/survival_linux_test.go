package cli

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"promote/internal/bed"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// variants are the ways of replacing a container, each by what more of the compose service brings it about.
func variants(port int) map[string]string {
	return map[string]string{"start-first": "", "recreate": fmt.Sprintf("    ports: [\"%d:8080\"]\n", port)}
}

// disturb is one thing that goes wrong at an event of a deployment. It has the other version deployed, and
// looks after it until the environment has to be whole.
type disturb func(s *shop, at rollout.Event)

// TestSurvival has things go wrong at every event of a deployment on another machine, in a deployment of
// its own each, forward and back in turn. A step that is added is covered the day it is added. For make test the
// events are chosen, and start-first is.
func TestSurvival(t *testing.T) {
	bed.Need(t)
	names := []string{"steady", "first", "second"}
	if !bed.Everything() {
		names = names[:1]
	}
	hosts := bed.Hosts(t, names...)
	registry := bed.HostRegistry(t)
	releases(t, registry, hosts...)
	pullProxy(t, registry, hosts[0])
	kinds := map[string]disturb{"dropped": dropped, "client-killed": clientKilled, "half-open": halfOpen, "worker-killed": workerKilled, "ctrl-c": interrupted}
	if !bed.Everything() {
		kinds = map[string]disturb{"dropped": dropped, "worker-killed": workerKilled, "ctrl-c": interrupted}
	}
	var group sync.WaitGroup
	port := 8080
	for kind, disturb := range kinds {
		port++
		for variant, extra := range variants(port) {
			if extra != "" && !bed.Everything() {
				continue
			}
			proxy := 0
			if extra == "" {
				proxy = port + 100
			}
			group.Go(func() { sweep(t, hosts[0], registry, kind+"-"+variant, extra, proxy, disturb) })
		}
	}
	if bed.Everything() {
		group.Go(func() {
			sweep(t, hosts[1], registry, "power-start-first", variants(8080)["start-first"], 0, poweredOff)
		})
		group.Go(func() { sweep(t, hosts[2], registry, "power-recreate", variants(8080)["recreate"], 0, poweredOff) })
	}
	group.Wait()
}

// sweep disturbs a deployment at each of its events. With a port for a proxy there are requests through it
// all the while, and none may fail, whatever is disturbed.
func sweep(t *testing.T, host *bed.HostHandle, registry *bed.RegistryHandle, name, extra string, proxy int, disturb disturb) {
	t.Run(name, func(t *testing.T) {
		s := newShop(t, host, registry, name, extra)
		if proxy > 0 {
			load := s.traffic(proxy)
			defer func() {
				if report := load.Stop(); report.Failed > 0 {
					t.Errorf("%v\n%s", report, host.Run(t, fmt.Sprintf("docker logs --tail 20 proxy-%d 2>&1", proxy)))
				} else {
					t.Logf("%d requests, none failed", report.Requests)
				}
			}()
		}
		for _, e := range chosenEvents(s.steps) {
			if extra != "" && e.Step != promotion.RollStep {
				continue // does not depend on how containers are replaced
			}
			ok := t.Run(strconv.Itoa(e.Seq)+string(e.Step)+" "+string(e.Status)+" "+e.Text, func(t *testing.T) {
				s.t = t
				disturb(s, e)
				s.whole()
			})
			if !ok {
				return // what comes next would begin in a mess
			}
		}
	})
}

// pullProxy has a host pull a reverse proxy.
func pullProxy(t *testing.T, registry *bed.RegistryHandle, host *bed.HostHandle) {
	files, config := bed.Proxy(t, "caddy")
	registry.Push(t, "caddy", "v2", files, config)
	host.Run(t, "docker pull -q "+registry.Addr()+"/caddy:v2")
}

// traffic starts a reverse proxy beside the service, and sends requests through it. It tries a GET again: with all
// cores busy, a connection may still wait to be accepted when the old container closes its port.
func (s *shop) traffic(port int) *bed.LoadHandle {
	const caddyfile = `:80 {\n reverse_proxy core:8080 {\n lb_try_duration 2s\n }\n}\n`
	s.host.Run(s.t, fmt.Sprintf("docker run -d --name proxy-%d --network %s_default -p %[1]d:80 %[3]s/caddy:v2 sh -c 'printf \"%[4]s\" | caddy run --adapter caddyfile --config -'",
		port, s.project, s.registry.Addr(), caddyfile))
	s.host.Run(s.t, fmt.Sprintf("timeout 20 sh -c 'until docker exec proxy-%d wget -q -O /dev/null http://127.0.0.1/; do sleep 0.1; done'", port))
	return bed.Load(s.t, bed.Traffic{URL: fmt.Sprintf("http://%s:%d/", s.host.Addr(), port), Rate: 30})
}

// deploy deploys the other version, and does something when an event like one that was seen before comes.
func (s *shop) deploy(at rollout.Event, act func(*viewer)) *viewer {
	s.t.Helper()
	reached := false
	c := s.follow(func(c *viewer, now rollout.Event) {
		if now.Seq == at.Seq && now.Step == at.Step && now.Status == at.Status {
			reached = true
			act(c)
		}
	}, "pin", "prod", s.other())
	if !reached {
		s.t.Fatalf("there was no event %d, %s %s\n%s", at.Seq, at.Step, at.Status, &c.said)
	}
	return c
}

// dropped is a link that ends: the client comes back, and has missed nothing.
func dropped(s *shop, at rollout.Event) {
	to := s.other()
	s.complete(s.deploy(at, func(*viewer) { s.relay.Drop() }))
	s.wants(to)
}

// halfOpen is a peer that is silent, with the connection alive: the client notices, and comes back.
func halfOpen(s *shop, at rollout.Event) {
	to := s.other()
	calm := s.env
	s.env = append(slices.Clip(calm), s.thawOnceNoticed())
	c := s.deploy(at, func(*viewer) { s.relay.Freeze() })
	s.relay.Thaw() // the client may have had all that it needed
	s.complete(c)
	s.env = calm
	s.wants(to)
}

// thawOnceNoticed is a setting that has ssh give up a peer that says nothing within seconds instead of half
// a minute: of an option that is given twice, the first counts. As soon as it has, the silence ends.
func (s *shop) thawOnceNoticed() string {
	log := filepath.Join(s.t.TempDir(), "ssh.log")
	s.check(syscall.Mkfifo(log, 0o600))
	heard, err := os.OpenFile(log, os.O_RDWR, 0)
	s.check(err)
	s.t.Cleanup(func() { heard.Close() })
	go func() {
		for lines := bufio.NewScanner(heard); lines.Scan(); {
			if strings.Contains(lines.Text(), "not responding") {
				s.relay.Thaw()
			}
		}
	}()
	return "PROMOTE_SSH=ssh -E " + log + " -o ServerAliveInterval=1 -o ServerAliveCountMax=2"
}

// clientKilled is a laptop whose lid is closed: the worker goes on, and whoever attaches sees it all.
func clientKilled(s *shop, at rollout.Event) {
	to := s.other()
	s.deploy(at, func(c *viewer) { s.check(c.cmd.Process.Kill()) })
	s.complete(s.follow(nil, "attach", "prod"))
	s.wants(to)
}

// workerKilled leaves a deployment half-way; one resume ends it.
func workerKilled(s *shop, at rollout.Event) {
	s.deploy(at, func(*viewer) { s.killWorker() })
	s.resume()
}

// poweredOff ends everything on the host, and nobody is there to follow when it boots.
func poweredOff(s *shop, at rollout.Event) {
	s.deploy(at, func(c *viewer) {
		s.host.PowerOff()
		s.check(c.cmd.Process.Kill())
	})
	s.host.Boot(s.t)
	s.resume()
}

// interrupted is Ctrl-C: what was begun is put back, unless it was as good as done. Every other time the
// signal goes to ssh too, and to whatever else the client had started, as that of a terminal does.
func interrupted(s *shop, at rollout.Event) {
	from, to := s.on(), s.other()
	c := s.deploy(at, func(c *viewer) {
		whom := c.cmd.Process.Pid
		if at.Seq%2 == 0 {
			whom = -whom // the process group
		}
		s.check(syscall.Kill(whom, syscall.SIGINT))
	})
	switch {
	case c.code == exitRestored && c.outcome() == rollout.OutcomeRestored, c.code == exitFailed && c.outcome() == rollout.OutcomeFailed:
		s.wants(from)
	case c.code == exitDone && c.outcome() == rollout.OutcomeDone:
		s.wants(to)
	default:
		s.t.Fatalf("exit code %d, %s\n%s", c.code, c.outcome(), &c.said)
	}
}

// wants wants a version to be there.
func (s *shop) wants(version string) {
	s.t.Helper()
	if on := s.on(); on != version {
		s.t.Fatalf("it is on %s, not on %s", on, version)
	}
}
