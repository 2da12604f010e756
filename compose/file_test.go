package compose_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"promote/compose"
)

// twoFiles is an edit of compose.yaml and .env, in this order of writing: .env first.
func twoFiles(t *testing.T) (*compose.Edit, string) {
	dir := folder(t, map[string]string{"compose.yaml": "services:\n  a: {image: \"a:v1\"}\n  b: {image: \"b:${TAG}\"}\n", ".env": "TAG=v1\n"})
	edit, err := load(t, compose.Options{Dir: dir}).Edit(
		compose.Change{Service: "a", From: compose.Pin{Tag: "v1"}, To: compose.Pin{Tag: "v2"}},
		compose.Change{Service: "b", From: compose.Pin{Tag: "v1"}, To: compose.Pin{Tag: "v2"}})
	if err != nil {
		t.Fatal(err)
	}
	return edit, dir
}

func TestFirstFileIsPutBackWhenTheSecondFails(t *testing.T) {
	edit, dir := twoFiles(t)
	changed := "services: {}\n"
	if err := os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(changed), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := edit.Apply(); !errors.Is(err, compose.ErrStale) {
		t.Errorf("got %v", err)
	}
	compare(t, dir, map[string]string{".env": "TAG=v1\n", "compose.yaml": changed})
}

func TestRevert(t *testing.T) {
	edit, dir := twoFiles(t)
	if err := errors.Join(edit.Apply(), edit.Revert()); err != nil {
		t.Fatal(err)
	}
	compare(t, dir, map[string]string{edit.Files()[0].Path[len(dir)+1:]: string(edit.Files()[0].Before)})
	if err := edit.Revert(); !errors.Is(err, compose.ErrStale) {
		t.Errorf("reverted twice: %v", err)
	}
}

// TestOtherFilesMeanwhile: a file came up between Edit and Apply that docker compose takes by itself.
func TestOtherFilesMeanwhile(t *testing.T) {
	for name, text := range map[string]string{".env": "TAG=v0\n", "compose.override.yaml": "services: {core: {image: \"core:v0\"}}\n"} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"compose.yaml": "services: {core: {image: \"core:${TAG:-v1}\"}}\n"}
			dir := folder(t, files)
			edit, err := load(t, compose.Options{Dir: dir}).Edit(compose.Change{Service: "core", From: compose.Pin{Tag: "v1"}, To: compose.Pin{Tag: "v2"}})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := edit.Apply(); err == nil || !strings.HasSuffix(err.Error(), "docker compose would read other files") {
				t.Errorf("got %v", err)
			}
			compare(t, dir, files)
		})
	}
}

// TestShadowedMeanwhile: another file was changed between Edit and Apply so that the new version would
// not be the one that runs.
func TestShadowedMeanwhile(t *testing.T) {
	files := map[string]string{"compose.yaml": "services: {core: {image: \"core:${TAG:-v1}\"}}\n", ".env": "A=b\n"}
	dir := folder(t, files)
	edit, err := load(t, compose.Options{Dir: dir}).Edit(compose.Change{Service: "core", From: compose.Pin{Tag: "v1"}, To: compose.Pin{Tag: "v2"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".env"), []byte("TAG=v0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := edit.Apply(); err == nil || !strings.Contains(err.Error(), "would become core:v0") {
		t.Errorf("got %v", err)
	}
	compare(t, dir, map[string]string{"compose.yaml": files["compose.yaml"]})
}

func TestFacts(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, map[string]string{"compose.yaml": `
services:
  a: {image: a, container_name: box, healthcheck: {test: [NONE]}, volumes_from: [b]}
  b: {image: b, network_mode: "container:box", volumes_from: ["a:ro"], healthcheck: {test: [CMD, "true"]}, tmpfs: /tmp}
  c: {image: c, pid: "service:b", build: {dockerfile_inline: "FROM scratch"}, depends_on: {d: {condition: service_completed_successfully}}}
  d: {image: d, ipc: "service:a"}
`})})
	a, b, c := service(t, p, "a"), service(t, p, "b"), service(t, p, "c")
	if a.HealthCheck || !b.HealthCheck || !a.SharedNamespace || !b.SharedNamespace || c.SharedNamespace {
		t.Errorf("health checks or namespaces: %+v %+v %+v", a, b, c)
	}
	if got := strings.Join(a.Attached, " "); got != "b c d" || len(b.Attached) != 1 || c.Attached != nil {
		t.Errorf("attached to a: %s; to b: %v; to c: %v", got, b.Attached, c.Attached)
	}
	if d := service(t, p, "d"); !d.Completes || a.Completes {
		t.Errorf("completes: %t %t", d.Completes, a.Completes)
	}
	if len(a.WritableVolumes) != 1 || len(b.WritableVolumes) != 0 || c.Context == "" || a.Context != "" {
		t.Errorf("volumes or build: %+v %+v %+v", a, b, c)
	}
}
