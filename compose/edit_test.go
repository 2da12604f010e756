package compose_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"promote/compose"
)

// project writes files into a folder and loads it.
func project(t testing.TB, files map[string]string, o compose.Options) (*compose.Project, error) {
	t.Helper()
	o.Dir = t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(o.Dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return compose.Load(context.Background(), o)
}

func pin(t testing.TB, text string) compose.Pin {
	t.Helper()
	p, err := compose.ParsePin(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const digestA, digestB = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

// TestEdit changes core (and what shares its place) from one pin to another, in the one file that shall
// change, and back.
func TestEdit(t *testing.T) {
	tests := map[string]struct {
		files    map[string]string // compose.yaml unless named
		text     string            // of compose.yaml, where that is all
		from, to string
		file     string // that changes; compose.yaml unless named
		want     string
		with     []string // further services of the place
		options  compose.Options
	}{
		"plain":                    {text: "services:\n  core:\n    image: aegee/core:v1.0.0\n", from: "v1.0.0", to: "v1.1.0", want: "services:\n  core:\n    image: aegee/core:v1.1.0\n"},
		"double quotes, comment":   {text: "services:\n  core:\n    image:   \"aegee/core:v1.0.0\"   # why\n", from: "v1.0.0", to: "v1.10.0", want: "services:\n  core:\n    image:   \"aegee/core:v1.10.0\"   # why\n"},
		"single quotes":            {text: "services:\n  core: {'image': 'core:1', x-a: 'core:1'}\n", from: "1", to: "2", want: "services:\n  core: {'image': 'core:2', x-a: 'core:1'}\n"},
		"JSON":                     {text: `{"services":{"core":{"image":"core:1"},"b":{"image":"core:1"}}}`, from: "1", to: "2", want: `{"services":{"core":{"image":"core:2"},"b":{"image":"core:1"}}}`},
		"registry with a port":     {text: "services: {core: {image: \"localhost:5000/core:1\"}}\n", from: "1", to: "2", want: "services: {core: {image: \"localhost:5000/core:2\"}}\n"},
		"untagged, with a port":    {text: "services: {core: {image: \"localhost:5000/core\"}}\n", from: "", to: "2", want: "services: {core: {image: \"localhost:5000/core:2\"}}\n"},
		"untagged":                 {text: "services:\n  core:\n    image: core # latest\n", from: "", to: "v2", want: "services:\n  core:\n    image: core:v2 # latest\n"},
		"tag and digest":           {text: "services: {core: {image: 'core:1@" + digestA + "'}}\n", from: "1@" + digestA, to: "2@" + digestB, want: "services: {core: {image: 'core:2@" + digestB + "'}}\n"},
		"digest gone":              {text: "services: {core: {image: 'core:1@" + digestA + "'}}\n", from: "1@" + digestA, to: "2", want: "services: {core: {image: 'core:2'}}\n"},
		"digest alone":             {text: "services: {core: {image: 'core@" + digestA + "'}}\n", from: "@" + digestA, to: "@" + digestB, want: "services: {core: {image: 'core@" + digestB + "'}}\n"},
		"CRLF":                     {text: "services:\r\n  core:\r\n    image: core:1\r\n", from: "1", to: "2", want: "services:\r\n  core:\r\n    image: core:2\r\n"},
		"BOM, no final newline":    {text: "\ufeffservices:\n  core:\n    image: core:1", from: "1", to: "2", want: "\ufeffservices:\n  core:\n    image: core:2"},
		"BOM on the line":          {text: "\ufeffservices: {core: {image: core:1}}", from: "1", to: "2", want: "\ufeffservices: {core: {image: core:2}}"},
		"accents in front":         {text: "services: {core: {x-née: '✓ 🎉', image: core:1}}\n", from: "1", to: "2", want: "services: {core: {x-née: '✓ 🎉', image: core:2}}\n"},
		"line separators in front": {text: "x-a: \"a\u2028b\u2029c\u0085 d\"\nservices: {core: {image: core:1}}\n", from: "1", to: "2", want: "x-a: \"a\u2028b\u2029c\u0085 d\"\nservices: {core: {image: core:2}}\n"},
		"lone CR":                  {text: "services:\r  core:\r    image: core:1\r", from: "1", to: "2", want: "services:\r  core:\r    image: core:2\r"},
		"variable in the name":     {text: "services: {core: {image: '${REG:-localhost:5000/}core:1'}}\n", from: "1", to: "2", want: "services: {core: {image: '${REG:-localhost:5000/}core:2'}}\n"},
		"default":                  {text: "services: {core: {image: 'core:${TAG:-1}'}}\n", from: "1", to: "2", want: "services: {core: {image: 'core:${TAG:-2}'}}\n"},
		"default with a dash":      {text: "services: {core: {image: 'core:${TAG-1}'}}\n", from: "1", to: "2", want: "services: {core: {image: 'core:${TAG-2}'}}\n"},
		"default of all":           {text: "services: {core: {image: '${IMAGE:-localhost:5000/core:1}'}}\n", from: "1", to: "2", want: "services: {core: {image: '${IMAGE:-localhost:5000/core:2}'}}\n"},
		"anchor and alias":         {text: "x-i: &i core:1\nservices:\n  core: {image: *i}\n  other: {image: *i}\n", from: "1", to: "2", with: []string{"other"}, want: "x-i: &i core:2\nservices:\n  core: {image: *i}\n  other: {image: *i}\n"},
		"merge":                    {text: "x-c: &c\n  image: core:1\nservices:\n  core:\n    <<: *c\n    restart: always\n", from: "1", to: "2", want: "x-c: &c\n  image: core:2\nservices:\n  core:\n    <<: *c\n    restart: always\n"},
		"the first merge wins":     {text: "x-a: &a {image: core:1}\nx-b: &b {image: core:1}\nservices: {core: {<<: [*a, *b]}}\n", from: "1", to: "2", want: "x-a: &a {image: core:2}\nx-b: &b {image: core:1}\nservices: {core: {<<: [*a, *b]}}\n"},
		"anchored service":         {text: "services:\n  core: &core\n    image: core:1\n  other:\n    <<: *core\n", from: "1", to: "2", with: []string{"other"}, want: "services:\n  core: &core\n    image: core:2\n  other:\n    <<: *core\n"},
		"extends in the file":      {text: "services:\n  base: {image: core:1}\n  core: {extends: base}\n", from: "1", to: "2", with: []string{"base"}, want: "services:\n  base: {image: core:2}\n  core: {extends: base}\n"},
		"variable in .env": {
			files: map[string]string{"compose.yaml": "services: {core: {image: 'core:${TAG}'}}\n", ".env": "A=1\nexport TAG='1' # now\nB=1\n"},
			from:  "1", to: "2", file: ".env", want: "A=1\nexport TAG='2' # now\nB=1\n",
		},
		"variable, required, CRLF": {
			files: map[string]string{"compose.yaml": "services: {core: {image: 'core:${TAG:?x}'}}\n", ".env": "TAG=\"1\"\r\n"},
			from:  "1", to: "2", file: ".env", want: "TAG=\"2\"\r\n",
		},
		"bare variable": {
			files: map[string]string{"compose.yaml": "services: {core: {image: core:$TAG}}\n", ".env": "TAG=1"},
			from:  "1", to: "2", file: ".env", want: "TAG=2",
		},
		"variable wins over its default": {
			files: map[string]string{"compose.yaml": "services: {core: {image: 'core:${TAG:-9}'}}\n", ".env": "TAG=1\n"},
			from:  "1", to: "2", file: ".env", want: "TAG=2\n",
		},
		"an env file that the service reads too": {
			files: map[string]string{"compose.yaml": "services: {core: {image: 'core:${TAG}', env_file: .env}}\n", ".env": "TAG=1\n"},
			from:  "1", to: "2", file: ".env", want: "TAG=2\n",
		},
		"whole image in .env": {
			files: map[string]string{"compose.yaml": "services: {core: {image: '${IMAGE}'}}\n", ".env": "IMAGE=localhost:5000/core\n"},
			from:  "", to: "2", file: ".env", want: "IMAGE=localhost:5000/core:2\n",
		},
		"the last env file": {
			files: map[string]string{"compose.yaml": "services: {core: {image: 'core:${TAG}'}}\n", "a.env": "TAG=0\n", "b.env": "TAG=1\n"},
			from:  "1", to: "2", file: "b.env", want: "TAG=2\n", options: compose.Options{EnvFiles: []string{"a.env", "b.env"}},
		},
		"the last file that sets it": {
			files: map[string]string{"compose.yaml": "services: {core: {image: core:0}}\n", "compose.override.yaml": "services: {core: {image: core:1}}\n"},
			from:  "1", to: "2", file: "compose.override.yaml", want: "services: {core: {image: core:2}}\n",
		},
		"an override without an image": {
			files: map[string]string{"compose.yaml": "services: {core: {image: core:1}}\n", "compose.override.yaml": "services: {core: {restart: always}}\n"},
			from:  "1", to: "2", want: "services: {core: {image: core:2}}\n",
		},
		"COMPOSE_FILE": {
			files: map[string]string{"a.yml": "services: {core: {image: core:1}}\n", ".env": "COMPOSE_FILE=a.yml\n"},
			from:  "1", to: "2", file: "a.yml", want: "services: {core: {image: core:2}}\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"compose.yaml": test.text}
			if test.files != nil {
				files = test.files
			}
			changed := test.file
			if changed == "" {
				changed = "compose.yaml"
			}
			p, err := project(t, files, test.options)
			if err != nil {
				t.Fatal(err)
			}
			var there, back []compose.Change
			for _, service := range append([]string{"core"}, test.with...) {
				c := compose.Change{Service: service, From: pin(t, test.from), To: pin(t, test.to)}
				there, back = append(there, c), append(back, c.Inverse())
			}
			apply(t, p, there)
			want := maps.Clone(files)
			want[changed] = test.want
			compare(t, p.Dir(), want)
			o := test.options
			o.Dir = p.Dir()
			again, err := compose.Load(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			apply(t, again, back)
			compare(t, p.Dir(), files)
		})
	}
}

func apply(t *testing.T, p *compose.Project, changes []compose.Change) {
	t.Helper()
	edit, err := p.Edit(changes...)
	if err != nil {
		t.Fatal(err)
	}
	if err := edit.Apply(); err != nil {
		t.Fatal(err)
	}
}

func compare(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != text {
			t.Errorf("%s is\n%q, want\n%q", name, got, text)
		}
	}
}

// TestRefusals: what can't be changed safely says where and why, and nothing is written.
func TestRefusals(t *testing.T) {
	tests := map[string]struct {
		files map[string]string
		text  string
		want  string // behind the folder
	}{
		"other tag stands there":     {text: "services: {core: {image: core:3}}", want: "compose.yaml:1:30: service core: 3 stands there, not 1"},
		"block scalar":               {text: "services:\n  core:\n    image: |-\n      core:1\n", want: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
		"escaped":                    {text: `services: {core: {image: "core\x3a1"}}`, want: "compose.yaml:1:26: service core: its image is not written plainly on one line"},
		"mixed tag":                  {text: "services: {core: {image: 'core:1${X:-}'}}", want: "compose.yaml:1:26: service core: the tag is put together from several parts"},
		"nested default":             {text: "services: {core: {image: 'core:${A:-${B:-1}}'}}", want: "compose.yaml:1:26: service core: a variable's default holds another variable"},
		"other form":                 {text: "services: {core: {image: 'core:${A:+1}1'}}", want: "compose.yaml:1:26: service core: the image uses a variable in a form that can't be changed safely"},
		"set nowhere":                {text: "services: {core: {image: 'core:${TAG}1'}, b: {image: 'b:1'}}", want: "compose.yaml:1:26: service core: the tag is put together from several parts"},
		"several documents":          {text: "services: {core: {image: core:1}}\n---\nx-a: 1\n", want: "compose.yaml:2:1: service core: the file holds several documents"},
		"alias used by another":      {text: "x-i: &i core:1\nservices:\n  core: {image: *i}\n  other: {image: *i}\n", want: "compose.yaml:1:13: service core: this place also decides the version of other"},
		"variable used by another":   {files: map[string]string{"compose.yaml": "services:\n  core: {image: 'core:${TAG}'}\n  other: {image: 'other:${TAG}'}\n", ".env": "TAG=1\n"}, want: ".env:1:5: service core: this place also decides the version of other"},
		"variable used elsewhere":    {files: map[string]string{"compose.yaml": "services:\n  core: {image: 'core:${TAG}', environment: {V: \"${TAG}\"}}\n", ".env": "TAG=1\n"}, want: ".env:1:5: service core: with it, more of service core than its image would change"},
		"env file of another":        {files: map[string]string{"compose.yaml": "services:\n  core: {image: 'core:${TAG}'}\n  other: {image: 'o:1', env_file: .env}\n", ".env": "TAG=1\n"}, want: ".env:1:5: service other: this file is also its env_file, so its environment would change too"},
		"assigned twice":             {files: map[string]string{"compose.yaml": "services: {core: {image: 'core:${TAG}'}}\n", ".env": "TAG=0\nTAG=1\n"}, want: ".env:2:5: service core: TAG is set more than once"},
		"assigned from a variable":   {files: map[string]string{"compose.yaml": "services: {core: {image: 'core:${TAG}'}}\n", ".env": "X=1\nTAG=$X\n"}, want: ".env:2:5: service core: TAG is not a plain value"},
		"no image":                   {text: "services: {core: {build: .}}", want: "compose.yaml:1:18: service core: it has no image"},
		"not UTF-8":                  {text: "services: {core: {image: core:1}} # \xff\n", want: "compose.yaml: it is not UTF-8"},
		"override of merging":        {text: "services:\n  core: !override\n    image: core:1\n", want: "compose.yaml:2:9: service core: !override changes how files are merged"},
		"set in the environment too": {files: map[string]string{"compose.yaml": "services: {core: {image: 'core:${FROM_ENV}'}}\n", ".env": "FROM_ENV=1\n"}, want: "compose.yaml:1:26: service core: FROM_ENV is set in the environment, which wins over every file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"compose.yaml": test.text}
			if test.files != nil {
				files = test.files
			}
			p, err := project(t, files, compose.Options{Environ: []string{"FROM_ENV=1"}})
			if err == nil {
				_, err = p.Edit(compose.Change{Service: "core", From: pin(t, "1"), To: pin(t, "2")})
			}
			var refusal *compose.Error
			if !errors.As(err, &refusal) {
				t.Fatalf("got %v, want a refusal", err)
			}
			if got := err.Error()[strings.LastIndex(err.Error(), "/")+1:]; got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if refusal.Advice == "" {
				t.Error("it does not say what to do")
			}
		})
	}
}

// TestStale: a file that somebody changed meanwhile is not overwritten.
func TestStale(t *testing.T) {
	p, err := project(t, map[string]string{"compose.yaml": "services: {core: {image: core:1}}\n"}, compose.Options{})
	if err != nil {
		t.Fatal(err)
	}
	edit, err := p.Edit(compose.Change{Service: "core", From: pin(t, "1"), To: pin(t, "2")})
	if err != nil {
		t.Fatal(err)
	}
	path := p.Files()[0]
	if err := os.WriteFile(path, []byte("services: {core: {image: core:7}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := edit.Apply(); !errors.Is(err, compose.ErrStale) {
		t.Errorf("got %v", err)
	}
	compare(t, p.Dir(), map[string]string{"compose.yaml": "services: {core: {image: core:7}}\n"})
}

// TestKept: mode and symlink stay, and nothing is left beside the file.
func TestKept(t *testing.T) {
	p, err := project(t, map[string]string{"real.yaml": "services: {core: {image: core:1}}\n"}, compose.Options{Files: []string{"real.yaml"}})
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(p.Dir(), "compose.yaml")
	if err := errors.Join(os.Symlink("real.yaml", link), os.Chmod(p.Files()[0], 0o640)); err != nil {
		t.Fatal(err)
	}
	p, err = compose.Load(context.Background(), compose.Options{Dir: p.Dir()})
	if err != nil {
		t.Fatal(err)
	}
	apply(t, p, []compose.Change{{Service: "core", From: pin(t, "1"), To: pin(t, "2")}})
	compare(t, p.Dir(), map[string]string{"real.yaml": "services: {core: {image: core:2}}\n"})
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(p.Dir())
	if err != nil || len(entries) != 2 {
		t.Errorf("there is %v, %v", entries, err)
	}
	if info, err := os.Stat(link); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
}

func TestSplitReference(t *testing.T) {
	for image, want := range map[string][2]string{
		"core": {"core", ""}, "core:1": {"core", "1"}, "localhost:5000/core": {"localhost:5000/core", ""},
		"localhost:5000/a/core:1": {"localhost:5000/a/core", "1"}, "core@" + digestA: {"core", "@" + digestA},
		"a.b/core:1@" + digestA: {"a.b/core", "1@" + digestA},
	} {
		repository, p, err := compose.SplitReference(image)
		if err != nil || repository != want[0] || p.String() != want[1] || p.Join(repository) != image {
			t.Errorf("%s: %q %q %v", image, repository, p, err)
		}
	}
	for _, image := range []string{"", "core:", "core:-1", "core@sha256:1", ":1", "a/"} {
		if _, p, err := compose.SplitReference(image); err == nil {
			t.Errorf("%q was taken, as %v", image, p)
		}
	}
}

func TestSameRepository(t *testing.T) {
	same := []string{"core", "library/core", "docker.io/core", "docker.io/library/core", "index.docker.io/library/core"}
	for _, a := range same {
		for _, b := range same {
			if !compose.SameRepository(a, b) {
				t.Errorf("%s and %s are one", a, b)
			}
		}
		if compose.SameRepository(a, "aegee/core") || compose.SameRepository(a, "localhost:5000/core") {
			t.Errorf("%s is another", a)
		}
	}
}

func TestServices(t *testing.T) {
	p, err := project(t, map[string]string{"compose.yaml": `
services:
  web: {image: web:1, ports: ["80:80", "9000"], container_name: web}
  app: {image: app:1, volumes: [data:/data, "./ro:/ro:ro"], network_mode: "service:web", depends_on: [db]}
  db: {image: db:1, networks: {n: {ipv4_address: 10.1.1.1}}, deploy: {replicas: 2, update_config: {order: stop-first}}}
  extra: {image: extra:1, profiles: [debug]}
volumes: {data: {}}
networks: {n: {}}
`}, compose.Options{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]compose.Service{}
	for _, s := range p.Services() {
		found[s.Name] = s
	}
	web, app, db := found["web"], found["app"], found["db"]
	if p.Name() != "shop" || !slices.Equal(web.Ports, []string{"80/tcp"}) || web.ContainerName != "web" || !web.SharedNamespace {
		t.Errorf("web: %+v", web)
	}
	if !slices.Equal(app.WritableVolumes, []string{"/data"}) || app.NetworkMode != "service:web" || !slices.Contains(app.DependsOn, "db") {
		t.Errorf("app: %+v", app)
	}
	if !db.StaticAddress || db.Replicas != 2 || db.UpdateOrder != "stop-first" {
		t.Errorf("db: %+v", db)
	}
	if !found["extra"].Disabled || web.Disabled {
		t.Errorf("extra: %+v", found["extra"])
	}
}
