package compose_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"testing"

	"promote/compose"
)

// placeIn is a place as FILE:LINE:COLUMN, the file relative to the project directory.
func placeIn(t *testing.T, p *compose.Project, at compose.Place) string {
	t.Helper()
	if at.File == "" {
		return ""
	}
	short, err := filepath.Rel(p.Dir(), at.File)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s:%d:%d", short, at.Line, at.Column)
}

const merging = `x-base: &base
  restart: always
  deploy: {update_config: {order: stop-first}}
x-other: &other
  restart: no
  container_name: one
services:
  core:
    <<: [*base, *other]
    image: core:v1
    deploy: {replicas: 2}
  mail: &mail
    image: mail:v1
    ports: ["25:25"]
  post: *mail
  more:
    extends: {service: mail}
    image: more:v1
`

const networked = `services:
  core:
    image: core:v1
    networks:
      front:
      back: {aliases: [c], ipv4_address: 10.0.0.2}
networks: {front: , back: }
`

func TestKey(t *testing.T) {
	plain := map[string]string{"compose.yaml": "services:\n  core:\n    image: core:v1\n    build: .\n"}
	extending := with(map[string]string{"compose.yaml": "services:\n  core:\n    extends: {file: base.yaml, service: app}\n    image: core:v1\n"},
		"base.yaml", "services:\n  app:\n    image: app:v1\n    ports: ['80:80']\n")
	including := with(map[string]string{"compose.yaml": "include: [sub/compose.yaml]\nservices:\n  web: {image: web:v1}\n"},
		"sub/compose.yaml", "services:\n  core:\n    image: core:v1\n    build: .\n")
	tests := []struct {
		name         string
		files        map[string]string
		service, key string
		want         string // the fallback has an exclamation mark in front
	}{
		{"own", plain, "core", "build", "compose.yaml:4:5"},
		{"nowhere", plain, "core", "ports", "!compose.yaml:2:3"},
		{"no such service", plain, "mail", "ports", "!"},
		{"no key is asked for", plain, "core", "", "!compose.yaml:2:3"},
		{"merged, the first wins", map[string]string{"compose.yaml": merging}, "core", "restart", "compose.yaml:2:3"},
		{"merged from the second", map[string]string{"compose.yaml": merging}, "core", "container_name", "compose.yaml:6:3"},
		{"the own key hides what is merged below it", map[string]string{"compose.yaml": merging}, "core", "deploy.update_config.order", "!compose.yaml:8:3"},
		{"the whole service is an alias", map[string]string{"compose.yaml": merging}, "post", "ports", "compose.yaml:14:5"},
		{"extended in the file", map[string]string{"compose.yaml": merging}, "more", "ports", "compose.yaml:14:5"},
		{"extended from another file", extending, "core", "ports", "base.yaml:4:5"},
		{"included", including, "core", "build", "sub/compose.yaml:4:5"},
		{"included, not there", including, "core", "ports", "!sub/compose.yaml:2:3"},
		{"any network", map[string]string{"compose.yaml": networked}, "core", "networks.*.ipv4_address", "compose.yaml:6:28"},
		{"the last file", with(plain, "compose.override.yaml", "services:\n  core:\n    build: {context: x}\n"), "core", "build", "compose.override.yaml:3:5"},
		{"an earlier file", with(plain, "compose.override.yaml", "services:\n  core:\n    restart: always\n"), "core", "build", "compose.yaml:4:5"},
		{"fallback in the last file", with(plain, "compose.override.yaml", "services:\n  core:\n    restart: always\n"), "core", "ports", "!compose.override.yaml:2:3"},
		{"runes before it", map[string]string{"compose.yaml": "services: {core: {labels: {grüße: 日本}, image: core:v1}}"}, "core", "image", "compose.yaml:1:40"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := load(t, compose.Options{Dir: folder(t, tt.files)})
			at, found := p.Key(tt.service, tt.key)
			got := placeIn(t, p, at)
			if !found {
				got = "!" + got
			}
			if got != tt.want {
				t.Errorf("got %s want %s", got, tt.want)
			}
		})
	}
}

// TestKeyOfOthers asks for services that compose-go was not given.
func TestKeyOfOthers(t *testing.T) {
	files := map[string]string{"compose.yaml": "services:\n  core: {image: core:v1}\n  mail:\n    image: mail:v1\n"}
	p := load(t, compose.Options{Dir: folder(t, files), Services: []string{"core"}})
	at, found := p.Key("mail", "image")
	if got := placeIn(t, p, at); got != "compose.yaml:4:5" || !found {
		t.Errorf("got %s, found %v", got, found)
	}
}

func TestImageVariables(t *testing.T) {
	env := map[string]string{".env": "A=1\nTAG=v1\nTAG=v2\n"}
	tests := []struct {
		name    string
		image   string
		environ []string
		want    string // NAME@PLACE of each, then what is said of it
	}{
		{"none", "core:v1", nil, ""},
		{"in the env file, the last line", "core:${TAG}", nil, "TAG@compose.yaml:3:17 pin set v2 .env:3:5"},
		{"with a default that does not count", "core:${TAG:-v0}", nil, "TAG@compose.yaml:3:17 pin default v0 set v2 .env:3:5"},
		{"with a default that counts", "core:${NONE:-v0}", nil, "NONE@compose.yaml:3:17 pin default v0 counts"},
		{"set by nothing", "core:$NONE", nil, "NONE@compose.yaml:3:17 pin"},
		{"by the environment", "core:${TAG:-v0}", []string{"TAG=v3"}, "TAG@compose.yaml:3:17 pin default v0 set v3 environment"},
		{"empty, so that the default counts", "core:${E:-v0}", []string{"E="}, "E@compose.yaml:3:17 pin default v0 counts set  environment"},
		{"empty, and the default does not count", "core${E-v0}:v1", []string{"E="}, "E@compose.yaml:3:16 default v0 set  environment"},
		{"of the name, and of the tag", `"${REG}/core:${TAG}"`, nil, "REG@compose.yaml:3:13; TAG@compose.yaml:3:25 pin set v2 .env:3:5"},
		{"beside text", "core:v${A}", nil, "A@compose.yaml:3:18 set 1 .env:1:3"},
		{"the whole image", "${NONE:-core:v1}", nil, "NONE@compose.yaml:3:12 pin default core:v1 counts"},
		{"nested", "core:${A:-$TAG}", nil, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := load(t, compose.Options{Dir: folder(t, with(env, "compose.yaml", "services:\n  core:\n    image: "+tt.image+"\n")), Environ: tt.environ})
			if got := variablesText(t, p, p.Variables("core")); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func variablesText(t *testing.T, p *compose.Project, list []compose.Variable) string {
	text := ""
	for i, v := range list {
		if i > 0 {
			text += "; "
		}
		text += v.Name + "@" + placeIn(t, p, v.Place)
		for _, said := range []struct {
			holds bool
			text  string
		}{{v.Pin, "pin"}, {v.Optional, "default " + v.Default}, {v.Defaulted, "counts"}, {v.Set, "set " + v.Value}, {v.Environment, "environment"}, {v.Assigned.Line > 0, placeIn(t, p, v.Assigned)}} {
			if said.holds {
				text += " " + said.text
			}
		}
	}
	return text
}

// TestVariablesOfInclude: what an include's env file sets is set for the files of the include only.
func TestImageVariablesOfInclude(t *testing.T) {
	files := map[string]string{
		"compose.yaml":     "include: [{path: sub/compose.yaml, env_file: sub/own.env}]\nservices:\n  web: {image: 'web:${TAG-}1'}\n",
		"sub/compose.yaml": "services:\n  core:\n    image: core:${TAG}\n", "sub/own.env": "TAG=v1\n",
	}
	p := load(t, compose.Options{Dir: folder(t, files)})
	if got, want := variablesText(t, p, p.Variables("core")), "TAG@sub/compose.yaml:3:17 pin set v1 sub/own.env:1:5"; got != want {
		t.Errorf("got %s want %s", got, want)
	}
	if got, want := variablesText(t, p, p.Variables("web")), "TAG@compose.yaml:3:21 default  counts"; got != want {
		t.Errorf("got %s want %s", got, want)
	}
}

func TestLabels(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, map[string]string{"compose.yaml": `services:
  core: {image: core:v1, labels: [traefik.enable=true, alone]}
  web: {image: web:v1, labels: {traefik.enable: "false"}, deploy: {labels: {of: the service}}}
  db: {image: db:v1}
`})})
	for service, want := range map[string]map[string]string{
		"core": {"traefik.enable": "true", "alone": ""}, "web": {"traefik.enable": "false"}, "db": nil, "nowhere": nil,
	} {
		if got := p.Labels(service); !maps.Equal(got, want) {
			t.Errorf("%s: got %v want %v", service, got, want)
		}
	}
}

func TestAwaited(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, map[string]string{"compose.yaml": `services:
  core: {image: core:v1, depends_on: {migrate: {condition: service_completed_successfully}, db: {condition: service_started}}}
  migrate: {image: core:v1}
  db: {image: db:v1}
`})})
	if got, want := p.Awaited(), map[string]bool{"migrate": true}; !maps.Equal(got, want) {
		t.Errorf("got %v want %v", got, want)
	}
}
