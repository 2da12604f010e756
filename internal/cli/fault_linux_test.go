package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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

// ground is an environment of one service, on v1.0.0, where things go wrong.
type ground struct {
	t        *testing.T
	dir      string // of promote.yaml
	project  string // compose project
	program  string
	env      []string
	registry *bed.RegistryHandle
}

// newGround deploys v1.0.0. extra is more of the compose service, such as a published port.
func newGround(t *testing.T, name, extra string) *ground {
	bed.Need(t)
	g := &ground{t: t, dir: t.TempDir(), project: name, env: bed.Env(t), registry: bed.Registry(t)}
	g.program = filepath.Join(t.TempDir(), "promote")
	self, err := os.Executable()
	g.check(err)
	data, err := os.ReadFile(self)
	g.check(err)
	g.check(os.WriteFile(g.program, data, 0o755)) // a copy: what it is run as is what it does
	g.check(os.Mkdir(filepath.Join(g.dir, "p"), 0o755))
	g.write("promote.yaml", fmt.Sprintf("services:\n  core: {image: %s/core}\nenvironments:\n  staging: {project: p, rollout: {healthy_deadline: 20s}}\n", g.registry.Addr()))
	g.write("p/compose.yaml", fmt.Sprintf("name: %s\nservices:\n  core:\n    image: %s/core:v1.0.0 # pinned\n%s", name, g.registry.Addr(), extra))
	g.release("v1.0.0", nil)
	t.Cleanup(func() { removeContainers(t, bed.Engine(t).Client(), name) })
	g.run(exitDone, "deploy", "staging")
	return g
}

func (g *ground) check(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g *ground) write(name, text string) {
	g.check(os.WriteFile(filepath.Join(g.dir, name), []byte(text), 0o644))
}

func (g *ground) read(name string) string {
	data, err := os.ReadFile(filepath.Join(g.dir, name))
	g.check(err)
	return string(data)
}

func (g *ground) release(version string, behaviour map[string]string) {
	files, config := bed.Service(g.t, version, behaviour)
	g.registry.Push(g.t, "core", version, files, config)
}

func (g *ground) command(args ...string) *exec.Cmd {
	cmd := exec.Command(g.program, args...)
	cmd.Dir, cmd.Env = g.dir, g.env
	return cmd
}

// run runs promote and wants an exit code.
func (g *ground) run(want int, args ...string) string {
	g.t.Helper()
	out, err := g.command(args...).CombinedOutput()
	if code := commandCode(err); code != want {
		g.t.Fatalf("promote %s: exit code %d, want %d\n%s", strings.Join(args, " "), code, want, out)
	}
	return string(out)
}

// follow runs promote with --json and calls at for each event while it goes on.
func (g *ground) follow(at func(cmd *exec.Cmd, e rollout.Event), args ...string) (events []rollout.Event, code int) {
	cmd := g.command(append(args, "--json")...)
	out, err := cmd.StdoutPipe()
	g.check(err)
	g.check(cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var e rollout.Event
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Seq > 0 {
			events = append(events, e)
			at(cmd, e)
		}
	}
	return events, commandCode(cmd.Wait())
}

// worker is the process that holds the lock.
func (g *ground) worker() int {
	var holder journal.Holder
	text := g.read("p/.promote/lock")
	g.check(json.Unmarshal([]byte(text), &holder))
	return holder.PID
}

// killWorker is a power cut, as far as the worker is concerned.
func (g *ground) killWorker() {
	if err := syscall.Kill(g.worker(), syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		g.t.Fatal(err)
	}
}

// whole wants the environment to be of one piece: file and containers agree on one version, nothing is
// left over, and promote itself says so.
func (g *ground) whole() (version string) {
	g.t.Helper()
	line := strings.Split(g.read("p/compose.yaml"), "\n")[3]
	version = strings.TrimSuffix(line[strings.LastIndex(line, ":")+1:], " # pinned")
	list, err := bed.Engine(g.t).Client().ContainerList(context.Background(), container.ListOptions{
		All: true, Filters: filters.NewArgs(filters.Arg("label", "com.docker.compose.project="+g.project)),
	})
	g.check(err)
	if len(list) != 1 || list[0].State != "running" || list[0].Names[0] != "/"+g.project+"-core-1" || !strings.HasSuffix(list[0].Image, "/core:"+version) {
		g.t.Fatalf("the file says %s, containers are %v", version, describeAll(list))
	}
	strays, err := filepath.Glob(filepath.Join(g.dir, "p", ".promote-*"))
	g.check(err)
	if len(strays) > 0 {
		g.t.Fatalf("left over: %v", strays)
	}
	g.run(exitDone, "status", "--exit-code")
	if held, err := journal.Open(filepath.Join(g.dir, "p")).Locked(); err != nil || held != nil {
		g.t.Fatalf("still locked: %v %v", held, err)
	}
	return version
}

func describeAll(list []container.Summary) []string {
	var all []string
	for _, c := range list {
		all = append(all, fmt.Sprint(c.Names, c.Image, c.State))
	}
	return all
}

// TestWorkerKilled kills the worker after each event that a deployment has, one run each, forward and
// back in turn. A step that is added is covered the day it is added.
func TestWorkerKilled(t *testing.T) {
	for name, extra := range map[string]string{"start-first": "", "recreate": "    ports: [\"127.0.0.1:18099:8080\"]\n"} {
		t.Run(name, func(t *testing.T) {
			if extra != "" {
				bed.Thorough(t)
			}
			t.Parallel()
			g := newGround(t, "killed-"+name, extra)
			g.release("v2.0.0", nil)
			g.run(exitDone, "deploy", "staging")
			events, code := g.follow(func(*exec.Cmd, rollout.Event) {}, "pin", "staging", "v1.0.0") // nothing is left to pull
			if code != exitDone {
				t.Fatalf("undisturbed: exit code %d", code)
			}
			on := "v1.0.0"
			for _, e := range chosenEvents(events[:len(events)-1]) {
				t.Run(strconv.Itoa(e.Seq)+string(e.Step)+" "+e.Text, func(t *testing.T) {
					g.t = t
					to := map[string]string{"v1.0.0": "v2.0.0", "v2.0.0": "v1.0.0"}[on]
					on = g.killed(e, "pin", "staging", to)
				})
			}
		})
	}
}

// killed kills the worker of a deployment at an event like one that was seen before, resumes it, and
// returns the version that the environment is on.
func (g *ground) killed(at rollout.Event, args ...string) (version string) {
	g.killAt(at, args...)
	out, err := g.command("resume", "staging").CombinedOutput()
	if code := commandCode(err); code != exitDone && code != exitRestored {
		g.t.Fatalf("resume: exit code %d\n%s", code, out)
	}
	return g.whole()
}

// killAt kills the worker of a deployment at an event like one that was seen before.
func (g *ground) killAt(at rollout.Event, args ...string) {
	g.t.Helper()
	reached := false
	g.follow(func(_ *exec.Cmd, now rollout.Event) {
		if now.Seq == at.Seq && now.Step == at.Step && now.Status == at.Status {
			reached = true
			g.killWorker()
		}
	}, args...)
	if !reached {
		g.t.Fatalf("there was no event %d, %s %s", at.Seq, at.Step, at.Status)
	}
	g.run(exitDone, "status") // may be asked at any moment
	g.quiet()
	if out := g.run(exitDone, "status"); strings.Contains(out, "interrupted") != g.unfinished() {
		g.t.Errorf("unfinished: %v, but the status says\n%s", g.unfinished(), out)
	}
}

// TestPlainUp kills the worker at each event of a start-first, and then somebody who knows nothing of it does
// what they always do: `docker compose up -d` keeps a container that was healthy. Only while compose itself
// starts the candidate the file has the new version, and nobody can tell.
func TestPlainUp(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	g := newGround(t, "plain-up", "")
	g.release("v2.0.0", nil)
	g.run(exitDone, "deploy", "staging")
	events, _ := g.follow(func(*exec.Cmd, rollout.Event) {}, "pin", "staging", "v1.0.0")
	on := "v1.0.0"
	for _, e := range events[:len(events)-1] {
		if e.Text == "starting a new container" {
			continue
		}
		t.Run(strconv.Itoa(e.Seq)+string(e.Step)+" "+e.Text, func(t *testing.T) {
			g.t = t
			g.follow(func(_ *exec.Cmd, now rollout.Event) {
				if now.Seq == e.Seq {
					g.killWorker()
				}
			}, "pin", "staging", map[string]string{"v1.0.0": "v2.0.0", "v2.0.0": "v1.0.0"}[on])
			g.quiet()
			healthy := g.healthy()
			g.compose("up", "-d")
			if now := g.healthy(); !slices.ContainsFunc(now, func(id string) bool { return slices.Contains(healthy, id) }) {
				t.Errorf("healthy were %v, and now %v", healthy, now)
			}
			if out, err := g.command("resume", "staging").CombinedOutput(); commandCode(err) != exitDone && commandCode(err) != exitRestored {
				t.Fatalf("resume: %v\n%s", err, out)
			}
			on = g.whole()
		})
	}
}

// healthy are the ids of the containers that do their work. It asks them itself, as the engine does so only
// now and then.
func (g *ground) healthy() []string {
	var ids []string
	engine := &docker.Engine{API: bed.Engine(g.t).Client()}
	for id := range strings.FieldsSeq(g.container()) {
		if code, err := engine.Exec(context.Background(), id, []string{"/bin/server", "health"}); err == nil && code == 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// compose runs docker compose for the project.
func (g *ground) compose(args ...string) string {
	g.t.Helper()
	cmd := exec.Command("docker", append([]string{"compose"}, args...)...)
	cmd.Dir, cmd.Env = filepath.Join(g.dir, "p"), g.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		g.t.Fatalf("docker compose %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// quiet waits for what a killed worker had started.
func (g *ground) quiet() {
	lock, err := journal.Open(filepath.Join(g.dir, "p")).Lock(context.Background(), 30*time.Second, journal.Holder{})
	g.check(err)
	g.check(lock.Release())
}

func (g *ground) unfinished() bool {
	entries, err := journal.Open(filepath.Join(g.dir, "p")).Entries()
	g.check(err)
	return journal.Unfinished(entries) != nil
}

// TestClientKilled kills the client as soon as the deployment rolls: the worker goes on to the end.
func TestClientKilled(t *testing.T) {
	t.Parallel()
	g := newGround(t, "client-killed", "")
	g.release("v2.0.0", map[string]string{"START_DELAY": "300ms"})
	g.follow(func(cmd *exec.Cmd, e rollout.Event) {
		if e.Seq == 1 {
			g.check(cmd.Process.Kill())
		}
	}, "deploy", "staging")
	g.run(exitDone, "attach", "staging")
	if version := g.whole(); version != "v2.0.0" {
		t.Errorf("it is on %s", version)
	}
}

// TestInterrupt is Ctrl-C, or the SIGTERM that CI sends: it puts back.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	g := newGround(t, "interrupt", "")
	g.release("v2.0.0", map[string]string{"START_DELAY": "2s"})
	waiting := func(e rollout.Event) bool { return e.Text == "waiting to be healthy" }
	before := g.read("p/compose.yaml")
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		_, code := g.follow(func(cmd *exec.Cmd, e rollout.Event) {
			if waiting(e) {
				g.check(cmd.Process.Signal(signal))
			}
		}, "deploy", "staging")
		if code != exitRestored || g.read("p/compose.yaml") != before {
			t.Errorf("%v: exit code %d", signal, code)
		}
		g.whole()
	}
}

// TestSecondDeployment is refused and told who is at it, or waits.
func TestSecondDeployment(t *testing.T) {
	t.Parallel()
	g := newGround(t, "second", "")
	g.release("v2.0.0", map[string]string{"START_DELAY": "1s"})
	refused := ""
	_, code := g.follow(func(_ *exec.Cmd, e rollout.Event) {
		if e.Step == "roll" && e.Status == rollout.Started {
			refused = g.run(exitLocked, "pin", "staging", "v1.0.0", "--accept-drift", "--again")
		}
	}, "deploy", "staging", "--reason", "first")
	if code != exitDone || !strings.Contains(refused, "locked: deploy") {
		t.Errorf("exit code %d, the second was told: %s", code, refused)
	}
	g.whole()
}

// TestBadReleases are put back, each in its way, with the file byte for byte and the old container
// untouched.
func TestBadReleases(t *testing.T) {
	t.Parallel()
	g := newGround(t, "bad", "")
	before, was := g.read("p/compose.yaml"), g.container()
	for version, behaviour := range map[string]map[string]string{
		"v2.0.0": {"CRASH": "start"}, "v2.0.1": {"HEALTH": "never"}, "v2.0.2": {"CRASH_AFTER": "200ms", "HEALTH": "never"},
	} {
		g.release(version, behaviour)
		out := g.run(exitRestored, "deploy", "staging", "core@"+version)
		if !strings.Contains(out, "error: core: ") || !strings.Contains(out, "\n  | ") {
			t.Errorf("%v: the error does not tell what the container said:\n%s", behaviour, out)
		}
		if g.read("p/compose.yaml") != before || g.container() != was {
			t.Errorf("%v: it is not as it was", behaviour)
		}
		g.whole()
	}
	g.settled()
}

// settled wants a plain `docker compose up -d` to change nothing.
func (g *ground) settled() {
	g.t.Helper()
	was := g.container()
	if out := g.compose("up", "-d"); g.container() != was {
		g.t.Errorf("a plain `up -d` afterwards is no no-op:\n%s", out)
	}
}

// container is the id of the one that runs, or the ids of all that do.
func (g *ground) container() string {
	cmd := exec.Command("docker", "ps", "--quiet", "--no-trunc", "--filter", "label=com.docker.compose.project="+g.project)
	cmd.Env = g.env
	out, err := cmd.Output()
	g.check(err)
	return strings.TrimSpace(string(out))
}

// TestFullDisk is found before anything is touched.
func TestFullDisk(t *testing.T) {
	bed.Thorough(t)
	g := newGround(t, "full", "")
	before, was := g.read("p/compose.yaml"), g.container()
	p := filepath.Join(g.dir, "p")
	g.check(syscall.Mount("tmpfs", p, "tmpfs", 0, "size=1m"))
	t.Cleanup(func() { g.check(syscall.Unmount(p, 0)) })
	g.write("p/compose.yaml", before)
	g.release("v2.0.0", nil)
	out := g.run(exitFailed, "deploy", "staging", "--accept-drift")
	if !strings.Contains(out, "MB are free on the disk of") || g.read("p/compose.yaml") != before || g.container() != was {
		t.Errorf("it should have been refused, and nothing touched:\n%s", out)
	}
	g.write("p/ballast", strings.Repeat("x", 1<<20-64<<10))
	g.run(exitFailed, "deploy", "staging", "--accept-drift")
	if g.read("p/compose.yaml") != before || g.container() != was {
		t.Error("it is not as it was")
	}
}
