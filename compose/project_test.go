package compose_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"

	"promote/compose"
)

// folder writes files, path → content, and gives the folder they are in.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t testing.TB, o compose.Options) *compose.Project {
	t.Helper()
	project, err := compose.Load(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func service(t testing.TB, p *compose.Project, name string) compose.Service {
	t.Helper()
	services := p.Services()
	i := slices.IndexFunc(services, func(s compose.Service) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no service %s", name)
	}
	return services[i]
}

const oneService = "services:\n  core:\n    image: aegee/core:v1\n"

// compose-go warns through logrus of files that it does not take.
func init() { logrus.SetOutput(io.Discard) }

func TestFilesAsDockerComposeFindsThem(t *testing.T) {
	other := "services:\n  core:\n    image: aegee/core:v2\n"
	tests := []struct {
		name    string
		files   map[string]string
		options compose.Options
		want    []string // files, then env files
	}{
		{"compose.yaml before docker-compose.yml", map[string]string{"compose.yaml": oneService, "docker-compose.yml": other}, compose.Options{}, []string{"compose.yaml"}},
		{"with its override", map[string]string{"docker-compose.yml": oneService, "docker-compose.override.yml": other}, compose.Options{}, []string{"docker-compose.yml", "docker-compose.override.yml"}},
		{"COMPOSE_FILE of .env", map[string]string{"a.yml": oneService, "b.yml": other, ".env": "COMPOSE_FILE=a.yml:b.yml\n"}, compose.Options{}, []string{"a.yml", "b.yml", ".env"}},
		{"COMPOSE_FILE of the environment", map[string]string{"a.yml": oneService, "b.yml": other, ".env": "COMPOSE_FILE=b.yml"}, compose.Options{Environ: []string{"COMPOSE_FILE=a.yml"}}, []string{"a.yml", ".env"}},
		{"COMPOSE_PATH_SEPARATOR", map[string]string{"a.yml": oneService, "b.yml": other, ".env": "COMPOSE_FILE=a.yml;b.yml\nCOMPOSE_PATH_SEPARATOR=;\n"}, compose.Options{}, []string{"a.yml", "b.yml", ".env"}},
		{"as given", map[string]string{"a.yml": oneService, "b.yml": other, "compose.yaml": oneService}, compose.Options{Files: []string{"b.yml", "a.yml"}}, []string{"b.yml", "a.yml"}},
		{"COMPOSE_ENV_FILES", map[string]string{"compose.yaml": oneService, ".env": "", "a.env": "", "b.env": ""}, compose.Options{Environ: []string{"COMPOSE_ENV_FILES=a.env,b.env"}}, []string{"compose.yaml", "a.env", "b.env"}},
		{"env files as given", map[string]string{"compose.yaml": oneService, ".env": "", "a.env": ""}, compose.Options{EnvFiles: []string{"a.env"}}, []string{"compose.yaml", "a.env"}},
		{"no env file", map[string]string{"compose.yaml": oneService, ".env": ""}, compose.Options{Environ: []string{"COMPOSE_DISABLE_ENV_FILE=1"}}, []string{"compose.yaml"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.options.Dir = folder(t, test.files)
			p := load(t, test.options)
			var got []string
			for _, path := range slices.Concat(p.Files(), p.EnvFiles()) {
				got = append(got, strings.TrimPrefix(path, test.options.Dir+"/"))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestProjectName(t *testing.T) {
	named := "name: shop\n" + oneService
	tests := []struct {
		file, env string
		options   compose.Options
		want      string
	}{
		{named, "", compose.Options{Name: "given"}, "given"},
		{named, "", compose.Options{Environ: []string{"COMPOSE_PROJECT_NAME=environment"}}, "environment"},
		{named, "COMPOSE_PROJECT_NAME=dotenv", compose.Options{}, "dotenv"},
		{named, "", compose.Options{}, "shop"},
		{oneService, "", compose.Options{}, "my-shop"},
	}
	for _, test := range tests {
		dir := folder(t, map[string]string{"My-Shop/compose.yaml": test.file, "My-Shop/.env": test.env})
		test.options.Dir = filepath.Join(dir, "My-Shop")
		if p := load(t, test.options); p.Name() != test.want || p.Dir() != test.options.Dir {
			t.Errorf("got %s in %s, want %s", p.Name(), p.Dir(), test.want)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		in    string
		want  string
	}{
		{"no compose file", map[string]string{"compose.yml.bak": ""}, "", "DIR: there is no compose file"},
		{"compose file in the parent", map[string]string{"compose.yaml": oneService, "sub/x": ""}, "sub", "DIR/sub: there is no compose file; the next one is DIR/compose.yaml"},
		{"broken YAML", map[string]string{"compose.yaml": "services: {"}, "", "DIR/compose.yaml: line 2: did not find expected node content"},
		{"UTF-16", map[string]string{"compose.yaml": "\xff\xfes\x00"}, "", "DIR/compose.yaml: it is not UTF-8"},
		{"key twice", map[string]string{"compose.yaml": "services:\n  core:\n    image: a:v1\n    image: a:v2\n"}, "", "DIR/compose.yaml:4:5: the key image stands there twice"},
		{"two merges", map[string]string{"compose.yaml": "x-a: &a {image: a:v1}\nservices:\n  core:\n    <<: *a\n    <<: *a\n"}, "", "DIR/compose.yaml:5:5: the key << stands there twice"},
		{"no service", map[string]string{"compose.yaml": "services:\n  core: nonsense\n"}, "", "docker compose can't load the project"},
		{"required variable", map[string]string{"compose.yaml": "services:\n  core:\n    image: a:${TAG:?say which}\n"}, "", "say which"},
		{"broken .env", map[string]string{"compose.yaml": oneService, ".env": "A='\n"}, "", "unterminated quoted value"},
		{"missing extended file", map[string]string{"compose.yaml": "services:\n  core:\n    extends: {file: base.yml, service: core}\n"}, "", "base.yml: no such file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := folder(t, test.files)
			_, err := compose.Load(context.Background(), compose.Options{Dir: filepath.Join(dir, test.in)})
			if err == nil || !strings.Contains(strings.ReplaceAll(err.Error(), dir, "DIR"), test.want) {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			if refusal := (*compose.Error)(nil); !errors.As(err, &refusal) || refusal.Hint() == "" || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v: not one line with a hint", err)
			}
		})
	}
}

func TestLoadIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := compose.Load(ctx, compose.Options{Dir: folder(t, map[string]string{"compose.yaml": oneService})})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestMissingEnvFilesAndSecretsDoNotMatter(t *testing.T) {
	dir := folder(t, map[string]string{"compose.yaml": `
services:
  core:
    image: aegee/core:v1
    env_file: [missing.env]
    secrets: [token]
    volumes: [./missing:/data]
secrets:
  token: {file: ./missing.txt}
`})
	edits(t, compose.Options{Dir: dir}, map[string]string{"core": "v2"})
}

// edits changes services to new pins and back, and gives what the files became: path → content.
func edits(t testing.TB, o compose.Options, to map[string]string) map[string]string {
	t.Helper()
	p := load(t, o)
	var forward, back []compose.Change
	for name, text := range to {
		pin, err := compose.ParsePin(text)
		if err != nil {
			t.Fatal(err)
		}
		c := compose.Change{Service: name, From: service(t, p, name).Pin, To: pin}
		forward, back = append(forward, c), append(back, c.Inverse())
	}
	edit, err := p.Edit(forward...)
	if err != nil {
		t.Fatal(err)
	}
	if err := edit.Apply(); err != nil {
		t.Fatal(err)
	}
	undo, err := load(t, o).Edit(back...)
	if err != nil {
		t.Fatalf("no way back: %v", err)
	}
	after := map[string]string{}
	for i, f := range edit.Files() {
		after[strings.TrimPrefix(f.Path, p.Dir()+"/")] = string(f.After)
		if string(undo.Files()[i].After) != string(f.Before) {
			t.Errorf("going back gives %q, was %q", undo.Files()[i].After, f.Before)
		}
	}
	return after
}
