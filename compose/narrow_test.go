package compose_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/sirupsen/logrus"

	"promote/compose"
)

// TestNarrow loads every file of the corpus once whole and once for each of its services alone: what is
// said of the service, and what an edit of it makes of the file, must be the same.
func TestNarrow(t *testing.T) {
	logrus.SetOutput(io.Discard)
	for _, path := range corpus(t) {
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			narrowFile(t, string(data))
		})
	}
}

func narrowFile(t *testing.T, text string) {
	o := compose.Options{Dir: folder(t, map[string]string{"compose.yaml": text})}
	whole, err := compose.Load(context.Background(), o)
	if err != nil {
		return // what stops compose may stand in a service that was left out
	}
	for _, s := range whole.Services() {
		o.Services = []string{s.Name}
		alone := load(t, o)
		if got := alone.Services(); len(got) != 1 || !reflect.DeepEqual(got[0], s) {
			t.Fatalf("alone it is\n%+v\nin the whole\n%+v", got, s)
		}
		if s.Refusal != "" {
			continue
		}
		got, want := edited(t, alone, s), edited(t, whole, s)
		if got != want {
			t.Fatalf("%s: alone the edit gives\n%s\nin the whole\n%s", s.Name, got, want)
		}
	}
}

// edited is what an edit of one service makes of its file, or the refusal.
func edited(t *testing.T, p *compose.Project, s compose.Service) string {
	edit, err := p.Edit(changeTo(s, s.Name))
	if err != nil {
		return err.Error()
	}
	return edit.Diff()
}

// TestNarrowEntangled has what ties services together: loaded for one of them, the project must still
// know of the others.
func TestNarrowEntangled(t *testing.T) {
	for name, text := range map[string]string{
		"an anchored image elsewhere": "services:\n  core:\n    image: &i core:1\n  b:\n    image: b:1\n    environment: {IMG: *i}\n",
		"an anchored service":         "services:\n  core: &c\n    image: core:1\n  b: *c\n",
		"a merge":                     "services:\n  core: &c\n    image: core:1\n  b:\n    <<: *c\n    restart: always\n",
		"extends":                     "services:\n  b:\n    extends: core\n  core:\n    image: core:1\n  c:\n    extends: {service: b}\n",
		"a shared namespace":          "services:\n  b:\n    image: b:1\n    network_mode: service:core\n  core:\n    image: core:1\n",
		"a container's namespace":     "services:\n  b:\n    image: b:1\n    pid: container:core1\n  core:\n    image: core:1\n    container_name: core1\n",
		"a variable":                  "x-v: ${V:-1}\nservices:\n  core:\n    image: core:${V:-1}\n  b:\n    image: b:1\n    labels: {version: \"${V:-2}\"}\n",
		"what depends on it":          "services:\n  b:\n    image: b:1\n    depends_on: [core]\n    volumes_from: [core]\n    links: [core]\n  core:\n    image: core:1\n    depends_on: {c: {condition: service_healthy}}\n  c:\n    image: c:1\n",
		"comments and a key behind":   "services:\n  # one\n  b:\n    image: b:1 # two\n\n  core: {image: 'core:1'}\n  # three\n# four\nnetworks:\n  default: {}\n",
		"a BOM and CRLF":              "\ufeffservices:\r\n  b:\r\n    image: b:1\r\n  core:\r\n    image: core:1\r\n",
		"LS in a quoted value":        "services:\n  b:\n    image: b:1\n    labels: {a: \"x\u2028y\u0085z\"}\n  core:\n    image: core:1",
	} {
		t.Run(name, func(t *testing.T) { narrowFile(t, text) })
	}
}

// TestNarrowBroken: a mistake in a service that was left out is not noticed, and one in a service that
// matters is told as ever.
func TestNarrowBroken(t *testing.T) {
	dir := folder(t, map[string]string{"compose.yaml": "services:\n  core:\n    image: core:1\n  b:\n    image: [b]\n"})
	load(t, compose.Options{Dir: dir, Services: []string{"core"}})
	if _, err := compose.Load(context.Background(), compose.Options{Dir: dir, Services: []string{"b"}}); err == nil {
		t.Error("a broken service was loaded")
	}
}

// TestNarrowOverride has the service in two files, and others in each.
func TestNarrowOverride(t *testing.T) {
	dir := folder(t, map[string]string{
		"compose.yaml":          "services:\n  b:\n    image: b:1\n  core:\n    image: core:1\n    restart: always\n",
		"compose.override.yaml": "services:\n  b:\n    restart: always\n",
	})
	p := load(t, compose.Options{Dir: dir, Services: []string{"core"}})
	edit, err := p.Edit(compose.Change{Service: "core", From: compose.Pin{Tag: "1"}, To: compose.Pin{Tag: "2"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := edit.Apply(); err != nil {
		t.Fatal(err)
	}
	if f := edit.Files()[0]; !bytes.Contains(f.After, []byte("core:2")) || p.Services()[0].Restart != "always" {
		t.Errorf("the file is %s", f.After)
	}
}
