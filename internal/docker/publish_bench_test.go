package docker_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"promote/internal/bed"
	"promote/internal/docker"
	"promote/registry"
	"promote/semver"
)

// BenchmarkPublish takes a changed program from its source to version and latest in a registry: as
// promote does it, and with the commands that it replaces.
func BenchmarkPublish(b *testing.B) {
	program := make([]byte, 16<<20)
	rand.Read(program)
	bed.Image(b, "base", "1", nil, bed.ImageConfig{})
	dir := folder(b, map[string]string{"Dockerfile": "FROM base:1\nCOPY program /\nCOPY main.js /\n", "program": string(program)})
	for name, publish := range map[string]func(b *testing.B, dir, repository string, n int){"promote": byPromote, "docker": byDocker} {
		b.Run(name, func(b *testing.B) {
			repository := bed.Registry(b).Addr() + "/core"
			n := 0
			change := func() {
				n++
				if err := os.WriteFile(filepath.Join(dir, "main.js"), fmt.Appendf(nil, "%s %d", name, n), 0o644); err != nil {
					b.Fatal(err)
				}
			}
			change()
			publish(b, dir, repository, n) // the first one uploads everything
			for b.Loop() {
				change()
				publish(b, dir, repository, n)
			}
		})
	}
}

func byPromote(b *testing.B, dir, repository string, n int) {
	v := semver.MustParse(fmt.Sprintf("v1.0.%d", n))
	e, err := docker.Connect(b.Context(), bed.Engine(b).Host())
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	image := repository + ":" + v.Tag()
	labels := map[string]string{registry.LabelVersion: v.String()}
	if _, err := e.Build(b.Context(), docker.BuildOptions{Context: dir, Tags: []string{image}, Labels: labels}, nil); err != nil {
		b.Fatal(err)
	}
	digest, err := e.Push(b.Context(), image, "", nil)
	if err != nil {
		b.Fatal(err)
	}
	if moved, _, err := registry.New().MoveLatest(b.Context(), repository, v, digest); err != nil || !moved {
		b.Fatal(moved, err)
	}
}

func byDocker(b *testing.B, dir, repository string, n int) {
	image := fmt.Sprintf("%s:v1.0.%d", repository, n)
	command(b, "build", "--quiet", "--tag", image, "--tag", repository+":latest", dir)
	command(b, "push", "--quiet", image)
	command(b, "push", "--quiet", repository+":latest")
}

func command(b *testing.B, args ...string) {
	b.Helper()
	cmd := exec.Command("docker", args...)
	cmd.Env = append(bed.Env(b), builder(b)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("docker %v: %v\n%s", args, err, out)
	}
}

// builder has docker build with BuildKit where docker-buildx is on the PATH, and with its classic
// builder where it is not: docker itself refuses then.
func builder(b *testing.B) []string {
	buildx, err := exec.LookPath("docker-buildx")
	if err != nil {
		return []string{"DOCKER_BUILDKIT=0"}
	}
	config := b.TempDir()
	if err := os.Mkdir(filepath.Join(config, "cli-plugins"), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.Symlink(buildx, filepath.Join(config, "cli-plugins", "docker-buildx")); err != nil {
		b.Fatal(err)
	}
	return []string{"DOCKER_BUILDKIT=1", "DOCKER_CONFIG=" + config}
}
