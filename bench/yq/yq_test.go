// Package yq measures package compose beside yq, which people use to change a version in a compose file,
// in one run and in one process. What is reported is the ratio of the medians; below 1 compose is
// faster, though it also proves that nothing but the version changed. It is a module of its own, since
// promote does not need yq.
//
//	cd bench/yq && go test -run '^$' -bench . .
package yq

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mikefarah/yq/v4/pkg/yqlib"
	"github.com/sirupsen/logrus"

	"promote/compose"
)

func TestMain(m *testing.M) {
	logrus.SetOutput(io.Discard)
	os.Exit(m.Run())
}

const (
	service    = "service3"
	repository = "registry.example.org/team/service3"
)

var from, to = compose.Pin{Tag: "v1.0.0"}, compose.Pin{Tag: "v1.1.0"}

// file writes a compose file with so many services, 200 bytes each.
func file(tb testing.TB, n int) (path string) {
	tb.Helper()
	var text strings.Builder
	text.WriteString("services:\n")
	for i := range n {
		fmt.Fprintf(&text, "  service%d:\n    image: registry.example.org/team/service%d:v1.0.0\n    restart: unless-stopped\n    environment:\n      - LOG_LEVEL=info\n      - WORKERS=4\n    labels:\n      traefik.enable: \"true\"\n", i, i)
	}
	path = filepath.Join(tb.TempDir(), "compose.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		tb.Fatal(err)
	}
	return path
}

// ours reads the file, changes the version, and proves that nothing else changed.
func ours(path string, services ...string) ([]byte, error) {
	project, err := compose.Load(context.Background(), compose.Options{Dir: filepath.Dir(path), Services: services})
	if err != nil {
		return nil, err
	}
	edit, err := project.Edit(compose.Change{Service: service, From: from, To: to})
	if err != nil {
		return nil, err
	}
	return edit.Files()[0].After, nil
}

// theirs reads the file and changes the image, as yq does with -i.
func theirs(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	preferences := yqlib.NewDefaultYamlPreferences()
	expression := fmt.Sprintf(".services.%s.image = %q", service, to.Join(repository))
	after, err := yqlib.NewStringEvaluator().Evaluate(expression, string(data), yqlib.NewYamlEncoder(preferences), yqlib.NewYamlDecoder(preferences))
	return []byte(after), err
}

// TestSameWork: what is measured does the same on both sides, and ours is the file with one version
// replaced.
func TestSameWork(t *testing.T) {
	path := file(t, 5)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(string(before), from.Join(repository), to.Join(repository), 1)
	for _, services := range [][]string{nil, {service}} {
		if got, err := ours(path, services...); err != nil || string(got) != want {
			t.Errorf("with %v: %v\n%s", services, err, got)
		}
	}
	if got, err := theirs(path); err != nil || !strings.Contains(string(got), to.Join(repository)) {
		t.Errorf("yq: %v\n%s", err, got)
	}
}

// BenchmarkEdit changes one version in a small file and in one of 5,000 services (1 MB). In the lines
// that say so the project is loaded with that service only, as promote does for a deployment.
func BenchmarkEdit(b *testing.B) {
	for _, c := range []struct {
		name     string
		n        int
		services []string
	}{
		{"5-services", 5, nil},
		{"5-services-one-wanted", 5, []string{service}},
		{"5000-services", 5000, nil},
		{"5000-services-one-wanted", 5000, []string{service}},
	} {
		b.Run(c.name, func(b *testing.B) {
			path := file(b, c.n)
			compare(b, func() ([]byte, error) { return ours(path, c.services...) }, func() ([]byte, error) { return theirs(path) })
		})
	}
}

// compare runs both in turn, and each first as often as the other.
func compare(b *testing.B, ours, theirs func() ([]byte, error)) {
	var a, t []time.Duration
	for i := range b.N {
		if i%2 == 0 {
			a = append(a, timed(b, ours))
		}
		t = append(t, timed(b, theirs))
		if i%2 == 1 {
			a = append(a, timed(b, ours))
		}
	}
	b.ReportMetric(0, "ns/op")
	report(b, "promote", median(a))
	report(b, "other", median(t))
	b.ReportMetric(float64(median(a))/float64(median(t)), "ratio")
}

func timed(b *testing.B, do func() ([]byte, error)) time.Duration {
	b.Helper()
	began := time.Now()
	if _, err := do(); err != nil {
		b.Fatal(err)
	}
	return time.Since(began)
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

// report shows short times in microseconds.
func report(b *testing.B, who string, d time.Duration) {
	if d < 10*time.Millisecond {
		b.ReportMetric(float64(d.Microseconds()), who+"-µs")
		return
	}
	b.ReportMetric(float64(d.Milliseconds()), who+"-ms")
}
