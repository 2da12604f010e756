package bed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
)

// User and Password are what a PrivateRegistry asks for.
const (
	User     = "ada"
	Password = "bed-password"
)

// credentials is the registry's password file: Password as its bcrypt hash.
const credentials = "ada:$2a$04$B/noCKokqinIz8oGi9o4Lecgs.pj2xQsSI6uKSW/9aUQqDsA3aHC.\n"

// loopback is where registries listen that only the test itself uses: engines and clients accept
// plain HTTP there without being told.
const loopback = "127.0.0.1"

// RegistryHandle is a running registry (distribution).
type RegistryHandle struct {
	daemon    *daemon
	addr      string
	auth      authn.Authenticator
	authority string // file of who vouches for its certificate; empty for plain HTTP
	data      string // folder of its content
}

// Registry starts an empty registry and stops it when the test ends. Manifests can be deleted.
func Registry(t testing.TB) *RegistryHandle {
	t.Helper()
	Need(t)
	registry, err := startRegistry(loopback, t.TempDir(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(registry.daemon.stop)
	return registry
}

// HostRegistry is a Registry that the test, its engine and all hosts reach under one name,
// 10.77.0.1:PORT. It is behind TLS, with a certificate that is trusted here.
func HostRegistry(t testing.TB) *RegistryHandle {
	t.Helper()
	return onBridge(t, t.TempDir(), "")
}

// onBridge starts a registry with a certificate in dir on the bridge, and trusts it.
func onBridge(t testing.TB, dir, settings string) *RegistryHandle {
	t.Helper()
	Need(t)
	if err := bridgeOnce(); err != nil {
		t.Fatal(err)
	}
	registry := startSecure(t, bridgeAddress, dir, settings)
	registry.Trust(t)
	return registry
}

// PrivateRegistry is a Registry that answers only to User and Password.
func PrivateRegistry(t testing.TB) *RegistryHandle {
	t.Helper()
	Need(t)
	registry, err := startRegistry(loopback, t.TempDir(), "", withPassword(t))
	if err != nil {
		t.Fatal(err)
	}
	registry.auth = &authn.Basic{Username: User, Password: Password}
	t.Cleanup(registry.daemon.stop)
	return registry
}

// PrivateHostRegistry is a HostRegistry that answers only to User and Password.
func PrivateHostRegistry(t testing.TB) *RegistryHandle {
	t.Helper()
	registry := onBridge(t, t.TempDir(), withPassword(t))
	registry.auth = &authn.Basic{Username: User, Password: Password}
	return registry
}

// withPassword is the setting of a registry that answers only to User and Password.
func withPassword(t testing.TB) string {
	t.Helper()
	passwords := filepath.Join(t.TempDir(), "htpasswd")
	if err := os.WriteFile(passwords, []byte(credentials), 0o600); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("auth: {htpasswd: {realm: bed, path: %q}}\n", passwords)
}

// Addr is the registry's HOST:PORT, the first part of its images' names.
func (r *RegistryHandle) Addr() string { return r.addr }

// Tag makes tags point to a digest of a repository, in the registry's own files: thousands of them at once.
func (r *RegistryHandle) Tag(t testing.TB, repository, digest string, tags ...string) {
	t.Helper()
	for _, tag := range tags {
		dir := filepath.Join(r.data, "docker/registry/v2/repositories", repository, "_manifests/tags", tag, "current")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "link"), []byte(digest), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Log is the path of the registry's log, which holds a line for every request.
func (r *RegistryHandle) Log() string { return r.daemon.log }

const registryConfig = `
version: 0.1
http: {addr: %q, secret: bed%s}
storage:
  filesystem: {rootdirectory: %q}
  delete: {enabled: true}
  maintenance: {uploadpurging: {enabled: false}}
`

// startRegistry listens on a free port of address and keeps the registry's content in the folder
// data; listening is added to its http settings, and settings to its configuration.
func startRegistry(address, data, listening, settings string) (*RegistryHandle, error) {
	program, err := lookPath("docker-registry")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "serve", "/dev/stdin")
	cmd.Stdin = strings.NewReader(fmt.Sprintf(registryConfig, address+":0", listening, data) + settings)
	daemon, line, err := startDaemon("registry", cmd, "listening on ")
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(line, "listening on ")
	addr := rest[:strings.IndexAny(rest, `",`)] // "…, tls" where it is
	return &RegistryHandle{daemon: daemon, addr: addr, auth: authn.Anonymous, data: data}, nil
}
