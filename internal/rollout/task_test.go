package rollout

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTaskOnHost: a task is known by its own end. What it leaves behind has no lock, and is waited for only as long as
// its output may still come.
func TestTaskOnHost(t *testing.T) {
	lock, err := os.Create(t.TempDir() + "/lock")
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	defer func(long time.Duration) { farewell = long }(farewell)
	farewell = 200 * time.Millisecond
	r := &run{Machine: &Machine{Environ: os.Environ(), Lock: lock}}
	for name, test := range map[string]struct {
		line    string
		timeout time.Duration
		code    int
		said    string
		ended   error
	}{
		"a failure":              {"echo a; exit 3", time.Minute, 3, "a", nil},
		"no lock":                {"ls /proc/self/fd/3 2>/dev/null || echo none", time.Minute, 0, "none", nil},
		"a daemon":               {"sleep 60 >/dev/null 2>&1 & echo started", time.Minute, 0, "started", nil},
		"longer than it may":     {"echo a; sleep 60", 100 * time.Millisecond, -1, "a", context.DeadlineExceeded},
		"deaf, in its own group": {"setsid sleep 3 & trap '' TERM; echo a; sleep 60 & wait; wait", 100 * time.Millisecond, -1, "a", context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
			defer cancel()
			var said []string
			code, err := r.runInFolder(ctx, t.TempDir(), nil, []string{"/bin/sh", "-c", test.line}, func(line string) { said = append(said, line) })
			if strings.Join(said, "\n") != test.said || test.ended == nil && code != test.code || err != test.ended && ctx.Err() != test.ended {
				t.Errorf("status %d, %v, said %q", code, err, said)
			}
		})
	}
}

// TestKillProcesses: what a dead worker's task left running is known by its environment, wherever its group.
func TestKillProcesses(t *testing.T) {
	start := func(variable string) *exec.Cmd {
		cmd := exec.Command("sleep", "60")
		cmd.Env = append(os.Environ(), variable)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	ours, other := start(deploymentVariable+"d1"), start(deploymentVariable+"d10")
	killProcesses(deploymentVariable + "d1")
	if err := ours.Wait(); err == nil {
		t.Error("it was not killed")
	}
	if err := other.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("another deployment's: %v", err)
	}
	_ = other.Process.Kill()
	_ = other.Wait()
}

// TestKillLeftovers: all that a task runs is killed, here and in a container, whatever it has started and in which
// process group.
func TestKillLeftovers(t *testing.T) {
	const mark = deploymentVariable + "d2"
	for place, kill := range map[string]func(){
		"here": func() { killProcesses(mark) },
		"in a container": func() {
			cmd := exec.Command("/bin/sh", "-c", killMarked, "promote", mark)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // as all that an engine starts there
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		},
	} {
		for name, line := range map[string]string{
			"one process":         "echo up; exec sleep 60",
			"several":             "sh -c 'echo up; sleep 60; :' & wait; :",
			"a group of its own":  "setsid sh -c 'echo up; sleep 60; :' & wait; :",
			"an orphan":           "(setsid sh -c 'echo up; sleep 60; :' &)",
			"deaf to all signals": "trap '' TERM INT HUP; echo up; sleep 60; :",
		} {
			t.Run(name+" "+place, func(t *testing.T) {
				task := exec.Command("/bin/sh", "-c", guardDump, "promote", "/bin/sh", "-c", line)
				task.Env, task.SysProcAttr = append(os.Environ(), mark), &syscall.SysProcAttr{Setsid: true}
				out, err := task.StdoutPipe()
				if err := errors.Join(err, task.Start()); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(out, make([]byte, len("up\n"))); err != nil {
					t.Fatal(err)
				}
				kill()
				late := time.AfterFunc(5*time.Second, func() {
					t.Error("some of it goes on")
					killProcesses(mark)
				})
				_, _ = io.Copy(io.Discard, out) // until the last of them is gone
				late.Stop()
				_ = task.Wait()
			})
		}
	}
}
