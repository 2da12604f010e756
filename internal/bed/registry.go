package bed

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// RegistryHandle is a running registry (distribution), plain HTTP on the loopback, which engines and
// clients accept without being told.
type RegistryHandle struct {
	daemon *daemon
	addr   string
}

// Registry starts an empty registry and stops it when the test ends. Manifests can be deleted.
func Registry(t testing.TB) *RegistryHandle {
	t.Helper()
	Need(t)
	registry, err := startRegistry(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(registry.daemon.stop)
	return registry
}

// Addr is the registry's HOST:PORT, the first part of its images' names.
func (r *RegistryHandle) Addr() string { return r.addr }

// Log is the path of the registry's log, which holds a line for every request.
func (r *RegistryHandle) Log() string { return r.daemon.log }

const registryConfig = `
version: 0.1
http: {addr: "127.0.0.1:0", secret: bed}
storage:
  filesystem: {rootdirectory: %q}
  delete: {enabled: true}
  maintenance: {uploadpurging: {enabled: false}}
`

func startRegistry(data string) (*RegistryHandle, error) {
	program, err := lookPath("docker-registry")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "serve", "/dev/stdin")
	cmd.Stdin = strings.NewReader(fmt.Sprintf(registryConfig, data))
	daemon, line, err := startDaemon("registry", cmd, "listening on ")
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(line, "listening on ")
	addr, _, _ := strings.Cut(rest, `"`)
	return &RegistryHandle{daemon: daemon, addr: addr}, nil
}
