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

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
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

// asRead is the project as compose-go's own command line reads it, which docker compose uses: what is
// loaded here must be the same.
func asRead(t testing.TB, o compose.Options) *types.Project {
	t.Helper()
	for _, pair := range o.Environ {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value) // some settings are looked up there only
	}
	envFiles := o.EnvFiles
	if list := os.Getenv("COMPOSE_ENV_FILES"); list != "" && len(envFiles) == 0 {
		envFiles = strings.Split(list, ",")
	}
	t.Chdir(o.Dir)
	steps := []cli.ProjectOptionsFn{
		cli.WithEnv(o.Environ), cli.WithEnvFiles(envFiles...), cli.WithDotEnv, cli.WithConfigFileEnv, cli.WithDefaultConfigPath,
		cli.WithEnvFiles(envFiles...), cli.WithDotEnv, // once more, as docker compose does: the project may lie elsewhere
		cli.WithDefaultProfiles(o.Profiles...), cli.WithName(o.Name), cli.WithoutEnvironmentResolution,
	}
	if len(o.Files) > 0 { // Options.Dir is the flag --project-directory then
		steps = append([]cli.ProjectOptionsFn{cli.WithWorkingDirectory(o.Dir)}, steps...)
	}
	options, err := cli.NewProjectOptions(o.Files, steps...)
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// images are what docker compose would run: service → image, of disabled services too.
func images(t testing.TB, o compose.Options) map[string]string {
	t.Helper()
	all := map[string]string{}
	p := asRead(t, o)
	for _, services := range []types.Services{p.Services, p.DisabledServices} {
		for name, s := range services {
			all[name] = s.Image
		}
	}
	return all
}

// asDockerCompose compares a loaded project with what docker compose reads.
func asDockerCompose(t *testing.T, p *compose.Project, o compose.Options) {
	t.Helper()
	want := asRead(t, o)
	if p.Name() != want.Name || p.Dir() != want.WorkingDir || !slices.Equal(p.Files(), want.ComposeFiles) {
		t.Errorf("docker compose reads %s in %s from %v, here it is %s in %s from %v", want.Name, want.WorkingDir, want.ComposeFiles, p.Name(), p.Dir(), p.Files())
	}
	all := images(t, o)
	for _, s := range p.Services() {
		_, disabled := want.DisabledServices[s.Name]
		if s.Image != all[s.Name] || s.Disabled != disabled {
			t.Errorf("docker compose has %s, disabled %v; here it is %+v", all[s.Name], disabled, s)
		}
		delete(all, s.Name)
	}
	if len(all) > 0 {
		t.Errorf("docker compose also has %v", all)
	}
}

func TestFilesAsDockerComposeFindsThem(t *testing.T) {
	other := "services:\n  core:\n    image: aegee/core:v2\n"
	tests := []struct {
		name    string
		files   map[string]string
		options compose.Options
		want    []string // files, then env files
	}{
		{"compose.yaml before docker-compose.yml", map[string]string{"compose.yaml": oneService, "docker-compose.yml": other}, compose.Options{}, []string{"compose.yaml"}},
		{"compose.yml", map[string]string{"compose.yml": oneService}, compose.Options{}, []string{"compose.yml"}},
		{"with its override", map[string]string{"docker-compose.yml": oneService, "docker-compose.override.yml": other}, compose.Options{}, []string{"docker-compose.yml", "docker-compose.override.yml"}},
		{"with the override of another ending", map[string]string{"compose.yml": oneService, "compose.override.yaml": other}, compose.Options{}, []string{"compose.yml", "compose.override.yaml"}},
		{"COMPOSE_FILE of .env", map[string]string{"a.yml": oneService, "b.yml": other, ".env": "COMPOSE_FILE=a.yml:b.yml\n"}, compose.Options{}, []string{"a.yml", "b.yml", ".env"}},
		{"COMPOSE_FILE of the environment", map[string]string{"a.yml": oneService, "b.yml": other, ".env": "COMPOSE_FILE=b.yml"}, compose.Options{Environ: []string{"COMPOSE_FILE=a.yml"}}, []string{"a.yml", ".env"}},
		{"COMPOSE_FILE leaves the override out", map[string]string{"compose.yaml": oneService, "compose.override.yaml": other, ".env": "COMPOSE_FILE=compose.yaml"}, compose.Options{}, []string{"compose.yaml", ".env"}},
		{"COMPOSE_FILE in folders", map[string]string{"base.yml": oneService, "core/docker/docker-compose.yml": other, ".env": "COMPOSE_FILE=base.yml:core/docker/docker-compose.yml"}, compose.Options{}, []string{"base.yml", "core/docker/docker-compose.yml", ".env"}},
		{"COMPOSE_FILE in another folder", map[string]string{"docker/base.yml": "services:\n  core: {image: \"core:${TAG}\", volumes: [./data:/data]}\n", "core.yml": "services: {b: {image: \"b:${B}\"}}\n", ".env": "COMPOSE_FILE=docker/base.yml:core.yml\nTAG=v1\n", "docker/.env": "TAG=v9\nB=v2\n"}, compose.Options{}, []string{"docker/base.yml", "core.yml", "docker/.env", ".env"}},
		{"as given, in another folder", map[string]string{"docker/base.yml": oneService, ".env": "COMPOSE_PROJECT_NAME=shop"}, compose.Options{Files: []string{"docker/base.yml"}}, []string{"docker/base.yml", ".env"}},
		{"COMPOSE_PATH_SEPARATOR", map[string]string{"a.yml": oneService, "b.yml": other, ".env": "COMPOSE_FILE=a.yml;b.yml\nCOMPOSE_PATH_SEPARATOR=;\n"}, compose.Options{}, []string{"a.yml", "b.yml", ".env"}},
		{"COMPOSE_PATH_SEPARATOR of the environment", map[string]string{"a.yml": oneService, "b.yml": other, ".env": "COMPOSE_FILE=a.yml,b.yml\n"}, compose.Options{Environ: []string{"COMPOSE_PATH_SEPARATOR=,"}}, []string{"a.yml", "b.yml", ".env"}},
		{"as given", map[string]string{"a.yml": oneService, "b.yml": other, "compose.yaml": oneService}, compose.Options{Files: []string{"b.yml", "a.yml"}}, []string{"b.yml", "a.yml"}},
		{"as given, whatever COMPOSE_FILE says", map[string]string{"a.yml": oneService, "b.yml": other, ".env": "COMPOSE_FILE=b.yml"}, compose.Options{Files: []string{"a.yml"}, Environ: []string{"COMPOSE_FILE=b.yml"}}, []string{"a.yml", ".env"}},
		{"COMPOSE_ENV_FILES", map[string]string{"compose.yaml": oneService, ".env": "", "a.env": "", "b.env": ""}, compose.Options{Environ: []string{"COMPOSE_ENV_FILES=a.env,b.env"}}, []string{"compose.yaml", "a.env", "b.env"}},
		{"COMPOSE_FILE of COMPOSE_ENV_FILES", map[string]string{"a.yml": oneService, "b.yml": other, "a.env": "COMPOSE_FILE=b.yml", "b.env": "COMPOSE_FILE=a.yml"}, compose.Options{Environ: []string{"COMPOSE_ENV_FILES=a.env,b.env"}}, []string{"a.yml", "a.env", "b.env"}},
		{"env files as given", map[string]string{"compose.yaml": oneService, ".env": "", "a.env": ""}, compose.Options{EnvFiles: []string{"a.env"}}, []string{"compose.yaml", "a.env"}},
		{"env files as given, whatever COMPOSE_ENV_FILES says", map[string]string{"compose.yaml": oneService, "a.env": "", "b.env": ""}, compose.Options{EnvFiles: []string{"a.env"}, Environ: []string{"COMPOSE_ENV_FILES=b.env"}}, []string{"compose.yaml", "a.env"}},
		{"no env file", map[string]string{"compose.yaml": oneService, ".env": ""}, compose.Options{Environ: []string{"COMPOSE_DISABLE_ENV_FILE=1"}}, []string{"compose.yaml"}},
		{"COMPOSE_FILE of an env file that is not read", map[string]string{"compose.yaml": oneService, "a.yml": other, ".env": "COMPOSE_FILE=a.yml"}, compose.Options{Environ: []string{"COMPOSE_DISABLE_ENV_FILE=true"}}, []string{"compose.yaml"}},
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
			asDockerCompose(t, p, test.options)
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
		{named, "COMPOSE_PROJECT_NAME=dotenv", compose.Options{Name: "given", Environ: []string{"COMPOSE_PROJECT_NAME=environment"}}, "given"},
		{named, "COMPOSE_PROJECT_NAME=dotenv", compose.Options{Environ: []string{"COMPOSE_PROJECT_NAME=environment"}}, "environment"},
		{named, "", compose.Options{Name: "given"}, "given"},
		{named, "", compose.Options{Environ: []string{"COMPOSE_PROJECT_NAME=environment"}}, "environment"},
		{named, "COMPOSE_PROJECT_NAME=dotenv", compose.Options{}, "dotenv"},
		{named, "COMPOSE_PROJECT_NAME=", compose.Options{}, "shop"},
		{named, "", compose.Options{}, "shop"},
		{"name: shop-${STAGE}\n" + oneService, "STAGE=prod", compose.Options{}, "shop-prod"},
		{oneService, "COMPOSE_PROJECT_NAME=dotenv", compose.Options{}, "dotenv"},
		{oneService, "", compose.Options{}, "my-shop"},
	}
	for _, test := range tests {
		t.Run(test.want, func(t *testing.T) {
			dir := folder(t, map[string]string{"My-Shop/compose.yaml": test.file, "My-Shop/.env": test.env})
			test.options.Dir = filepath.Join(dir, "My-Shop")
			p := load(t, test.options)
			if p.Name() != test.want || p.Dir() != test.options.Dir {
				t.Errorf("got %s in %s, want %s", p.Name(), p.Dir(), test.want)
			}
			asDockerCompose(t, p, test.options)
		})
	}
}

func TestProfiles(t *testing.T) {
	files := file("services:\n  core: {image: core:v1}\n  mailer: {image: mailer:v1, profiles: [mail]}\n  hog: {image: hog:v1, profiles: [dev, debug]}\n")
	tests := []struct {
		name, env string
		options   compose.Options
		enabled   string
	}{
		{"none", "", compose.Options{}, "core"},
		{"of .env", "COMPOSE_PROFILES=mail", compose.Options{}, "core mailer"},
		{"several of .env", "COMPOSE_PROFILES=mail,debug", compose.Options{}, "core hog mailer"},
		{"several with blanks, one unknown", "COMPOSE_PROFILES=\"web, debug\"", compose.Options{}, "core hog"},
		{"all", "COMPOSE_PROFILES=*", compose.Options{}, "core hog mailer"},
		{"of the environment", "COMPOSE_PROFILES=mail", compose.Options{Environ: []string{"COMPOSE_PROFILES=dev"}}, "core hog"},
		{"none of the environment", "COMPOSE_PROFILES=mail", compose.Options{Environ: []string{"COMPOSE_PROFILES="}}, "core"},
		{"as given", "COMPOSE_PROFILES=mail", compose.Options{Profiles: []string{"dev"}, Environ: []string{"COMPOSE_PROFILES=mail"}}, "core hog"},
		{"of the last env file", "", compose.Options{EnvFiles: []string{".env", "last.env"}}, "core hog"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.options.Dir = folder(t, with(with(files, ".env", test.env), "last.env", "COMPOSE_PROFILES=debug"))
			p := load(t, test.options)
			var enabled []string
			for _, s := range p.Services() {
				if !s.Disabled {
					enabled = append(enabled, s.Name)
				}
			}
			if got := strings.Join(enabled, " "); got != test.enabled {
				t.Errorf("enabled are %s, want %s", got, test.enabled)
			}
			asDockerCompose(t, p, test.options)
			edits(t, test.options, map[string]string{"core": "v2", "mailer": "v2", "hog": "v2"})
		})
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
		{"broken .env", map[string]string{"compose.yaml": oneService, ".env": "A='\n"}, "", "is not NAME=value"},
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

func TestServices(t *testing.T) {
	p := load(t, compose.Options{Name: "shop", Dir: folder(t, file(`
services:
  web: {image: web:1, ports: ["80:80", "9000"], container_name: web}
  app: {image: app:1, volumes: [data:/data, "./ro:/ro:ro"], network_mode: "service:web", depends_on: [db]}
  db: {image: db:1, networks: {n: {ipv4_address: 10.1.1.1}}, deploy: {replicas: 2, update_config: {order: stop-first}}}
  extra: {image: extra:1, profiles: [debug]}
volumes: {data: {}}
networks: {n: {}}
`))})
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
	if !db.StaticAddress || db.Replicas != 2 || db.Update.Order != "stop-first" {
		t.Errorf("db: %+v", db)
	}
	if !found["extra"].Disabled || web.Disabled {
		t.Errorf("extra: %+v", found["extra"])
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

// TestEnvFileStaysSecret: a line of an env file that can't be read is named by its number, whatever stands in it; in
// the project's own as in that of a service.
func TestEnvFileStaysSecret(t *testing.T) {
	for _, line := range []string{"MIIEvQ+secret/material=", `KEY="secret`, "secret word=x", "KEY='secret"} {
		for _, name := range []string{".env", "core.env"} {
			dir := folder(t, map[string]string{
				"compose.yaml": "services:\n  core:\n    image: core:1\n    env_file: [core.env]\n", ".env": "A=1\n", "core.env": "A=1\n", name: "A=1\n" + line + "\n",
			})
			_, err := compose.Load(context.Background(), compose.Options{Dir: dir})
			if err == nil {
				continue // docker compose reads it, too
			}
			if strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), " is not NAME=value") {
				t.Errorf("%s with %q: %v", name, line, err)
			}
		}
	}
}
