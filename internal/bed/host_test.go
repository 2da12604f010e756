package bed_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"promote/internal/bed"
)

func TestHostsAreApart(t *testing.T) {
	begun := time.Now()
	hosts := bed.Hosts(t, "staging", "prod")
	t.Logf("two hosts took %v", time.Since(begun))
	staging, prod := hosts[0], hosts[1]
	for _, host := range hosts {
		for _, user := range []string{"root", "deploy"} {
			want := user + " " + host.Name() + "\n"
			if got := ssh(t, host.URL(user), "echo $(id -un) $(hostname)"); got != want {
				t.Errorf("ssh %s says %q, want %q", host.URL(user), got, want)
			}
		}
	}
	staging.Run(t, "docker volume create left; touch /run/left /tmp/left /srv/left /usr/left; exec sleep 1000 &")
	if got := prod.Run(t, "docker volume ls -q; ls /run/left /tmp/left /srv/left /usr/left 2>/dev/null; pidof sleep || true"); got != "" {
		t.Errorf("prod has things of staging: %q", got)
	}
	if staging.Run(t, "docker info --format {{.ID}}") == prod.Run(t, "docker info --format {{.ID}}") {
		t.Error("two engines have one id")
	}
	if got := staging.Run(t, "bash -c 'head -c 4 </dev/tcp/"+prod.Addr()+"/22'"); got != "SSH-" {
		t.Errorf("staging hears %q from prod", got)
	}
}

func TestHostSeesNothingOfTheMachine(t *testing.T) {
	host := bed.Host(t, "alone")
	here := t.TempDir()
	if out, err := host.Try("ls " + here); err == nil {
		t.Errorf("the test's folder is there: %s", out)
	}
	if out := host.Run(t, "env; cat /proc/*/environ"); strings.Contains(out, "PROMOTE_BED=") {
		t.Errorf("the test's environment is there: %s", out)
	}
	host.Run(t, "echo spoilt >/etc/spoilt; echo spoilt >/usr/spoilt; echo spoilt >/root/spoilt")
	for _, file := range []string{"/etc/spoilt", "/usr/spoilt", "/root/spoilt"} {
		if _, err := os.Stat(file); err == nil {
			t.Errorf("the host wrote to the machine's %s", file)
		}
		if content, err := os.ReadFile(host.Path(file)); string(content) != "spoilt\n" {
			t.Errorf("Path(%s): %v, %q", file, err, content)
		}
	}
}

func TestHostUsers(t *testing.T) {
	host := bed.Host(t, "users")
	tests := []struct{ user, script, want string }{
		{"deploy", "id", "uid=1000(deploy) gid=1000(deploy) groups=1000(deploy),999(docker)\n"},
		{"deploy", "pwd; ls -A", "/home/deploy\n.ssh\n"},
		{"deploy", "mkdir -p /srv/shop && docker ps -q && docker compose version >/dev/null && echo done", "done\n"},
		{"root", "pwd; ls -A; docker compose version >/dev/null && echo done", "/root\n.ssh\ndone\n"},
		{"deploy", "echo new >state; cat state", "new\n"},
	}
	for _, test := range tests {
		if got := ssh(t, host.URL(test.user), test.script); got != test.want {
			t.Errorf("%s: %s: got %q, want %q", test.user, test.script, got, test.want)
		}
	}
	if out, err := trySSH(host.URL("deploy"), "tty", "-tt"); err != nil || !strings.HasPrefix(out, "/dev/pts/0\r\n") {
		t.Errorf("a terminal on the host: %v, %q", err, out)
	}
	if content, err := os.ReadFile(host.Path("/home/deploy/state")); string(content) != "new\n" {
		t.Errorf("Path: %v, %q", err, content)
	}
	if log, err := os.ReadFile(host.Log()); !strings.Contains(string(log), "Accepted publickey for deploy") {
		t.Errorf("the log lacks the login: %v\n%s", err, log)
	}
	if _, err := trySSH(host.URL("nobody"), "true"); err == nil {
		t.Error("somebody else was let in")
	}
}

func TestHostKeyIsChecked(t *testing.T) {
	host := bed.Host(t, "checked")
	out, err := trySSH(host.URL("deploy"), "true", "-o", "UserKnownHostsFile=/dev/null")
	if err == nil || !strings.Contains(out, "Host key verification failed") {
		t.Errorf("an unknown host was trusted: %v %s", err, out)
	}
}

func TestComposeProjectOnHost(t *testing.T) {
	bed.Thorough(t)
	registry := bed.HostRegistry(t)
	host := bed.Host(t, "shop")
	publish(t, registry, "v1.5.0")
	startShop(t, host, registry)
	if got := get(t, host.Addr()+":8080"); got != "v1.5.0\n" {
		t.Errorf("published port answers %q", got)
	}
	if response, err := http.Get("http://127.0.0.1:8080"); err == nil {
		response.Body.Close()
		t.Error("the port is published on the test's side too")
	}
	containers, err := host.Client().ContainerList(context.Background(), container.ListOptions{})
	if err != nil || len(containers) != 1 {
		t.Errorf("Client sees %d containers: %v", len(containers), err)
	}
}

func TestHostRegistryServesTheTestToo(t *testing.T) {
	registry := bed.HostRegistry(t)
	publish(t, registry, "v1.5.0")
	run(t, "", bed.Env(t), "docker", "pull", registry.Addr()+"/core:v1.5.0")
}

func TestCutAndMend(t *testing.T) {
	bed.Thorough(t)
	host := bed.Host(t, "far")
	echo := startEcho(t, host.URL("deploy"))
	host.Cut()
	if out, err := trySSH(host.URL("deploy"), "true", "-o", "ConnectTimeout=1"); exitStatus(err) != 255 {
		t.Errorf("ssh to a host that was cut off: %v %s", err, out)
	}
	if got := host.Run(t, "ip -brief address show eth0"); !strings.Contains(got, host.Addr()) {
		t.Errorf("the address is gone: %s", got)
	}
	host.Mend()
	ssh(t, host.URL("deploy"), "true")
	echo.say(t, "still there")
	echo.hear(t, "still there")
}

func TestPowerOffAndBoot(t *testing.T) {
	bed.Thorough(t)
	registry := bed.HostRegistry(t)
	host := bed.Host(t, "weak")
	publish(t, registry, "v1.5.0")
	startShop(t, host, registry)
	host.Run(t, "echo kept >/srv/kept; touch /tmp/gone; ls /srv/shop")
	host.PowerOff()
	if out, err := trySSH(host.URL("deploy"), "true", "-o", "ConnectTimeout=1"); exitStatus(err) != 255 {
		t.Errorf("ssh to a host without power: %v %s", err, out)
	}
	if _, err := host.Try("true"); err == nil || err.Error() != "host weak is powered off" {
		t.Errorf("a script on a host without power: %v", err)
	}
	if content, err := os.ReadFile(host.Path("/srv/kept")); string(content) != "kept\n" {
		t.Errorf("the disk of a host without power: %v %q", err, content)
	}
	host.PowerOff() // does nothing
	host.Boot(t)
	// Not the whole of /tmp: the engine, which starts the service at the same time, writes there too.
	if got := ssh(t, host.URL("deploy"), "ls -d /srv/* /tmp/gone 2>/dev/null || true"); got != "/srv/kept\n/srv/shop\n" {
		t.Errorf("after boot: %q", got)
	}
	eventually(t, "the service to start with the engine", answers(host, "v1.5.0"))
	if _, err := host.Client().Ping(context.Background()); err != nil {
		t.Errorf("Client after boot: %v", err)
	}
}

// A machine without power closes no connections: whoever talked to it hears nothing.
func TestPowerOffIsSilent(t *testing.T) {
	bed.Thorough(t)
	host := bed.Host(t, "silent")
	echo := startEcho(t, host.URL("deploy"))
	host.PowerOff()
	echo.say(t, "hello")
	echo.hearNothing(t)
	host.Boot(t)
	if err := echo.cmd.Wait(); exitStatus(err) != 255 {
		t.Errorf("the connection outlived the host: %v", err)
	}
}

func TestRestartEngine(t *testing.T) {
	bed.Thorough(t)
	registry := bed.HostRegistry(t)
	host := bed.Host(t, "engine")
	publish(t, registry, "v1.5.0")
	startShop(t, host, registry)
	id := host.Run(t, "cat /run/docker.pid")
	host.RestartEngine(t)
	if host.Run(t, "cat /run/docker.pid") == id {
		t.Error("the engine was not restarted")
	}
	eventually(t, "the service to start with the engine", answers(host, "v1.5.0"))
	host.Run(t, "kill -9 $(cat /run/docker.pid)")
	host.StopEngine(t)
	if out, err := host.Try("docker ps"); err == nil {
		t.Errorf("the engine answers: %s", out)
	}
	host.StartEngine(t)
	host.Run(t, "cd /srv/shop && docker compose up -d --wait 2>&1") // an engine of this age does not by itself
	if !answers(host, "v1.5.0")() {
		t.Error("the service does not answer after the engine was killed")
	}
}

func TestTryTellsExitCode(t *testing.T) {
	host := bed.Host(t, "scripts")
	out, err := host.Try("echo out; echo err >&2; sleep 1000 & exit 3")
	if out != "out\nerr\n" || exitStatus(err) != 3 {
		t.Errorf("got %q, %v", out, err)
	}
}

func TestOrphansOnHostAreReaped(t *testing.T) {
	bed.Thorough(t)
	host := bed.Host(t, "orphans")
	orphan := strings.TrimSpace(host.Run(t, "sleep 0 & echo $!"))
	eventually(t, "the orphan to go", func() bool {
		_, err := host.Try("test -e /proc/" + orphan)
		return err != nil
	})
}

func publish(t *testing.T, registry *bed.RegistryHandle, version string) {
	t.Helper()
	files, config := bed.Service(t, version, nil)
	registry.Push(t, "core", version, files, config)
}

// startShop starts version v1.5.0 in /srv/shop, as a person would.
func startShop(t *testing.T, host *bed.HostHandle, registry *bed.RegistryHandle) {
	t.Helper()
	ssh(t, host.URL("deploy"), "mkdir /srv/shop")
	write(t, filepath.Join(host.Path("/srv/shop"), "compose.yaml"), `
services:
  core:
    image: `+registry.Addr()+`/core:v1.5.0
    ports: ["8080:8080"]
    restart: unless-stopped
`)
	ssh(t, host.URL("deploy"), "cd /srv/shop && docker compose up -d --wait 2>&1")
}

// answers tells whether the service on host answers want.
func answers(host *bed.HostHandle, want string) func() bool {
	return func() bool {
		response, err := http.Get("http://" + host.Addr() + ":8080")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return err == nil && string(body) == want+"\n"
	}
}

func ssh(t *testing.T, url, script string) string {
	t.Helper()
	out, err := trySSH(url, script)
	if err != nil {
		t.Fatalf("ssh %s %s: %v\n%s", url, script, err, out)
	}
	return out
}

// trySSH returns what a script on the host printed, errors of ssh too.
func trySSH(url, script string, options ...string) (string, error) {
	out, err := exec.Command("ssh", append(options, url, script)...).CombinedOutput()
	return string(out), err
}

// exitStatus is what a command that failed with err ended with, or -1.
func exitStatus(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}

// echo is an ssh connection with a host that repeats what is said.
type echo struct {
	cmd   *exec.Cmd
	input io.Writer
	lines chan string
}

func startEcho(t *testing.T, url string) *echo {
	t.Helper()
	cmd := exec.Command("ssh", url, "cat")
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	e := &echo{cmd: cmd, input: input, lines: make(chan string, 10)}
	go func() {
		defer close(e.lines)
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			e.lines <- scanner.Text()
		}
	}()
	e.say(t, "hello")
	e.hear(t, "hello")
	return e
}

func (e *echo) say(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(e.input, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

func (e *echo) hear(t *testing.T, want string) {
	t.Helper()
	select {
	case line, ok := <-e.lines:
		if !ok || line != want {
			t.Fatalf("the host repeats %s, want %q", strconv.Quote(line), want)
		}
	case <-time.After(time.Minute): // generous: the machine may be busy
		t.Fatalf("the host does not repeat %q", want)
	}
}

// hearNothing gives an answer the time in which it would come many times over.
func (e *echo) hearNothing(t *testing.T) {
	t.Helper()
	select {
	case line, ok := <-e.lines:
		t.Fatalf("the host repeats %q (connected: %v), want silence", line, ok)
	case <-time.After(300 * time.Millisecond):
	}
}
