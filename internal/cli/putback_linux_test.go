package cli

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"promote/internal/bed"
	"promote/internal/journal"
	"promote/internal/rollout"
)

// expect runs promote, and wants an exit code and what it says of it.
func (g *ground) expect(want int, says string, args ...string) {
	g.t.Helper()
	if out := g.run(want, args...); !strings.Contains(out, says) {
		g.t.Errorf("promote %s does not say %q:\n%s", strings.Join(args, " "), says, out)
	}
}

// docker runs docker and returns what it says, by the line.
func (g *ground) docker(args ...string) []string {
	g.t.Helper()
	cmd := exec.Command("docker", args...)
	cmd.Env = g.env
	out, err := cmd.Output()
	if err != nil {
		g.t.Fatalf("docker %s: %v", strings.Join(args, " "), err)
	}
	return strings.Fields(string(out))
}

// all are the project's containers, running or not, with an aspect of each.
func (g *ground) all(format string) []string {
	g.t.Helper()
	list := g.docker("ps", "--all", "--no-trunc", "--format", format, "--filter", "label=com.docker.compose.project="+g.project)
	slices.Sort(list)
	return list
}

// TestPartlyReplaced stops a deployment, and kills its worker, when one of three replicas is on the new
// version and the second is in between: those not yet reached stay, and numbers and names are as before.
func TestPartlyReplaced(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	g := newGround(t, "partly", "    deploy: {replicas: 3}\n")
	g.release("v2.0.0", nil)
	before, names := g.read("p/compose.yaml"), g.all("{{.Names}}")
	for text, act := range map[string]func(*exec.Cmd){
		"waiting to be healthy":      func(cmd *exec.Cmd) { g.check(cmd.Process.Signal(os.Interrupt)) },
		"stopping the old container": func(*exec.Cmd) { g.killWorker() },
	} {
		ids, seen := g.all("{{.ID}}"), 0
		_, code := g.follow(func(cmd *exec.Cmd, e rollout.Event) {
			if e.Text == text {
				if seen++; seen == 2 {
					act(cmd)
				}
			}
		}, "deploy", "staging")
		if code == exitStuck { // the worker is dead
			g.run(exitRestored, "resume", "staging")
		} else if code != exitRestored {
			t.Errorf("%s: exit code %d", text, code)
		}
		if g.read("p/compose.yaml") != before || !slices.Equal(g.all("{{.Names}}"), names) {
			t.Errorf("%s: not as before: %v", text, g.all("{{.Names}} {{.Image}} {{.State}}"))
		}
		if !slices.ContainsFunc(g.all("{{.ID}}"), func(id string) bool { return slices.Contains(ids, id) }) {
			t.Errorf("%s: even those that were not reached were replaced", text)
		}
		g.run(exitDone, "status", "--exit-code")
		g.settled()
	}
}

// TestMovedTag goes wrong under a tag that moves: the old image must have it back, or the next plain
// `up -d` would take the bad one.
func TestMovedTag(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	g := newGround(t, "moved", "")
	g.release("edge", nil)
	g.run(exitDone, "pin", "staging", "edge")
	was := g.container()
	g.release("edge", map[string]string{"CRASH": "start"})
	g.expect(exitRestored, "exited with status 1", "deploy", "staging", "core@edge", "--again")
	if g.container() != was {
		t.Error("the old container is not the one that runs")
	}
	g.settled()
}

// TestTakenPort is a recreate that can't start, because another process took the port while the old
// container was down.
func TestTakenPort(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	g := newGround(t, "taken", "    ports: [\"127.0.0.1:18098:8080\"]\n")
	g.release("v2.0.0", nil)
	before := g.read("p/compose.yaml")
	g.docker("stop", g.container())
	taken, err := net.Listen("tcp", "127.0.0.1:18098")
	g.check(err)
	g.expect(exitRestored, "18098", "deploy", "staging", "--accept-drift")
	if g.read("p/compose.yaml") != before || len(g.all("{{.ID}}")) != 1 {
		t.Errorf("not as before: %v", g.all("{{.Names}} {{.Image}}"))
	}
	g.check(taken.Close())
	g.run(exitDone, "deploy", "staging", "--accept-drift")
	if version := g.whole(); version != "v2.0.0" {
		t.Errorf("it is on %s", version)
	}
}

// TestEnds tells what is a failure, and what each leaves behind.
func TestEnds(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	g := newGround(t, "ends", "    restart: always\n")
	before, was := g.read("p/compose.yaml"), g.container()
	g.release("v2.0.0", map[string]string{"CRASH": "start"})
	g.expect(exitRestored, "error: core: ", "deploy", "staging") // a crash loop
	g.expect(exitFailed, "v9.9.9", "deploy", "staging", "core@v9.9.9")
	if g.read("p/compose.yaml") != before || g.container() != was {
		t.Error("it is not as it was")
	}
	g.whole()
	g.release("v2.0.1", nil)
	g.run(exitDone, "deploy", "staging")
	g.settled()
	g.run(exitDone, "rollback", "staging")
	g.settled()
	if g.read("p/compose.yaml") != before {
		t.Error("the rollback left other bytes than there were")
	}
}

// TestFirstFails has nothing to go back to: it leaves nothing behind.
func TestFirstFails(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	g := newGround(t, "first", "")
	g.docker("rm", "--force", g.container())
	g.check(os.RemoveAll(filepath.Join(g.dir, "p", journal.Folder)))
	g.write("p/compose.yaml", strings.Replace(g.read("p/compose.yaml"), "v1.0.0", "v0.1.0", 1))
	before := g.read("p/compose.yaml")
	g.release("v2.0.0", map[string]string{"HEALTH": "never"})
	g.run(exitRestored, "deploy", "staging")
	if left := g.all("{{.Names}}"); g.read("p/compose.yaml") != before || len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestDetach is a second Ctrl-C: putting back goes on unwatched, and attach shows its end. The worker
// stands still meanwhile, so that it can't be faster.
func TestDetach(t *testing.T) {
	t.Parallel()
	g := newGround(t, "detach", "")
	g.release("v2.0.0", nil)
	var worker int
	_, code := g.follow(func(cmd *exec.Cmd, e rollout.Event) {
		if e.Text == "waiting to be healthy" {
			worker = g.worker()
			g.check(syscall.Kill(worker, syscall.SIGSTOP))
			g.check(cmd.Process.Signal(os.Interrupt))
			g.check(cmd.Process.Signal(syscall.SIGTERM)) // two of one kind may become one
		}
	}, "deploy", "staging")
	if code != exitDetached {
		t.Errorf("exit code %d", code)
	}
	g.expect(exitLocked, "locked: deploy", "deploy", "staging")
	g.check(syscall.Kill(worker, syscall.SIGCONT))
	g.expect(exitRestored, "stopped on request", "attach", "staging")
	if version := g.whole(); version != "v1.0.0" {
		t.Errorf("it is on %s", version)
	}
}

// TestWait takes its turn behind another deployment, and plans on what that leaves.
func TestWait(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	g := newGround(t, "wait", "")
	g.release("v2.0.0", nil)
	var second *exec.Cmd
	g.follow(func(_ *exec.Cmd, e rollout.Event) {
		if e.Text == "waiting to be healthy" {
			second = g.command("pin", "staging", "v1.0.0", "--wait", "30s")
			g.check(second.Start())
		}
	}, "deploy", "staging")
	if code := commandCode(second.Wait()); code != exitDone {
		t.Errorf("exit code %d", code)
	}
	if version := g.whole(); version != "v1.0.0" {
		t.Errorf("it is on %s", version)
	}
}

// TestOldServes asks the old container until it is told to stop.
func TestOldServes(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	g := newGround(t, "serves", "")
	old := g.container()
	g.release("v2.0.0", map[string]string{"START_DELAY": "1s"})
	asked := 0
	_, code := g.follow(func(_ *exec.Cmd, e rollout.Event) {
		if e.Text == "starting a new container" || e.Text == "waiting to be healthy" {
			g.docker("exec", old, "/bin/server", "health")
			asked++
		}
	}, "deploy", "staging")
	if code != exitDone || asked < 2 {
		t.Errorf("exit code %d, asked %d times", code, asked)
	}
}

// TestPuttingBackKilled kills the worker that puts back, and then the one that resumes: what is there
// counts, not what somebody remembers, so that the next resume goes on.
func TestPuttingBackKilled(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	for name, extra := range map[string]string{"start-first": "", "recreate": "    ports: [\"127.0.0.1:18097:8080\"]\n"} {
		t.Run(name, func(t *testing.T) {
			g := newGround(t, "putback-"+name, extra)
			g.release("v2.0.0", map[string]string{"CRASH": "start"})
			events, code := g.follow(func(*exec.Cmd, rollout.Event) {}, "deploy", "staging")
			if code != exitRestored {
				t.Fatalf("undisturbed: exit code %d", code)
			}
			first := slices.IndexFunc(events, func(e rollout.Event) bool { return e.Status == rollout.Undoing })
			for _, at := range events[first : len(events)-1] {
				undoing := false
				g.follow(func(_ *exec.Cmd, e rollout.Event) {
					undoing = undoing || e.Status == rollout.Undoing
					if undoing && e.Text == at.Text {
						g.killWorker()
					}
				}, "deploy", "staging")
				g.follow(func(*exec.Cmd, rollout.Event) { g.killWorker() }, "resume", "staging")
				g.run(exitRestored, "resume", "staging")
				if version := g.whole(); version != "v1.0.0" {
					t.Errorf("%s: it is on %s", at.Text, version)
				}
			}
		})
	}
}
