package cli

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"promote/internal/bed"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// TestOutages takes away what a deployment on another machine needs, in the middle of it.
func TestOutages(t *testing.T) {
	bed.Thorough(t)
	bed.Need(t)
	var group sync.WaitGroup
	for name, outage := range map[string]func(*testing.T){
		"engine": engineRestarted, "registry": registryGone, "disk": diskFull, "detached": detached, "given up": givenUp, "rebooted": rebooted,
	} {
		group.Go(func() { t.Run(name, outage) })
	}
	group.Wait()
}

// one is a shop on a host of its own.
func one(t *testing.T, prepare string) *shop {
	host, registry := bed.Host(t, "outage"), bed.HostRegistry(t)
	host.Run(t, prepare)
	releases(t, registry, host)
	return newShop(t, host, registry, "shop", "")
}

// consistent wants an exit code that says what the last event says.
func (s *shop) consistent(c *viewer) {
	s.t.Helper()
	if c.outcome() == "" || c.code != outcomeCode(c.outcome()) {
		s.t.Errorf("exit code %d, but the last event says %q\n%s", c.code, c.outcome(), &c.said)
	}
	s.t.Logf("%d events: %s", len(c.events), c.outcome())
}

// engineRestarted upgrades Docker at each event of the roll.
func engineRestarted(t *testing.T) {
	s := one(t, "true")
	for _, e := range s.steps {
		if e.Step == promotion.RollStep {
			c := s.deploy(e, func(*viewer) { s.host.RestartEngine(t) })
			s.consistent(c)
			s.resume()
			s.whole()
		}
	}
}

// registryGone resets all connections to the registry while a large layer is on its way: nothing was
// stopped yet, and once the registry is there again so is the release.
func registryGone(t *testing.T) {
	s := one(t, `echo '{"max-download-attempts": 1}' >/etc/docker/daemon.json`)
	s.host.RestartEngine(t)
	files, config := bed.Service(t, "v3.0.0", nil)
	files["ballast"] = noise(64 << 20)
	s.registry.Push(t, "core", "v3.0.0", files, config)
	_, port, err := net.SplitHostPort(s.registry.Addr())
	s.check(err)
	rule := " OUTPUT -p tcp --dport " + port + " -j REJECT --reject-with tcp-reset"
	gone := false
	c := s.follow(func(_ *viewer, e rollout.Event) {
		if e.Layer != nil && !gone {
			gone = true
			s.host.Run(t, "iptables -w -I"+rule)
		}
	}, "deploy", "prod")
	if !gone || c.code != exitFailed || c.outcome() != rollout.OutcomeFailed {
		t.Fatalf("gone: %v, exit code %d, %s\n%s", gone, c.code, c.outcome(), &c.said)
	}
	s.wants("v2.0.0")
	s.whole()
	s.host.Run(t, "iptables -w -D"+rule)
	s.run(exitDone, "deploy", "prod")
}

// noise is so many bytes that can't be compressed.
func noise(n int) string {
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 0, n)
	for len(data) < n {
		data = binary.LittleEndian.AppendUint64(data, random.Uint64())
	}
	return string(data)
}

// diskFull fills the disk of the project at each event: what could not be written is put right by one
// resume, once there is room.
func diskFull(t *testing.T) {
	s := one(t, "mount -t tmpfs -o size=48m,uid=1000,gid=1000,mode=755 tmpfs /srv")
	for _, e := range s.steps {
		c := s.deploy(e, func(*viewer) { _, _ = s.host.Try("cat /dev/zero >/srv/ballast") })
		s.consistent(c)
		s.host.Run(t, "rm /srv/ballast")
		s.resume()
		s.whole()
	}
}

// detached presses Ctrl-C twice: the first asks to put back, the second stops waiting for it. The worker stands still
// meanwhile, so that it can't be faster; nor can the release, which never gets healthy.
func detached(t *testing.T) {
	s := one(t, "true")
	from := s.on()
	files, config := bed.Service(t, "v3.0.0", map[string]string{"HEALTH": "never"})
	s.registry.Push(t, "core", "v3.0.0", files, config)
	c := s.follow(func(c *viewer, e rollout.Event) {
		if e.Text == "waiting to be healthy" {
			s.signalWorker("STOP")
			s.check(c.cmd.Process.Signal(syscall.SIGINT))
			s.check(c.cmd.Process.Signal(syscall.SIGTERM)) // two of one kind may become one
		}
	}, "pin", "prod", "v3.0.0")
	if c.code != exitDetached {
		t.Errorf("exit code %d\n%s", c.code, &c.said)
	}
	s.signalWorker("CONT")
	c = s.follow(nil, "attach", "prod")
	if c.code != exitRestored || c.outcome() != rollout.OutcomeRestored {
		t.Errorf("attached: exit code %d, %s\n%s", c.code, c.outcome(), &c.said)
	}
	s.wants(from)
	s.whole()
}

// impatient has ssh notice a silent peer within seconds.
const impatient = "PROMOTE_SSH=ssh -o ServerAliveInterval=1 -o ServerAliveCountMax=2 -o ConnectTimeout=1"

// givenUp is a line that stays dead: the client says that the deployment goes on and how to see it, and
// leaves. Whoever attaches sees all of it.
func givenUp(t *testing.T) {
	s := one(t, "true")
	to, calm := s.other(), s.env
	s.env = append(slices.Clip(calm), impatient)
	s.write("promote.yaml", s.read("promote.yaml")+"ssh: {patience: 2s}\n")
	c := s.deploy(s.steps[len(s.steps)/2], func(*viewer) { s.relay.Freeze() })
	said := strings.Join(c.other, "\n")
	if c.code != exitDetached || !strings.Contains(said, `"contact":"lost"`) || !strings.Contains(said, `"hint":"promote attach prod"`) {
		t.Fatalf("exit code %d\n%s\n%s", c.code, said, &c.said)
	}
	s.env = calm
	s.relay.Thaw()
	s.complete(s.follow(nil, "attach", "prod"))
	s.wants(to)
	s.whole()
}

// rebooted is a host that loses its power while a client follows: when it is there again the client says
// what became of the deployment, and how to end it.
func rebooted(t *testing.T) {
	s := one(t, "true")
	s.env = append(s.env, impatient)
	boots := make(chan struct{})
	c := s.deploy(s.steps[len(s.steps)/3], func(*viewer) {
		s.host.PowerOff() // at once: a busy machine would be done with the deployment first
		go func() {
			defer close(boots)
			s.host.Boot(t)
		}()
	})
	<-boots
	if said := strings.Join(c.other, "\n"); c.code != exitStuck || !strings.Contains(said, `"hint":"promote resume prod"`) {
		t.Fatalf("exit code %d\n%s\n%s", c.code, said, &c.said)
	}
	s.resume()
	s.whole()
}
