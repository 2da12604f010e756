package bed

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// BuildKit starts a buildkitd beside the engine and returns its address, as build.builder takes it. The
// test skips, as in Need, where the program was not built (make setup builds it).
func BuildKit(t testing.TB) string {
	t.Helper()
	Need(t)
	program, err := proxyProgram("buildkitd")
	if err != nil {
		skip(t, err)
	}
	dir, err := os.MkdirTemp(root(), "buildkit-")
	if err != nil {
		t.Fatal(err)
	}
	address := "unix://" + filepath.Join(dir, "sock") // short: a socket's path has 108 characters at most
	cmd := exec.Command(program, "--root", filepath.Join(dir, "data"), "--addr", address, "--containerd-worker=false", "--oci-worker=true")
	daemon, _, err := startDaemon("buildkitd", cmd, "running server on")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(daemon.stop)
	return address
}
