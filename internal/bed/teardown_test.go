package bed_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"promote/internal/bed"
)

// TestVictim is what the tests below run in a bed of its own, and end in every way.
func TestVictim(t *testing.T) {
	ending := os.Getenv("VICTIM")
	if ending == "" {
		t.Skip("runs only as another test's process")
	}
	bed.Registry(t)
	bed.Image(t, "victim", "v1.0.0", nil, bed.ImageConfig{Cmd: []string{"sleep", "1000"}})
	run(t, "", bed.Env(t), "docker", "run", "-d", "-p", "8080:80", "victim:v1.0.0")
	if os.Getenv("VICTIM_HOST") != "" {
		victimHost(t)
	}
	fmt.Println("up", os.Getenv("PROMOTE_BED"))
	switch ending {
	case "fail":
		t.Error("told to")
	case "panic":
		panic("told to")
	case "wait":
		select {}
	}
}

// victimHost has all that a host can have: a container, an open connection, a relay.
func victimHost(t *testing.T) {
	t.Helper()
	registry := bed.HostRegistry(t)
	host := bed.Host(t, "victim")
	publish(t, registry, "v1.5.0")
	startShop(t, host, registry)
	startEcho(t, host.Relay(t, 0).URL("deploy"))
}

func TestNothingRemains(t *testing.T) {
	bed.Thorough(t)
	bed.Need(t)
	tests := []struct {
		name   string
		ending string
		signal syscall.Signal
		code   int
		host   string
	}{
		{"pass", "pass", 0, 0, ""},
		{"fail", "fail", 0, 1, ""},
		{"panic", "panic", 0, 2, ""},
		{"interrupt", "wait", syscall.SIGINT, 128 + 2, ""},
		{"terminate", "wait", syscall.SIGTERM, 128 + 15, ""},
		{"timeout", "wait", syscall.SIGQUIT, 2, ""},
		{"host-pass", "pass", 0, 0, "yes"},
		{"host-panic", "panic", 0, 2, "yes"},
		{"host-interrupt", "wait", syscall.SIGINT, 128 + 2, "yes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := machine(t)
			victim := startVictim(t, t.TempDir(), test.ending, test.host)
			if test.signal != 0 {
				victim.signal(t, test.signal)
			}
			if code := victim.wait(); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if processes := strangers(t); len(processes) > 0 {
				t.Errorf("processes remain: %q", processes)
			}
			victim.checkFilesGone(t)
			if after := machine(t); after != before {
				t.Errorf("the machine was\n%s\nand is\n%s", before, after)
			}
		})
	}
}

func TestNothingRemainsAfterKill(t *testing.T) {
	bed.Thorough(t)
	bed.Need(t)
	temp := t.TempDir()
	before := machine(t)
	killed := startVictim(t, temp, "wait", "yes")
	if len(strangers(t)) == 0 || len(killed.groups(t)) == 0 {
		t.Fatal("the victim's processes and control groups can't be seen: their absence would say nothing")
	}
	killed.signal(t, syscall.SIGKILL)
	killed.wait()
	eventually(t, "processes to end", func() bool { return len(strangers(t)) == 0 })
	if _, err := os.Stat(killed.root); err != nil {
		t.Fatalf("the folder should remain until the next bed: %v", err)
	}
	next := startVictim(t, temp, "pass", "")
	next.wait()
	killed.checkFilesGone(t)
	if after := machine(t); after != before {
		t.Errorf("the machine was\n%s\nand is\n%s", before, after)
	}
}

func TestOrphansAreReaped(t *testing.T) {
	bed.Need(t)
	out := run(t, "", os.Environ(), "sh", "-c", "sleep 0 >/dev/null & echo $!")
	orphan := filepath.Join("/proc", strings.TrimSpace(out))
	eventually(t, "the orphan to go", func() bool {
		_, err := os.Stat(orphan)
		return os.IsNotExist(err)
	})
}

func TestNeedWithoutRoot(t *testing.T) {
	bed.Need(t)
	for ci, want := range map[string]string{"": "--- SKIP: TestVictim", "true": "--- FAIL: TestVictim"} {
		cmd := exec.Command(publicCopy(t), "-test.v", "-test.run=^TestVictim$")
		cmd.Env = []string{"VICTIM=pass", "CI=" + ci}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		cmd.Dir = "/"
		out, _ := cmd.CombinedOutput() // exits 1 where it should; the output tells
		if !strings.Contains(string(out), want) || !strings.Contains(string(out), "needs root") {
			t.Errorf("with CI=%q, want %q and the reason:\n%s", ci, want, out)
		}
	}
}

// A bed without hosts needs none of the programs that hosts are made of.
func TestNeedOfHosts(t *testing.T) {
	bed.Thorough(t)
	bed.Need(t)
	tests := []struct{ host, want string }{
		{"", "--- PASS: TestVictim"},
		{"yes", "sshd is not installed (scripts/setup installs it)\n--- SKIP: TestVictim"},
	}
	for _, test := range tests {
		hidden := "mount --bind /dev/null /usr/sbin/sshd && exec \"$0\" -test.v -test.run='^TestVictim$'"
		cmd := exec.Command("unshare", "--mount", "sh", "-c", hidden, os.Args[0])
		cmd.Env = append(outsideEnv(), "VICTIM=pass", "VICTIM_HOST="+test.host, "CI=", "TMPDIR="+t.TempDir())
		out, _ := cmd.CombinedOutput() // the output tells
		if !strings.Contains(string(out), test.want) {
			t.Errorf("with host=%q, want %q:\n%s", test.host, test.want, out)
		}
	}
}

// outsideEnv is the environment with which a test binary makes a bed of its own.
func outsideEnv() []string {
	inside := func(variable string) bool { return strings.HasPrefix(variable, "PROMOTE_BED=") }
	return slices.DeleteFunc(os.Environ(), inside)
}

// publicCopy copies this test binary to where everybody may run it.
func publicCopy(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bed-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	file := filepath.Join(dir, "victim")
	run(t, "", os.Environ(), "cp", os.Args[0], file)
	run(t, "", os.Environ(), "chmod", "755", dir, file)
	return file
}

type victim struct {
	cmd    *exec.Cmd
	output *bufio.Reader
	root   string
}

// startVictim runs TestVictim in a bed inside this one and returns when its container runs.
func startVictim(t *testing.T, temp, ending, host string) *victim {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(outsideEnv(), "VICTIM="+ending, "VICTIM_HOST="+host, "TMPDIR="+temp)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	v := &victim{cmd: cmd, output: bufio.NewReader(stdout)}
	for {
		line, err := v.output.ReadString('\n')
		if root, ok := strings.CutPrefix(line, "up "); ok {
			v.root = strings.TrimSpace(root)
			return v
		}
		if err != nil {
			t.Fatalf("the victim ended with %d before it was up", v.wait())
		}
	}
}

func (v *victim) signal(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := v.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
}

// wait returns the exit code once every process that holds the output has ended.
func (v *victim) wait() int {
	_, _ = io.Copy(io.Discard, v.output)
	_ = v.cmd.Wait()
	return v.cmd.ProcessState.ExitCode()
}

func (v *victim) checkFilesGone(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(v.root); !os.IsNotExist(err) {
		t.Errorf("the bed's folder remains (%v)", err)
	}
	if groups := v.groups(t); len(groups) > 0 {
		t.Errorf("control groups remain: %q", groups)
	}
}

// machine is what a bed may not change: network devices, mounts and packet filter rules of the
// namespaces around it, and the folders that hosts have of their own.
func machine(t *testing.T) string {
	t.Helper()
	return run(t, "", os.Environ(), "sh", "-c", `
		ls /sys/class/net
		ip -brief link | cut -d " " -f 1
		cut -d " " -f 5 /proc/self/mountinfo
		iptables-save | grep -v "^[#:]"
		find /etc /srv /home /opt -xdev | sort
		ls -A /root`)
}

// groups lists the control groups of the victim's bed.
func (v *victim) groups(t *testing.T) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		groups, err := filepath.Glob(pattern + filepath.Base(v.root))
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, groups...)
	}
	return found
}

// strangers lists the processes in namespaces below ours that are not those of our engine's
// containers: a victim's.
func strangers(t *testing.T) []string {
	t.Helper()
	own, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		t.Fatal(err)
	}
	links, err := filepath.Glob("/proc/[0-9]*/ns/pid")
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]bool{own: true}
	found := map[string][]string{} // by namespace
	for _, link := range links {
		namespace, err := os.Readlink(link)
		if err != nil {
			continue // it has ended
		}
		found[namespace] = append(found[namespace], link)
		// A health check is in its container's namespace before it is in the control group.
		ours[namespace] = ours[namespace] || ownContainer(filepath.Dir(filepath.Dir(link)))
	}
	maps.DeleteFunc(found, func(namespace string, _ []string) bool { return ours[namespace] })
	return slices.Concat(slices.Collect(maps.Values(found))...)
}

func ownContainer(process string) bool {
	groups, err := os.ReadFile(filepath.Join(process, "cgroup"))
	return err == nil && strings.Contains(string(groups), filepath.Base(os.Getenv("PROMOTE_BED")))
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(time.Minute) // generous: the machine may be busy
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("gave up waiting for %s", what)
		}
	}
}
