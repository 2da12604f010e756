package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

	"promote/internal/bed"
	"promote/internal/docker"
	"promote/internal/journal"
	"promote/internal/rollout"
)

// shop is an environment of one service on a host, reached over real ssh through a relay: where
// connections, clients, workers and machines break.
type shop struct {
	*ground
	host    *bed.HostHandle
	relay   *bed.RelayHandle
	folder  string // of the project, on the host
	compose string // its compose file; %s is the version
	steps   []rollout.Event
}

// newShop puts a project on a host, deploys v1.0.0, and learns from an undisturbed deployment of v2.0.0
// which events there are. Both releases are on the host already, so that each deployment has the same.
func newShop(t *testing.T, host *bed.HostHandle, registry *bed.RegistryHandle, name, extra string) *shop {
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{
		ground: &ground{t: t, dir: t.TempDir(), project: name, program: filepath.Join(dir, "promote"), env: bed.Env(t), registry: registry},
		host:   host, relay: host.Relay(t, 0), folder: "/srv/" + name,
	}
	s.compose = "name: " + name + "\nservices:\n  core:\n    image: " + registry.Addr() + "/core:%s # pinned\n    restart: unless-stopped\n" + extra
	s.write("promote.yaml", fmt.Sprintf("services:\n  core: {image: %s/core}\nenvironments:\n  prod: {host: \"%s\", project: %s, rollout: {healthy_deadline: 20s}}\n",
		registry.Addr(), s.relay.URL("deploy"), s.folder))
	s.check(os.Mkdir(s.path(), 0o755))
	s.check(os.WriteFile(s.file(), fmt.Appendf(nil, s.compose, "v1.0.0"), 0o644))
	for _, path := range []string{s.path(), s.file()} {
		s.check(os.Chown(path, deployUser, deployUser))
	}
	s.run(exitDone, "deploy", "prod", "core@v1.0.0")
	c := s.follow(nil, "pin", "prod", "v2.0.0")
	if s.steps = c.events; c.code != exitDone || s.whole() != "v2.0.0" {
		t.Fatalf("undisturbed: exit code %d\n%s", c.code, &c.said)
	}
	return s
}

// releases publishes v1.0.0 and v2.0.0, and has hosts pull them. Their health checks are run by promote
// alone: an engine that asks a dozen containers twice a second is busy with nothing else.
func releases(t *testing.T, registry *bed.RegistryHandle, hosts ...*bed.HostHandle) {
	for _, version := range []string{"v1.0.0", "v2.0.0"} {
		files, config := bed.Service(t, version, nil)
		config.Healthcheck.Interval = time.Minute
		registry.Push(t, "core", version, files, config)
		for _, host := range hosts {
			host.Run(t, "docker pull -q "+registry.Addr()+"/core:"+version)
		}
	}
}

// path is where the test itself finds the project, also one on a disk of its own.
func (s *shop) path() string { return filepath.Join(s.host.Path("/"), s.folder) }

func (s *shop) file() string { return filepath.Join(s.path(), "compose.yaml") }

func (s *shop) journal() *journal.Journal { return journal.Open(s.path()) }

// on is the version that stands in the compose file, which has the bytes of one version or the other.
func (s *shop) on() string {
	s.t.Helper()
	data, err := os.ReadFile(s.file())
	s.check(err)
	for _, version := range []string{"v1.0.0", "v2.0.0"} {
		if string(data) == fmt.Sprintf(s.compose, version) {
			return version
		}
	}
	s.t.Fatalf("the compose file is neither the old nor the new one:\n%s", data)
	return ""
}

// other is the version to go to.
func (s *shop) other() string {
	return map[string]string{"v1.0.0": "v2.0.0", "v2.0.0": "v1.0.0"}[s.on()]
}

// chosenEvents are those at which things go wrong: all, or, for make test, those at which most is at stake. A
// container is there that nothing has proven yet, or the old one is about to go.
func chosenEvents(events []rollout.Event) []rollout.Event {
	if bed.Everything() {
		return events
	}
	return slices.DeleteFunc(slices.Clone(events), func(e rollout.Event) bool {
		return e.Text != "waiting to be healthy" && e.Text != "stopping the old container"
	})
}

// viewer is a promote that ran: the events that it told, what it said besides, and how it ended.
type viewer struct {
	cmd    *exec.Cmd
	events []rollout.Event
	other  []string // lines that are no events
	said   bytes.Buffer
	code   int
}

// follow runs promote with --json as a shell on a terminal would, in a process group of its own, and calls
// at for each event while it goes on.
func (s *shop) follow(at func(*viewer, rollout.Event), args ...string) *viewer {
	c := &viewer{cmd: s.command(append(args, "--json")...)}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.cmd.Stderr = &c.said
	out, err := c.cmd.StdoutPipe()
	s.check(err)
	s.check(c.cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var e rollout.Event
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Seq > 0 {
			c.events = append(c.events, e)
			if at != nil {
				at(c, e)
			}
		} else {
			c.other = append(c.other, lines.Text())
		}
	}
	c.code = commandCode(c.cmd.Wait())
	return c
}

// outcome is what the last event says, if it is the end.
func (c *viewer) outcome() rollout.Outcome {
	if n := len(c.events); n > 0 && c.events[n-1].Result != nil {
		return c.events[n-1].Result.Outcome
	}
	return ""
}

// complete wants all events of a deployment that was done, once each and in order.
func (s *shop) complete(c *viewer) {
	s.t.Helper()
	for i, e := range c.events {
		if e.Seq != i+1 {
			s.t.Fatalf("event %d is at place %d of %d\n%s", e.Seq, i+1, len(c.events), &c.said)
		}
	}
	if c.outcome() != rollout.OutcomeDone || c.code != exitDone {
		s.t.Fatalf("exit code %d after %d events, which are not those of a deployment that was done\n%s", c.code, len(c.events), &c.said)
	}
}

// killWorker kills the process that holds the lock.
func (s *shop) killWorker() { s.signalWorker("KILL") }

// signalWorker sends the process that holds the lock a signal.
func (s *shop) signalWorker(name string) {
	data, err := os.ReadFile(filepath.Join(s.path(), journal.Folder, "lock"))
	s.check(err)
	var holder journal.Holder
	s.check(json.Unmarshal(data, &holder))
	_, _ = s.host.Try(fmt.Sprintf("kill -%s %d", name, holder.PID)) // it may have ended already
}

// quiet waits for what a killed worker had started.
func (s *shop) quiet() {
	lock, err := s.journal().Lock(context.Background(), 30*time.Second, journal.Holder{})
	s.check(err)
	s.check(lock.Release())
}

// unfinished is the deployment that began and did not end, if there is one.
func (s *shop) unfinished() *journal.Deployment {
	entries, err := s.journal().Entries()
	s.check(err)
	return journal.Unfinished(entries)
}

// resume wants the status to tell the truth about what was interrupted, and one resume to end it.
func (s *shop) resume() {
	s.t.Helper()
	s.quiet()
	interrupted := s.unfinished() != nil
	if out := s.run(exitDone, "status"); strings.Contains(out, "interrupted") != interrupted {
		s.t.Errorf("interrupted: %v, but the status says\n%s", interrupted, out)
	}
	out, err := s.command("resume", "prod").CombinedOutput()
	switch code := commandCode(err); {
	case !interrupted && (code != exitDone || !strings.Contains(string(out), "nothing to resume")),
		interrupted && code != exitDone && code != exitRestored:
		there, _ := s.host.Try("docker ps --all; ss -ltn")
		s.t.Fatalf("interrupted: %v, resume: exit code %d\n%s\n%s", interrupted, code, out, there)
	}
}

// whole wants the environment to be of one piece, with nothing left over, and promote to say so.
func (s *shop) whole() (version string) {
	s.t.Helper()
	version = s.on()
	s.healthy(version)
	s.check(filepath.WalkDir(s.path(), func(path string, _ fs.DirEntry, err error) error {
		if name := filepath.Base(path); strings.HasPrefix(name, ".promote-") {
			s.t.Errorf("left over: %s", path)
		}
		return err
	}))
	s.run(exitDone, "status", "--exit-code")
	if held, err := s.journal().Locked(); err != nil || held != nil {
		s.t.Fatalf("still locked: %v %v", held, err)
	}
	if d := s.unfinished(); d != nil {
		s.t.Fatalf("%s has no end in the history", d.ID)
	}
	return version
}

// healthy wants one container, of a version, and waits until it does its work: after a boot that takes a
// moment. It asks the container itself, as the releases have the engine ask hardly ever.
func (s *shop) healthy(version string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	engine, often := &docker.Engine{API: s.host.Client()}, time.NewTicker(50*time.Millisecond)
	defer often.Stop()
	for {
		list, err := s.host.Client().ContainerList(ctx, container.ListOptions{
			All: true, Filters: filters.NewArgs(filters.Arg("label", "com.docker.compose.project="+s.project)),
		})
		s.check(err)
		if len(list) != 1 || list[0].Names[0] != "/"+s.project+"-core-1" || list[0].Image != s.registry.Addr()+"/core:"+version {
			s.t.Fatalf("the file says %s, containers are %v", version, describeAll(list))
		}
		if code, err := engine.Exec(ctx, list[0].ID, []string{"/bin/server", "health"}); err == nil && code == 0 {
			return
		}
		select {
		case <-often.C:
		case <-ctx.Done():
			s.t.Fatalf("it does not get healthy: %v", describeAll(list))
		}
	}
}
