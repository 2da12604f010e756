// Package bench measures promote beside what people would use instead, in one run and on the same
// machine. What is reported is the ratio of the medians; below 1 promote is faster.
//
//	make bench
package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"promote/internal/bed"
)

func TestMain(m *testing.M) { bed.Main(m) }

// program builds promote once, as make build does.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "promote-bench-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "promote")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "promote")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// side is one way to do something.
type side struct {
	b     *testing.B
	dir   string
	env   []string
	times []time.Duration
}

// timed runs commands, one after the other, as one measurement.
func (s *side) timed(lines ...string) {
	s.b.Helper()
	began := time.Now()
	for _, line := range lines {
		s.do(line)
	}
	s.times = append(s.times, time.Since(began))
}

// do runs a command that is not measured. Lines have no quotes.
func (s *side) do(line string) {
	s.b.Helper()
	if _, err := s.run(line); err != nil {
		s.b.Fatal(err)
	}
}

// run runs a command and returns what it says, and in its error that, too.
func (s *side) run(line string) (string, error) {
	s.b.Helper()
	args := strings.Fields(line)
	if args[0] == "promote" {
		path, err := program()
		if err != nil {
			s.b.Fatal(err)
		}
		args[0] = path
	}
	cmd := exec.CommandContext(context.Background(), args[0], args[1:]...)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", line, err, out)
	}
	return string(out), nil
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

// compare runs both ways in turn and reports them.
func compare(b *testing.B, ours, theirs *side, round func(i int)) {
	for i := range b.N {
		round(i)
	}
	a, t := median(ours.times), median(theirs.times)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(a.Milliseconds()), "promote-ms")
	b.ReportMetric(float64(t.Milliseconds()), "other-ms")
	b.ReportMetric(float64(a)/float64(t), "ratio")
}

// sides makes two folders with the same files and the bed's environment.
func sides(b *testing.B, files map[string]string) (ours, theirs *side, registry *bed.RegistryHandle) {
	bed.Need(b)
	registry = bed.Registry(b)
	env := bed.Env(b)
	made := [2]*side{}
	for i, name := range []string{"ours", "theirs"} {
		made[i] = &side{b: b, dir: filepath.Join(b.TempDir(), name), env: env}
		for path, text := range files {
			made[i].write(path, strings.NewReplacer("REGISTRY", registry.Addr(), "SIDE", name).Replace(text))
		}
	}
	return made[0], made[1], registry
}

// write makes a file in the side's folder.
func (s *side) write(path, text string) {
	path = filepath.Join(s.dir, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.b.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.b.Fatal(err)
	}
}

const composeFile = `name: SIDE
services:
  core:
    image: REGISTRY/core:v1.0.0
`

const promoteFile = `services:
  core:
    image: REGISTRY/core
    version: package.json
    build: .
environments:
  staging: {project: .}
`

// release publishes a version of the test service.
func release(b *testing.B, r *bed.RegistryHandle, version string, interval time.Duration) {
	files, config := bed.Service(b, version, map[string]string{"START_DELAY": "1s"})
	config.Healthcheck.Interval = interval
	r.Push(b, "core", version, files, config)
}

// BenchmarkDeploy is one service from one version to the next, all in: a program that takes 1 s to
// start, with a health check every 1 s and every 5 s.
func BenchmarkDeploy(b *testing.B) {
	for _, interval := range []time.Duration{time.Second, 5 * time.Second} {
		b.Run("health-every-"+interval.String(), func(b *testing.B) {
			ours, theirs, registry := sides(b, map[string]string{"docker-compose.yml": composeFile, "promote.yaml": promoteFile})
			release(b, registry, "v1.0.0", interval)
			ours.do("promote deploy staging")
			theirs.do("docker compose up -d --wait")
			defer ours.do("docker compose down -t 1")
			defer theirs.do("docker compose down -t 1")
			compare(b, ours, theirs, func(i int) {
				version := fmt.Sprintf("v1.%d.0", i+1)
				release(b, registry, version, interval)
				ours.timed("promote deploy staging")
				theirs.do("docker image rm -f " + registry.Addr() + "/core:" + version)
				theirs.timed("sed -i s|core:v.*|core:"+version+"| docker-compose.yml", "docker compose pull", "docker compose up -d --wait")
			})
		})
	}
}

// BenchmarkNothingToDo is a deployment that finds everything in its place.
func BenchmarkNothingToDo(b *testing.B) {
	ours, theirs, registry := sides(b, map[string]string{"docker-compose.yml": composeFile, "promote.yaml": promoteFile})
	release(b, registry, "v1.0.0", time.Second)
	ours.do("promote deploy staging")
	theirs.do("docker compose up -d --wait")
	defer ours.do("docker compose down -t 1")
	defer theirs.do("docker compose down -t 1")
	compare(b, ours, theirs, func(int) {
		ours.timed("promote deploy staging")
		theirs.timed("docker compose up -d")
	})
}

// BenchmarkPublish is a changed image of two layers, one of them 20 MB and unchanged, against docker
// build and two pushes.
func BenchmarkPublish(b *testing.B) {
	ours, theirs, registry := sides(b, map[string]string{
		"package.json": `{"version": "1.0.0"}`, "promote.yaml": promoteFile, ".gitignore": ".promote\n",
		"Dockerfile": "FROM scratch\nCOPY ballast /\nCOPY package.json app.js /\n",
		"app.js":     "0", "ballast": strings.Repeat("ballast of an image that never changes ", 500_000),
	})
	for _, line := range []string{"git init -q", "git add .", "git commit -q -m First", "promote bump patch"} {
		ours.do(line)
	}
	image := registry.Addr() + "/theirs"
	theirs.do("docker build -q -t " + image + ":v0 .")
	theirs.do("docker push -q " + image + ":v0")
	compare(b, ours, theirs, func(i int) {
		for _, s := range []*side{ours, theirs} {
			if err := os.WriteFile(filepath.Join(s.dir, "app.js"), fmt.Appendf(nil, "%d", i+1), 0o644); err != nil {
				b.Fatal(err)
			}
		}
		ours.do("git commit -q -a -m Change")
		ours.do("promote bump patch --no-publish")
		ours.timed("promote publish")
		version := fmt.Sprintf("%s:v%d", image, i+1)
		theirs.timed("docker build -q -t "+version+" -t "+image+":latest .", "docker push -q "+version, "docker push -q "+image+":latest")
	})
}

// BenchmarkStart is how long promote takes to say its version, against docker saying its own.
func BenchmarkStart(b *testing.B) {
	ours, theirs, _ := sides(b, nil)
	for _, s := range []*side{ours, theirs} {
		if err := os.MkdirAll(s.dir, 0o755); err != nil {
			b.Fatal(err)
		}
	}
	compare(b, ours, theirs, func(int) {
		ours.timed("promote --version")
		theirs.timed("docker --version")
	})
}
