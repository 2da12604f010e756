package bed

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/docker/docker/client"
)

// socket is where the bed's engine listens: the usual place, on a /run of the bed's own. A program
// that ignores DOCKER_HOST therefore reaches the bed's engine too and never the machine's.
const socket = "/run/docker.sock"

// engineID is the file with an engine's process id.
const engineID = "/run/docker.pid"

// EngineHandle is a running Docker engine.
type EngineHandle struct {
	daemon *daemon
	client *client.Client
}

// Engine returns the engine of this test binary, started on first use (about a second). Tests share
// it: they keep apart by project name, image repository and published port.
func Engine(t testing.TB) *EngineHandle {
	t.Helper()
	Need(t)
	engine, err := engineOnce()
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// Host is the engine's address as DOCKER_HOST takes it.
func (e *EngineHandle) Host() string { return "unix://" + socket }

// Client is a connection to the engine, shared by all tests; do not close it.
func (e *EngineHandle) Client() *client.Client { return e.client }

// Log is the path of the engine's log.
func (e *EngineHandle) Log() string { return e.daemon.log }

var engineOnce = sync.OnceValues(startEngine)

func startEngine() (*EngineHandle, error) {
	dockerd, err := lookPath("dockerd")
	if err != nil {
		return nil, err
	}
	settings := filepath.Join(root(), "daemon.json")
	if err := os.WriteFile(settings, []byte("{}"), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command(dockerd, engineOptions(settings, filepath.Join(root(), "engine"), controlGroup())...)
	daemon, _, err := startDaemon("dockerd", cmd, "API listen on")
	if err != nil {
		return nil, err
	}
	api, err := client.NewClientWithOpts(client.WithHost("unix://"+socket), client.WithAPIVersionNegotiation())
	if err != nil {
		return nil, err
	}
	return &EngineHandle{daemon: daemon, client: api}, nil
}

// engineOptions are dockerd's: its settings file, the folder for its data, and the control group
// below which its containers are.
func engineOptions(settings, data, group string) []string {
	return []string{
		"--host", "unix://" + socket,
		"--config-file", settings, // not the machine's
		"--data-root", data,
		"--exec-root", "/run/docker", // short: it holds sockets
		"--default-address-pool", "base=172.16.0.0/12,size=24", // else it is out of networks after thirty projects
		"--pidfile", engineID,
		"--cgroup-parent", group, // so that the groups can be found and removed
		"--exec-opt", "native.cgroupdriver=cgroupfs", // systemd knows nothing of the bed
		"--insecure-registry", hostNetwork, // HostRegistry's
	}
}

// controlGroup is the one that holds all control groups of the bed.
func controlGroup() string { return "/" + filepath.Base(root()) }
