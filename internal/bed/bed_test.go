package bed_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"promote/internal/bed"
)

func TestMain(m *testing.M) { bed.Main(m) }

func TestPublishedServiceFromRegistry(t *testing.T) {
	registry := bed.Registry(t)
	env := bed.Env(t)
	files, config := bed.Service(t, "v1.5.0", nil)
	digest := registry.Push(t, "team/core", "v1.5.0", files, config)

	dir := t.TempDir()
	image := registry.Addr() + "/team/core:v1.5.0"
	write(t, filepath.Join(dir, "compose.yaml"), `
services:
  core:
    image: `+image+`
    ports: ["8080:8080"]
`)
	run(t, dir, env, "docker", "compose", "up", "-d", "--wait")
	if got := run(t, dir, env, "docker", "inspect", "--format", "{{index .RepoDigests 0}}", image); !strings.Contains(got, digest) {
		t.Errorf("engine has %s, the registry gave %s", got, digest)
	}
	if got := get(t, "127.0.0.1:8080"); got != "v1.5.0\n" {
		t.Errorf("published port answers %q", got)
	}
	address := run(t, dir, env, "docker", "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", filepath.Base(dir)+"-core-1")
	if got := get(t, strings.TrimSpace(address)+":8080"); got != "v1.5.0\n" {
		t.Errorf("container's address answers %q", got)
	}
	run(t, dir, env, "docker", "compose", "down")
}

func TestImageRunsCommandsAndPushes(t *testing.T) {
	registry := bed.Registry(t)
	env := bed.Env(t)
	repository := registry.Addr() + "/tools"
	bed.Image(t, repository, "v1.0.0", map[string]string{"bin/hello": "#!/bin/sh\necho hello $NAME\n"},
		bed.ImageConfig{Cmd: []string{"hello"}, Env: map[string]string{"NAME": "Ada"}})
	if got := run(t, t.TempDir(), env, "docker", "run", "--rm", repository+":v1.0.0"); got != "hello Ada\n" {
		t.Errorf("container says %q", got)
	}
	run(t, t.TempDir(), env, "docker", "push", repository+":v1.0.0")
}

func TestTwoContainersReachEachOtherByName(t *testing.T) {
	env := bed.Env(t)
	files, config := bed.Service(t, "v2.0.0", nil)
	bed.Image(t, "core", "v2.0.0", files, config)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "compose.yaml"), `
services:
  core:
    image: core:v2.0.0
  asks:
    image: core:v2.0.0
    depends_on: {core: {condition: service_healthy}}
    entrypoint: [wget, -q, -O, "-", "http://core:8080/"]
`)
	if got := run(t, dir, env, "docker", "compose", "run", "--rm", "asks"); got != "v2.0.0\n" {
		t.Errorf("neighbour answers %q", got)
	}
	run(t, dir, env, "docker", "compose", "down")
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run returns the standard output of a command that must succeed.
func run(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

// get returns the answer of the HTTP server at address.
func get(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
