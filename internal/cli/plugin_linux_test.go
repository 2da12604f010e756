package cli

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/cli/cli-plugins/socket"
)

// TestPlugin: docker finds promote in its cli-plugins, and `docker promote` is promote.
func TestPlugin(t *testing.T) {
	docker, err := exec.LookPath("docker")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no docker to be a plugin of:", err)
	}
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	err = errors.Join(os.Mkdir(filepath.Join(folder, "cli-plugins"), 0o755),
		os.Symlink(filepath.Join(dir, "promote"), filepath.Join(folder, "cli-plugins", "docker-promote")))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		line string
		exit int
		says string
	}{
		{"--help", 0, "promote*    Move releases of Compose services"},
		{"promote --version", 0, "promote version "},
		{"promote --help", 0, "promote deploy staging"},
		{"help promote", 0, "promote deploy staging"},
		{"promote deploy --help", 0, "Exit codes:"},
		{"promote deploy", exitFailed, "error: deploy which environment?"},
		{"promote completion promote", exitFailed, "completion for which shell"},
		{"--log-level debug promote deploy", exitFailed, "error: docker's own options do nothing here: --log-level"},
	} {
		cmd := exec.Command(docker, strings.Fields(c.line)...)
		cmd.Dir, cmd.Env = folder, []string{"DOCKER_CONFIG=" + folder, "HOME=" + folder, "PATH=" + os.Getenv("PATH")}
		out, err := cmd.CombinedOutput()
		if code := commandCode(err); code != c.exit || !strings.Contains(string(out), c.says) {
			t.Errorf("docker %s: exit code %d, want %d and %q\n%s", c.line, code, c.exit, c.says, out)
		}
	}
}

// TestPluginStopped: docker off a terminal keeps a SIGTERM to itself and closes its socket, which counts as
// the signal.
func TestPluginStopped(t *testing.T) {
	connected := make(chan struct{})
	server, err := socket.NewPluginServer(func(net.Conn) { close(connected) })
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(socket.EnvKey, server.Addr().String())
	p := &program{signals: catch()}
	args, err := p.asPlugin([]string{"docker-promote", "promote", "deploy", "prod"})
	if want := []string{"docker-promote", "deploy", "prod"}; err != nil || !slices.Equal(args, want) {
		t.Fatalf("%q %v", args, err)
	}
	<-connected
	if p.signals.ctx.Err() != nil {
		t.Fatal("stopped before docker was")
	}
	server.Close()
	<-p.signals.ctx.Done()
}

// TestPluginName: promote started as docker-promote, but not by docker, is promote all the same.
func TestPluginName(t *testing.T) {
	var out bytes.Buffer
	if code := Main([]string{"cli-plugins/docker-promote", "completion", "bash"}, strings.NewReader(""), &out, &out); code != exitDone || !strings.HasPrefix(out.String(), "_promote()") {
		t.Errorf("it ends with %d and says %s", code, out.String())
	}
}
