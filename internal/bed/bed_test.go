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
	"time"

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

func TestPrivateRegistryWantsPassword(t *testing.T) {
	registry := bed.PrivateRegistry(t)
	env := bed.Env(t)
	image := registry.Addr() + "/core:v1.0.0"
	registry.Push(t, "core", "v1.0.0", nil, bed.ImageConfig{Cmd: []string{"true"}})
	pull := exec.Command("docker", "pull", image)
	pull.Env = env
	if out, err := pull.CombinedOutput(); err == nil || !strings.Contains(string(out), "no basic auth credentials") {
		t.Errorf("pull without password: %v\n%s", err, out)
	}
	run(t, "", env, "docker", "login", "-u", bed.User, "-p", bed.Password, registry.Addr())
	run(t, "", env, "docker", "pull", image)
}

// The service is what other packages measure promote by, so its bad manners are tested.
func TestServiceMisbehavesAsTold(t *testing.T) {
	bed.Thorough(t)
	env := bed.Env(t)
	tests := []struct {
		name        string
		environment map[string]string
		want        string
	}{
		{"healthy", nil, "running healthy 0"},
		{"slow", map[string]string{"START_DELAY": "700ms"}, "running healthy 0"},
		{"crash", map[string]string{"CRASH": "start"}, "exited unhealthy 1"},
		{"later", map[string]string{"CRASH_AFTER": "1ms"}, "exited unhealthy 1"},
		{"never", map[string]string{"HEALTH": "never"}, "running unhealthy 0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			files, config := bed.Service(t, "v1.0.0", test.environment)
			bed.Image(t, "service-"+test.name, "v1.0.0", files, config)
			container := strings.TrimSpace(run(t, "", env, "docker", "run", "-d", "service-"+test.name+":v1.0.0"))
			state := ""
			eventually(t, test.want, func() bool {
				state = strings.TrimSpace(run(t, "", env, "docker", "inspect", "--format",
					"{{.State.Status}} {{.State.Health.Status}} {{.State.ExitCode}}", container))
				return state == test.want
			})
		})
	}
}

func TestServiceListensEarly(t *testing.T) {
	files, config := bed.Service(t, "v1.0.0", map[string]string{"LISTEN": "early", "START_DELAY": "1h"})
	bed.Image(t, "service-early", "v1.0.0", files, config)
	env := bed.Env(t)
	run(t, "", env, "docker", "run", "-d", "--name", "early", "-p", "8090:8080", "service-early:v1.0.0")
	eventually(t, "an answer", func() bool {
		response, err := http.Get("http://127.0.0.1:8090/")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusServiceUnavailable
	})
}

func TestServiceStopsAsTold(t *testing.T) {
	bed.Thorough(t)
	env := bed.Env(t)
	tests := map[string]struct {
		environment map[string]string
		atLeast     time.Duration
		code        string
	}{
		"late":  {map[string]string{"STOP_DELAY": "400ms"}, 400 * time.Millisecond, "0"},
		"never": {map[string]string{"STOP": "never"}, time.Second, "137"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files, config := bed.Service(t, "v1.0.0", test.environment)
			bed.Image(t, "service-stops", name, files, config)
			container := strings.TrimSpace(run(t, "", env, "docker", "run", "-d", "service-stops:"+name))
			eventually(t, "the service", func() bool {
				return strings.Contains(run(t, "", env, "docker", "logs", container), "ready")
			})
			begun := time.Now()
			run(t, "", env, "docker", "stop", "-t", "1", container)
			if took := time.Since(begun); took < test.atLeast {
				t.Errorf("stopped after %v", took)
			}
			code := run(t, "", env, "docker", "inspect", "--format", "{{.State.ExitCode}}", container)
			if strings.TrimSpace(code) != test.code {
				t.Errorf("exit code %s, want %s", code, test.code)
			}
		})
	}
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
