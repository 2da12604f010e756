package docker_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/moby/buildkit/client"

	"promote/internal/bed"
	"promote/internal/docker"
)

// folder writes files below a temporary folder.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// contents lists what an image has below /app.
func contents(t *testing.T, e *docker.Engine, image string) []string {
	t.Helper()
	created, err := e.API.ContainerCreate(t.Context(), &container.Config{Image: image, Cmd: []string{"x"}}, nil, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	defer e.API.ContainerRemove(context.WithoutCancel(t.Context()), created.ID, container.RemoveOptions{Force: true})
	archive, _, err := e.API.CopyFromContainer(t.Context(), created.ID, "/app")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	return names(t, archive)
}

func TestBuild(t *testing.T) {
	e := connect(t)
	bed.Image(t, "base", "1", nil, bed.ImageConfig{})
	dir := folder(t, map[string]string{
		"Dockerfile": "FROM base:1 AS build\nARG WORD\nRUN echo $WORD > /word && test -f /bin/sh\n" +
			"FROM scratch AS main\nCOPY . /app/\nCOPY --from=build /word /app/word\nFROM base:1\nRUN false\n",
		".dockerignore": "secret.env\nnode_modules\n!keep\n",
		"secret.env":    "PASSWORD=1", "node_modules/a/index.js": "1", "main.js": "1",
	})
	id, err := e.Build(t.Context(), docker.BuildOptions{
		Context: dir, Target: "main", Args: map[string]string{"WORD": "hello"},
		Labels: map[string]string{"org.opencontainers.image.revision": "abc"},
		Tags:   []string{"build:v1.0.0", "build:other"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	image, found, err := e.Image(t.Context(), "build:v1.0.0")
	if err != nil || !found || image.ID != id || id == "" {
		t.Fatalf("image %+v, %v, %v; built %s", image, found, err, id)
	}
	if !slices.Contains(image.Tags, "build:other") || image.Labels["org.opencontainers.image.revision"] != "abc" {
		t.Errorf("image %+v", image)
	}
	if image.Created.IsZero() || image.Size == 0 {
		t.Errorf("image %+v", image)
	}
	if got := strings.Join(contents(t, e, id), " "); got != "app/ app/.dockerignore app/Dockerfile app/main.js app/word" {
		t.Errorf("the image has %s", got)
	}
}

func TestBuildIgnoresByDockerfile(t *testing.T) {
	e := connect(t)
	dir := folder(t, map[string]string{
		"docker/Dockerfile.prod":              "FROM scratch\nCOPY . /app/\n",
		"docker/Dockerfile.prod.dockerignore": "*\n!main.js\n",
		".dockerignore":                       "main.js\n",
		"main.js":                             "1", "other.js": "1",
	})
	id, err := e.Build(t.Context(), docker.BuildOptions{Context: dir, Dockerfile: "docker/Dockerfile.prod"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(contents(t, e, id), " "); got != "app/ app/main.js" {
		t.Errorf("the image has %s", got)
	}
}

func TestBuildSecretStaysOut(t *testing.T) {
	e := connect(t)
	bed.Image(t, "base", "1", nil, bed.ImageConfig{})
	dir := folder(t, map[string]string{
		"Dockerfile": "FROM base:1\nRUN --mount=type=secret,id=token grep -q s3cret /run/secrets/token && mkdir /app && wc -c < /run/secrets/token > /app/length\n",
	})
	token := filepath.Join(folder(t, map[string]string{"token": "s3cret"}), "token")
	id, err := e.Build(t.Context(), docker.BuildOptions{Context: dir, Secrets: []docker.Secret{{ID: "token", File: token}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(contents(t, e, id), " "); got != "app/ app/length" {
		t.Errorf("the image has %s", got)
	}
}

func TestBuildTellsTheStep(t *testing.T) {
	e := connect(t)
	bed.Image(t, "base", "1", nil, bed.ImageConfig{})
	dir := folder(t, map[string]string{
		"Dockerfile": "FROM base:1\nRUN for i in $(seq 1 50); do echo line $i; done; echo no such module; exit 3\n",
	})
	_, err := e.Build(t.Context(), docker.BuildOptions{Context: dir}, nil)
	var failed *docker.BuildError
	if !errors.As(err, &failed) {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(failed.Step, "RUN for i in") || failed.Reason != "exit code 3" {
		t.Errorf("step %q, reason %q", failed.Step, failed.Reason)
	}
	logs := failed.Logs()
	if len(logs) != 20 || !strings.HasSuffix(logs[19], "no such module") || !strings.HasSuffix(logs[0], "line 32") {
		t.Errorf("output %q", logs)
	}
}

func TestBuildMistakes(t *testing.T) {
	e := connect(t)
	missing := filepath.Join(t.TempDir(), "missing")
	tests := []struct {
		name, want string
		options    docker.BuildOptions
	}{
		{"no context", missing, docker.BuildOptions{Context: missing}},
		{"no Dockerfile", "Dockerfile", docker.BuildOptions{Context: folder(t, nil)}},
		{"no stage", "nostage", docker.BuildOptions{Context: folder(t, map[string]string{"Dockerfile": "FROM scratch\n"}), Target: "nostage"}},
		{"no secret", missing, docker.BuildOptions{Context: folder(t, map[string]string{"Dockerfile": "FROM scratch\n"}), Secrets: []docker.Secret{{ID: "a", File: missing}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := e.Build(t.Context(), test.options, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The build is stopped from its own progress, once the step that never ends has begun.
func TestBuildCancelled(t *testing.T) {
	e := connect(t)
	bed.Image(t, "base", "1", nil, bed.ImageConfig{})
	dir := folder(t, map[string]string{"Dockerfile": "FROM base:1\nRUN echo begun; cat /dev/zero > /dev/null\n"})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stop := func(_ context.Context, statuses chan *client.SolveStatus) error {
		for s := range statuses {
			if slices.ContainsFunc(s.Logs, func(l *client.VertexLog) bool { return strings.Contains(string(l.Data), "begun") }) {
				cancel()
			}
		}
		return nil
	}
	_, err := e.Build(ctx, docker.BuildOptions{Context: dir, NoCache: true}, stop)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestBuildShown(t *testing.T) {
	e := connect(t)
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /app/\n"})
	for mode, want := range map[string]string{"plain": "COPY Dockerfile /app/", "auto": "COPY Dockerfile /app/", "rawjson": `"vertexes":[`, "quiet": ""} {
		t.Run(mode, func(t *testing.T) {
			var out bytes.Buffer
			display, err := docker.NewDisplay(&out, mode)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Build(t.Context(), docker.BuildOptions{Context: dir, NoCache: true}, display); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), want) || want == "" && out.Len() > 0 {
				t.Errorf("shown: %s", out.String())
			}
		})
	}
	for _, mode := range []string{"tty", "loud"} {
		if _, err := docker.NewDisplay(&bytes.Buffer{}, mode); err == nil {
			t.Errorf("%s was taken off a terminal", mode)
		}
	}
}

// A display that gives up must not hold the build.
func TestBuildWithoutAudience(t *testing.T) {
	e := connect(t)
	dir := folder(t, map[string]string{"Dockerfile": "FROM scratch\nCOPY Dockerfile /app/\n"})
	leave := func(context.Context, chan *client.SolveStatus) error { return errors.New("terminal is gone") }
	if _, err := e.Build(t.Context(), docker.BuildOptions{Context: dir, NoCache: true}, leave); err != nil {
		t.Error(err)
	}
}
