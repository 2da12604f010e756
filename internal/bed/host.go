package bed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/client"
	"golang.org/x/sync/errgroup"
)

// hostPrograms are what a host is made of beyond a bed's programs. scripts/setup installs them.
var hostPrograms = []string{"sshd", "ssh", "ssh-keygen", "nsenter"}

// HostHandle is a machine of its own, as far as a program can tell: address, name, processes, users,
// file systems, Docker engine with compose, and sshd. It sees nothing of the test's machine but the
// installed programs. Users are root and deploy (id 1000, in group docker, owner of /srv); both let
// the test in by key. There is no network beyond the bed and its hosts.
//
// Its disks are /srv, /home, /root, /var, /etc/docker and /etc/ssh; everything else is as new at every
// boot. All methods may be called by several goroutines at a time.
type HostHandle struct {
	name   string
	number int
	dir    string
	client *client.Client

	mu      sync.Mutex
	machine *daemon // its first process; nil while the power is off
	sshd    *daemon
	engine  *daemon // nil while stopped
}

// hostVariable tells a program that it is the first process of a host, and which.
const hostVariable = "PROMOTE_BED_HOST"

// hostReady is what the first process says once the host's file systems are there.
const hostReady = "host is ready"

// hostPlan is what the first process of a host has to know.
type hostPlan struct {
	Dir     string // the host's folder in the bed
	Name    string
	Address string
	Compose string // the compose plugin to install, if any
}

// Host returns a host of the test's own, booted. It is powered off and its disks removed when the
// test ends. Hosts of one test have different names.
func Host(t testing.TB, name string) *HostHandle {
	t.Helper()
	return Hosts(t, name)[0]
}

// Hosts returns several hosts, booted side by side, which takes little longer than one.
func Hosts(t testing.TB, names ...string) []*HostHandle {
	t.Helper()
	Need(t)
	if err := missing(hostPrograms); err != nil {
		skip(t, err)
	}
	if err := prepareHosts(); err != nil {
		t.Fatal(err)
	}
	var hosts []*HostHandle
	var boots errgroup.Group
	for _, name := range names {
		host, err := newHost(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(host.remove)
		hosts = append(hosts, host)
	}
	for _, host := range hosts {
		boots.Go(host.boot)
	}
	if err := boots.Wait(); err != nil {
		t.Fatal(err)
	}
	return hosts
}

func prepareHosts() error {
	if err := bridgeOnce(); err != nil {
		return err
	}
	return sshOnce()
}

func newHost(name string) (*HostHandle, error) {
	number, err := hostNumbers.take()
	if err != nil {
		return nil, err
	}
	h := &HostHandle{name: name, number: number, dir: filepath.Join(root(), fmt.Sprintf("host-%d", number))}
	if err := makeDisks(h.dir); err != nil {
		return nil, fmt.Errorf("make the disks of host %s: %w", name, err)
	}
	h.client, err = client.NewClientWithOpts(client.WithHost("unix://"+socket), client.WithDialContext(h.dialEngine), client.WithAPIVersionNegotiation())
	return h, err
}

func (h *HostHandle) remove() {
	h.PowerOff()
	h.client.Close()
	if err := os.RemoveAll(h.dir); err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
	}
	hostNumbers.giveBack(h.number)
}

// Name is the host's name for itself; to others it is its Addr.
func (h *HostHandle) Name() string { return h.name }

// Addr is the host's IP address. It stays the same when the host is booted again.
func (h *HostHandle) Addr() string { return hostAddress(h.number) }

// URL is the host's address for promote, as in ssh://deploy@10.77.0.11.
func (h *HostHandle) URL(user string) string { return "ssh://" + user + "@" + h.Addr() }

// Path returns where the test itself finds an absolute path of the host. A path on the host's disks
// is good for as long as the host exists, also while its power is off; any other until it goes off.
// What was mounted on a disk later is not seen there.
func (h *HostHandle) Path(path string) string {
	path = filepath.Clean(path)
	for _, disk := range hostDisks {
		if path == disk || strings.HasPrefix(path, disk+"/") {
			return hostDisk(h.dir) + path
		}
	}
	pid, err := h.pid()
	if err != nil {
		return filepath.Join(h.dir, "off", path)
	}
	return fmt.Sprintf("/proc/%d/root%s", pid, path)
}

// Log is the path of the log of the host's sshd, since it was booted last.
func (h *HostHandle) Log() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sshd == nil {
		return ""
	}
	return h.sshd.log
}

// Client is a connection to the host's engine; do not close it. It works again after the host was
// booted or the engine restarted.
func (h *HostHandle) Client() *client.Client { return h.client }

func (h *HostHandle) dialEngine(ctx context.Context, _, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", h.Path(socket))
}

// Run runs a script (sh -c) as root on the host and returns what it printed, errors too. A script
// that fails, fails the test.
func (h *HostHandle) Run(t testing.TB, script string) string {
	t.Helper()
	output, err := h.Try(script)
	if err != nil {
		t.Fatalf("on %s: %s: %v\n%s", h.name, script, err, output)
	}
	return output
}

// Try is Run that leaves failure to the caller: an *exec.ExitError if the script ended with it.
func (h *HostHandle) Try(script string) (string, error) {
	// To a file and not a pipe: a process that the script leaves behind doesn't make it look unfinished.
	output, err := os.CreateTemp(h.dir, "output-")
	if err != nil {
		return "", err
	}
	defer os.Remove(output.Name())
	defer output.Close()
	cmd, err := h.command("sh", "-c", script)
	if err != nil {
		return "", err
	}
	cmd.Stdout, cmd.Stderr = output, output
	failure := cmd.Run()
	content, err := os.ReadFile(output.Name())
	if failure != nil {
		return string(content), failure
	}
	return string(content), err
}

// command is a command to run on the host as root.
func (h *HostHandle) command(args ...string) (*exec.Cmd, error) {
	pid, err := h.pid()
	if err != nil {
		return nil, err
	}
	return enterHost(pid, args...)
}

// enterHost is a command to run in the host whose first process is pid.
func enterHost(pid int, args ...string) (*exec.Cmd, error) {
	nsenter, err := lookPath("nsenter")
	if err != nil {
		return nil, err
	}
	target := []string{"--target", fmt.Sprint(pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd", "--"}
	cmd := exec.Command(nsenter, append(target, args...)...)
	cmd.Env = hostEnv()
	cmd.SysProcAttr = ownSession()
	return cmd, nil
}

const hostPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func hostEnv() []string {
	return []string{hostPath, "HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/sh", "LANG=C.UTF-8"}
}

func (h *HostHandle) pid() (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.machine == nil {
		return 0, fmt.Errorf("host %s is powered off", h.name)
	}
	return h.machine.cmd.Process.Pid, nil
}

// Cut takes the host off the network, as if its cable were pulled: nobody is told, connections hang.
func (h *HostHandle) Cut() { h.link("down") }

// Mend ends Cut.
func (h *HostHandle) Mend() { h.link("up") }

// PowerOff ends everything on the host at once. Its connections hang, as nobody is left to close
// them. What was written to its disks is there.
func (h *HostHandle) PowerOff() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.machine == nil {
		return
	}
	h.unplug() // first: a dying program's connections are closed by the kernel
	h.machine.stop()
	for _, service := range []*daemon{h.sshd, h.engine} {
		if service != nil {
			<-service.done
		}
	}
	h.machine, h.sshd, h.engine = nil, nil, nil
	removeGroups(h.controlGroup())
}

// Boot starts a host that is powered off, with the disks as they are.
func (h *HostHandle) Boot(t testing.TB) {
	t.Helper()
	if err := h.boot(); err != nil {
		t.Fatal(err)
	}
}

func (h *HostHandle) boot() error {
	if err := h.start(); err != nil {
		return fmt.Errorf("boot host %s: %w", h.name, err)
	}
	var services errgroup.Group
	services.Go(h.startEngine)
	services.Go(h.startSSH)
	if err := services.Wait(); err != nil {
		return fmt.Errorf("boot host %s: %w", h.name, err)
	}
	return nil
}

// start starts the first process and connects it to the network.
func (h *HostHandle) start() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.machine != nil {
		return errors.New("it is running")
	}
	compose, err := hostCompose(h.dir)
	if err != nil {
		return err
	}
	cmd, err := hostCommand(hostPlan{Dir: h.dir, Name: h.name, Address: h.Addr(), Compose: compose})
	if err != nil {
		return err
	}
	machine, _, err := startDaemon(h.name, cmd, hostReady)
	if err != nil {
		return err
	}
	h.machine = machine
	return h.plug(cmd.Process.Pid)
}

func (h *HostHandle) startSSH() error {
	args := append([]string{"/usr/sbin/sshd", "-D", "-e"}, sshdOptions()...)
	sshd, err := h.serve("sshd", "Server listening on", args)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sshd = sshd
	return err
}

func (h *HostHandle) startEngine() error {
	options := engineOptions("/etc/docker/daemon.json", "/var/lib/docker", "/"+h.controlGroup())
	engine, err := h.serve("dockerd", "API listen on", append([]string{"dockerd"}, options...))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.engine = engine
	return err
}

// serve starts a server on the host.
func (h *HostHandle) serve(name, mark string, args []string) (*daemon, error) {
	cmd, err := h.command(args...)
	if err != nil {
		return nil, err
	}
	service, _, err := startDaemon(h.name+"-"+name, cmd, mark)
	return service, err
}

// controlGroup is the one that holds the host's containers.
func (h *HostHandle) controlGroup() string {
	return filepath.Join(filepath.Base(root()), filepath.Base(h.dir))
}

// RestartEngine stops the engine and starts it again, as a package upgrade does.
func (h *HostHandle) RestartEngine(t testing.TB) {
	t.Helper()
	h.StopEngine(t)
	h.StartEngine(t)
}

// StopEngine asks the engine to stop and waits until it has. Containers stop with it. It does nothing
// if the engine has ended already.
func (h *HostHandle) StopEngine(t testing.TB) {
	t.Helper()
	h.mu.Lock()
	engine := h.engine
	h.mu.Unlock()
	if engine == nil {
		return
	}
	_, asked := h.Try("kill -TERM $(cat " + engineID + ")") // it may have ended already
	select {
	case <-engine.exited:
	case <-time.After(time.Minute): // containers have ten seconds
		t.Fatalf("the engine of %s does not stop (%v): %s", h.name, asked, engine.tail())
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.engine = nil
}

// StartEngine starts the engine after StopEngine, or after something ended it.
func (h *HostHandle) StartEngine(t testing.TB) {
	t.Helper()
	if err := h.startEngine(); err != nil {
		t.Fatal(err)
	}
}
