package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"promote/internal/bed"
	"promote/internal/docker"
	"promote/internal/rollout"
)

// withTasks gives a ground's service tasks in each place where they run.
func (g *ground) withTasks() {
	g.write("promote.yaml", fmt.Sprintf(`services:
  core:
    image: %s/core
    tasks:
      - {name: backup, phase: backup, in: host, run: echo dumped}
      - {name: page, phase: maintenance, in: host, run: touch page, undo: rm -f page}
      - {name: migrate, phase: before, run: "echo migrated; test ! -e /hang || sleep 1000", undo: echo taken back}
      - {name: data, phase: before, in: host, run: echo $PROMOTE_VERSION >data, undo: echo $PROMOTE_FROM >data}
      - {name: looked, phase: verify, in: "service:core", run: test -x /bin/server}
      - {name: after, phase: after, in: host, run: "true #", required: false}
environments:
  staging: {project: p, rollout: {healthy_deadline: 20s}}
`, g.registry.Addr()))
}

// TestTaskKilled kills the worker after each event of a deployment with tasks. Whatever it came to: what was
// migrated goes with the version, maintenance is off, and no container of a task is left.
func TestTaskKilled(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	g := newGround(t, "killed-tasks", "")
	g.release("v2.0.0", nil)
	g.withTasks()
	g.run(exitDone, "deploy", "staging")
	events, code := g.follow(func(*exec.Cmd, rollout.Event) {}, "pin", "staging", "v1.0.0")
	if code != exitDone {
		t.Fatalf("undisturbed: exit code %d", code)
	}
	on := "v1.0.0"
	for _, e := range events[:len(events)-1] {
		t.Run(strconv.Itoa(e.Seq)+string(e.Step)+" "+e.Task+" "+e.Text, func(t *testing.T) {
			g.t = t
			from := on
			on = g.killed(e, "pin", "staging", map[string]string{"v1.0.0": "v2.0.0", "v2.0.0": "v1.0.0"}[on])
			g.tidy()
			data := strings.TrimSpace(g.read("p/data"))
			halfway := e.Task == "data" // it was begun, and nobody knows how far it came
			if data != on && !(halfway && on == from) {
				t.Errorf("the data is that of %s, the service is on %s", data, on)
			}
			g.write("p/data", on)
		})
	}
}

// TestSchemaKilled kills the worker of a rollback that takes back a migration, each time a step begins or ends. The
// rollback is ended, or the release is back that was there; if its migration is not, that is exit 6, and says so, until
// somebody has looked and resumes once more.
func TestSchemaKilled(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	g := newGround(t, "killed-schema", "")
	g.release("v2.0.0", nil)
	g.withTasks()
	g.run(exitDone, "pin", "staging", "v1.0.0")
	g.run(exitDone, "pin", "staging", "v2.0.0")
	back := []string{"rollback", "staging", "--schema=undo"}
	events, code := g.follow(func(*exec.Cmd, rollout.Event) {}, back...)
	if code != exitDone || strings.TrimSpace(g.read("p/data")) != "v1.0.0" {
		t.Fatalf("undisturbed: exit code %d, the data is that of %s", code, g.read("p/data"))
	}
	for _, e := range events[:len(events)-1] {
		if e.Status != rollout.Started && e.Status != rollout.Done {
			continue
		}
		t.Run(strconv.Itoa(e.Seq)+string(e.Step)+" "+string(e.Status)+" "+e.Task, func(t *testing.T) {
			g.t = t
			g.run(exitDone, "pin", "staging", "v2.0.0", "--again")
			g.killAt(e, back...)
			out, err := g.command("resume", "staging").CombinedOutput()
			switch commandCode(err) {
			case exitDone:
				g.migrated(g.whole())
			case exitRestored:
				g.migrated("v2.0.0")
			case exitStuck:
				if !strings.Contains(string(out), "core: data of 2") && !strings.Contains(string(out), "core: taking back data of 2") {
					t.Errorf("it does not say what is taken back:\n%s", out)
				}
				g.run(exitRestored, "resume", "staging")
				if on := g.whole(); on != "v2.0.0" {
					t.Errorf("it is on %s", on)
				}
				g.run(exitDone, "pin", "staging", "v1.0.0", "--again") // migrations run anew on the way to v2.0.0
			default:
				t.Fatalf("resume: %v\n%s", err, out)
			}
			g.tidy()
		})
	}
}

// migrated wants the data to be that of a version.
func (g *ground) migrated(to string) {
	g.t.Helper()
	if data := strings.TrimSpace(g.read("p/data")); data != to {
		g.t.Errorf("the data is that of %s, not of %s", data, to)
	}
}

// tidy wants nothing left of tasks but what they did.
func (g *ground) tidy() {
	g.t.Helper()
	if _, err := os.Stat(filepath.Join(g.dir, "p/page")); err == nil {
		g.t.Error("maintenance is still on")
	}
	ids, err := (&docker.Engine{API: bed.Engine(g.t).Client()}).Labelled(g.t.Context(), "com.docker.compose.oneoff", "True")
	g.check(err)
	for _, id := range ids {
		c, err := bed.Engine(g.t).Client().ContainerInspect(g.t.Context(), id)
		if err == nil && c.Config.Labels["com.docker.compose.project"] == g.project {
			g.t.Errorf("left over: %s", c.Name)
		}
	}
}

// TestTaskInterrupted is Ctrl-C while a migration goes on, which is stopped, and a task that takes too long.
func TestTaskInterrupted(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	g := newGround(t, "interrupted-task", "")
	g.release("v2.0.0", nil)
	g.withTasks()
	for _, place := range []string{"in: new", "in: host"} {
		hang := strings.Replace(g.read("promote.yaml"), `run: "echo migrated; test ! -e /hang || sleep 1000"`, place+`, timeout: 40s, run: "echo migrated; while :; do sleep 1; done"`, 1)
		g.write("promote.yaml", hang)
		_, code := g.follow(func(cmd *exec.Cmd, e rollout.Event) {
			if e.Text == "migrated" {
				g.check(cmd.Process.Signal(syscall.SIGTERM))
			}
		}, "deploy", "staging")
		if code != exitRestored {
			t.Errorf("%s: exit code %d", place, code)
		}
		g.tidy()
		g.write("promote.yaml", strings.Replace(g.read("promote.yaml"), "timeout: 40s", "timeout: 1s", 1))
		if out := g.run(exitRestored, "deploy", "staging"); !strings.Contains(out, "task migrate: it took longer than 1s") {
			t.Errorf("%s: %s", place, out)
		}
		g.tidy()
		if version := g.whole(); version != "v1.0.0" {
			t.Errorf("%s: it is on %s", place, version)
		}
		g.withTasks()
	}
}
