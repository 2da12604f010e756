package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"promote/semver"
)

// full reads the file that has every key.
func full(t *testing.T) *Config {
	t.Helper()
	data, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := parse("testdata/full.yaml", data, variables("COMMIT", "c0ffee", "WEBHOOK", "https://example.org/hook"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryFieldIsRead(t *testing.T) {
	c := full(t)
	prod, _ := c.Environment("prod")
	infra, _ := c.Environment("infra")
	prod.Git = infra.Git
	secret := c.Services[0].Build.Secrets[0]
	secret.File = c.Services[0].Build.Secrets[1].File
	file := c.Services[0].Version.Files[0]
	file.Key = c.Services[1].Version.Files[0].Key
	c.Services[0].Version.Git = true
	task := c.Services[0].Tasks[0]
	check := c.Services[0].Checks[0]
	check.TCP, check.Run = c.Services[0].Checks[2].TCP, c.Services[0].Checks[3].Run
	notify := c.Notify[0]
	notify.Mail, notify.Command, notify.Unset = c.Notify[1].Mail, c.Notify[2].Command, c.Notify[3].Unset
	login := c.Registry.Pull[0]
	login.Unset = c.Registry.Pull[1].Unset
	for _, v := range []any{*c, *c.Services[0], check, check.HTTP, file, c.Services[0].Version, *c.Services[0].Build, secret, task, *prod, *prod.Git, prod.Rollout, c.SSH, c.Registry, login, notify, *notify.Mail, c.Services[0].Build.Cache} {
		r := reflect.ValueOf(v)
		for i := range r.NumField() {
			if r.Field(i).IsZero() {
				t.Errorf("%T.%s is not read from any key", v, r.Type().Field(i).Name)
			}
		}
	}
}

func TestValues(t *testing.T) {
	c := full(t)
	core, build := c.Services[0], c.Services[0].Build
	prod, err := c.Environment("prod")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, got, want string }{
		{"dir", c.Dir, "testdata"},
		{"place", core.Place.String(), "testdata/full.yaml:3:3"},
		{"names", fmt.Sprint(names(c.Services), names(c.Environments)), "[core auth] [staging prod infra]"},
		{"image", core.Image, "registry.example.org:5000/aegee/core"},
		{"version", fmt.Sprint(core.Version.Files), "[setup.py:^version = (.*)$ Chart.yaml]"},
		{"args", fmt.Sprint(build.Args), "map[COMMIT:c0ffee DEBUG:false EMPTY: NODE_VERSION:22]"},
		{"secrets", fmt.Sprint(build.Secrets), "[{npm  NPM_TOKEN} {pip .piprc }]"},
		{"cache", fmt.Sprint(build.Cache), "{[type=registry,ref=aegee/core:cache] [type=inline]}"},
		{"single", fmt.Sprint(build.SSH, core.After), "[default] [auth]"},
		{"run", fmt.Sprintf("%q", core.Tasks[0].Run), `{"" ["npm" "run" "migrate"]}`},
		{"undo", fmt.Sprintf("%q", core.Tasks[0].Undo), `{"npm run migrate:undo" []}`},
		{"when", fmt.Sprint(core.Tasks[0].Changed), "[migrations/** db/*.sql]"},
		{"http", fmt.Sprint(core.Checks[0]), "{{8080 /health?deep=1 204 core.example.org} 0 { []} 2s core-worker}"},
		{"http in short", fmt.Sprint(core.Checks[1]), "{{8080 / 0 } 0 { []} 5s core}"},
		{"tcp", fmt.Sprint(core.Checks[2]), "{{0  0 } 5432 { []} 5s core}"},
		{"check that is run", fmt.Sprint(core.Checks[3:]), "[{{0  0 } 0 { [pg_isready -q]} 5s core} {{0  0 } 0 {test -e ready []} 5s core}]"},
		{"host", fmt.Sprint(c.Environments[0].Hosts), "[ssh://deploy@staging.example.org:2222]"},
		{"linked", fmt.Sprint(names(c.LinkedTo(c.Services[1]))), "[core auth]"},
		{"soak", prod.Soak.String(), "36h0m0s"},
		{"rollout", fmt.Sprint(prod.Rollout), "{start-first 5s 1m0s 5m0s 2}"},
		{"webhook", fmt.Sprint(c.Notify[0]), "{testdata/full.yaml:77:5 https://example.org/hook <nil> { []} mattermost [started drift] [prod] {{.Environment}}: {{.Title}} []}"},
		{"mail", fmt.Sprint(*c.Notify[1].Mail), `{[<ops@example.org> "Ada" <ada@example.org>] <promote@example.org> smtp.example.org:587 promote https://example.org/hook always}`},
		{"command", fmt.Sprint(c.Notify[2].Command, c.Notify[2].Events), "{ [notify-send promote]} [succeeded put-back failed held]"},
		{"unset", fmt.Sprintf("%q %q", c.Notify[3].Webhook, c.Notify[3].Unset), `"" ["NOBODY" "SETS_IT"]`},
		{"tags", fmt.Sprint(core.Tags), "[{major}.{minor} {major} sha-{short_commit}]"},
		{"registry", fmt.Sprint(c.Registry), "{45s 2m0s [10.0.0.5:5000] [{testdata/full.yaml:92:10 index.docker.io ci https://example.org/hook []} {testdata/full.yaml:92:71 registry.example.org:5000 ci  [NOBODY]}]}"},
		{"ssh", fmt.Sprint(c.SSH.Command), "[ssh -F deploy.conf]"},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, test.got, test.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	c, err := Load("testdata/usual.yaml", variables())
	if err != nil {
		t.Fatal(err)
	}
	tag, err := semver.ParseTemplate("v{version}")
	if err != nil {
		t.Fatal(err)
	}
	core := &Service{
		Name: "core", Place: Place{"testdata/usual.yaml", 2, 3}, Image: "aegee/core",
		Version: VersionSource{Files: semver.Files{{Path: "package.json"}}},
		Build:   &Build{Context: ".", Dockerfile: "Dockerfile"},
		Path:    ".", Tag: tag, GitTag: tag, Runs: []string{"core"},
	}
	prod := &Environment{
		Name: "prod", Place: Place{"testdata/usual.yaml", 8, 3}, From: "staging", Project: ".", Engine: EngineCompose,
		Rollout: Rollout{StrategyAuto, 10 * time.Second, 2 * time.Minute, 10 * time.Minute, 1},
	}
	if !reflect.DeepEqual(c.Services[0], core) {
		t.Errorf("got  %+v\nwant %+v", c.Services[0], core)
	}
	if !reflect.DeepEqual(c.Environments[1], prod) {
		t.Errorf("got  %+v\nwant %+v", c.Environments[1], prod)
	}
}

func TestGitTagOfSeveralServices(t *testing.T) {
	c, err := Parse("promote.yaml", []byte("services: {core: {image: a}, auth: {image: b, version: git, git_tag: 'auth-{version}'}}"), variables())
	if err != nil {
		t.Fatal(err)
	}
	core, _ := semver.ParseTemplate("core/v{version}")
	auth, _ := semver.ParseTemplate("auth-{version}")
	if got := c.Services[0].GitTag; !reflect.DeepEqual(got, core) {
		t.Errorf("core: %v", got)
	}
	if got := c.Services[1].GitTag; !reflect.DeepEqual(got, auth) {
		t.Errorf("auth: %v", got)
	}
	if c.Services[0].Build != nil || !c.Services[0].Version.Git || !c.Services[1].Version.Git {
		t.Errorf("got %+v", c.Services[0])
	}
}

func TestUnknownNames(t *testing.T) {
	c := full(t)
	for _, test := range []struct{ noun, name, message, hint string }{
		{"service", "croe", `unknown service "croe": testdata/full.yaml has core, auth`, "did you mean core?"},
		{"environment", "stagin", `unknown environment "stagin": testdata/full.yaml has staging, prod, infra`, "did you mean staging?"},
		{"environment", "elsewhere", `unknown environment "elsewhere": testdata/full.yaml has staging, prod, infra`, ""},
	} {
		_, err := c.Service(test.name)
		if test.noun == "environment" {
			_, err = c.Environment(test.name)
		}
		var unknown *UnknownError
		if !errors.As(err, &unknown) {
			t.Fatalf("%s: got %v", test.name, err)
		}
		if err.Error() != test.message || unknown.Hint() != test.hint {
			t.Errorf("%s: got %s (%s)", test.name, err, unknown.Hint())
		}
	}
}

func TestLoadWithoutFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "promote.yaml"), variables())
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// TestBytes is about how the file is written rather than what it says.
func TestBytes(t *testing.T) {
	usual, err := os.ReadFile("testdata/usual.yaml")
	if err != nil {
		t.Fatal(err)
	}
	nested := strings.Repeat("[", 200_000)
	many := strings.Repeat("*s,", 1_000)
	bomb := "a: &s [x,y,z]\nb: &t [" + many + "]\nservices: {a: {image: i, after: [" + strings.Repeat("*t,", 200) + "]}}"
	wide := "services:\n  a: &a {image: i, build: {args: {" + numbered("k", 2_000) + "}}}\n" + aliases(1_000)
	for _, test := range []struct{ name, data, want string }{
		{"as it is", string(usual), ""},
		{"byte order mark", "\ufeff" + string(usual), ""},
		{"CRLF", strings.ReplaceAll(string(usual), "\n", "\r\n"), ""},
		{"JSON", `{"services": {"core": {"image": "aegee/core"}}}`, ""},
		{"alias of a value", "services: {a: {image: &i aegee/core}, b: {image: *i}}", ""},
		{"empty", "", "f: empty: services is missing"},
		{"comment", "# nothing\n", "f: empty: services is missing"},
		{"null", "~", "f:1:1: expected a mapping, found nothing"},
		{"list", "- a", "f:1:1: expected a mapping, found a list"},
		{"no services", "environments: {prod: }", "f:1:1: services is missing"},
		{"two documents", "services: {a: {image: i}}\n---\na: b", "f:2:1: a second YAML document; one file is one configuration"},
		{"broken second document", "services: {a: {image: i}}\n---\na: [", "f:4:1: not YAML: did not find expected node content"},
		{"not UTF-8", "services:\n  é: \xff", "f:2:6: not UTF-8 text"},
		{"UTF-16", "\xff\xfes\x00", "f:1:1: not UTF-8 text"},
		{"control character", "services: {a: {image: \"a\x01\"}}", "f: not YAML: "},
		{"syntax", "services: [", "f:2:1: not YAML: did not find expected node content"},
		{"unknown alias", "services: *a", "f:1:11: not YAML: unknown anchor 'a' referenced"},
		{"message in one line", "services: {\"a\\nb\\e\": {image: \"A\\nb\"}}", "f:1:12: \"a\\nb\\x1b\" can't be a name"},
		{"nested too deep", nested, "f:"},
		{"too large", strings.Repeat("#", maxBytes+1), "f: larger than 1048576 bytes"},
		{"alias to itself", "services: &a {a: *a}", "f:1:15: a: unknown key \"a\""},
		{"aliases of lists", bomb, "f:2:4: after: expected a text, found a list"},
		{"aliases of mappings", wide, "f: more than 100000 values, counting what aliases repeat"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse("f", []byte(test.data), variables())
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %.400v\nwant %s", err, test.want)
			}
		})
	}
}

func numbered(name string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s%d: v,", name, i)
	}
	return b.String()
}

func aliases(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  s%d: *a\n", i)
	}
	return b.String()
}

func TestErrorsAreSeparate(t *testing.T) {
	_, err := Parse("f", []byte("services: {a: {image: A}, b: {imag: b}}\nx: y"), variables())
	var all *Errors
	if !errors.As(err, &all) {
		t.Fatalf("got %v", err)
	}
	var places []string
	for _, one := range all.Unwrap() {
		var e *Error
		if !errors.As(one, &e) {
			t.Fatalf("got %T", one)
		}
		places = append(places, e.Place.String())
	}
	if want := []string{"f:1:23", "f:1:27", "f:1:31", "f:2:1"}; !slices.Equal(places, want) {
		t.Errorf("got %v, want %v", places, want)
	}
}
