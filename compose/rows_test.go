package compose_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"promote/compose"
)

// change is one row of semantics: where a version stands, and what replaces it.
type change struct {
	name     string
	files    map[string]string
	options  compose.Options
	to       map[string]string // service → pin
	path     string            // of the file that changes
	old, new string            // the only bytes that change
	place    string            // LINE:COL: in; of core
}

func one(image string) map[string]string {
	return map[string]string{"compose.yaml": "services:\n  core:\n    image: " + image + "\n"}
}

func with(files map[string]string, path, text string) map[string]string {
	all := map[string]string{path: text}
	for p, t := range files {
		all[p] = t
	}
	return all
}

var core = map[string]string{"core": "v2"}

var literals = []change{
	{name: "tag", files: one("aegee/core:v1"), old: "core:v1", new: "core:v2", place: "3:22: image"},
	{name: "registry with a port", files: one("localhost:5000/core:v1"), old: "core:v1", new: "core:v2", place: "3:31: image"},
	{name: "single quotes", files: one("'aegee/core:v1' # the version"), old: "core:v1'", new: "core:v2'", place: "3:23: image"},
	{name: "double quotes", files: one(`"aegee/core:v1"`), old: `core:v1"`, new: `core:v2"`, place: "3:23: image"},
	{name: "no tag", files: one("aegee/core   # latest"), old: "core   #", new: "core:v2   #", place: "3:22: image"},
	{name: "no tag, quoted", files: one(`"localhost:5000/core"`), old: `core"`, new: `core:v2"`, place: "3:32: image"},
	{name: "no tag to a digest", files: one("aegee/core"), to: map[string]string{"core": "@" + digestA}, old: "/core", new: "/core@" + digestA, place: "3:22: image"},
	{name: "tag away", files: one("aegee/core:v1"), to: map[string]string{"core": ""}, old: "core:v1", new: "core", place: "3:22: image"},
	{name: "tag and digest", files: one("aegee/core:v1@" + digestA), to: map[string]string{"core": "v2@" + digestB}, old: ":v1@" + digestA, new: ":v2@" + digestB, place: "3:22: image"},
	{name: "tag and digest to tag", files: one("aegee/core:v1@" + digestA), old: ":v1@" + digestA, new: ":v2", place: "3:22: image"},
	{name: "tag to tag and digest", files: one("aegee/core:v1"), to: map[string]string{"core": "v2@" + digestB}, old: "core:v1", new: "core:v2@" + digestB, place: "3:22: image"},
	{name: "digest", files: one("aegee/core@" + digestA), to: map[string]string{"core": "@" + digestB}, old: "core@" + digestA, new: "core@" + digestB, place: "3:22: image"},
	{name: "flow style", files: map[string]string{"compose.yaml": "services: {core: {image: aegee/core:v1, restart: always}}"}, old: "core:v1", new: "core:v2", place: "1:36: image"},
	{name: "flow style without a tag", files: map[string]string{"compose.yaml": "services: {core: {image: core}}"}, old: "image: core", new: "image: core:v2", place: "1:30: image"},
	{name: "JSON", files: map[string]string{"compose.yaml": `{"services": {"core": {"image":"aegee/core:v1"}}}`}, old: "core:v1", new: "core:v2", place: "1:43: image"},
	{name: "CRLF", files: map[string]string{"compose.yaml": "services:\r\n  core:\r\n    image: core:v1\r\n    restart: always\r\n"}, old: "core:v1", new: "core:v2", place: "3:16: image"},
	{name: "byte order mark", files: map[string]string{"compose.yaml": "\ufeffservices: {core: {image: core:v1}}\n"}, old: "core:v1", new: "core:v2", place: "1:30: image"},
	{name: "no newline at the end", files: map[string]string{"compose.yaml": "services:\n  core:\n    image: core:v1"}, old: "core:v1", new: "core:v2", place: "3:16: image"},
	{name: "runes before it", files: map[string]string{"compose.yaml": "services: {core: {labels: {grüße: 日本語}, image: core:v1}}"}, old: "core:v1", new: "core:v2", place: "1:52: image"},
	{name: "strange line ends in quotes", files: map[string]string{"compose.yaml": "x-a: \"a\u2028b\u2029c\u0085d\"\nx-b: 'e\rf'\nservices:\n  core:\n    image: core:v1\n"}, old: "core:v1", new: "core:v2", place: "9:16: image"},
	{name: "document marks and comments", files: map[string]string{"compose.yaml": "# core:v1\n---\nservices:\n  core:\n    image: core:v1 # core:v1\n...\n"}, old: "image: core:v1", new: "image: core:v2", place: "5:16: image"},
	{name: "block scalars that look the same", files: map[string]string{"compose.yaml": "x-script: |\n  services:\n    core:\n      image: core:v1\nservices:\n  core:\n    image: core:v1\n    command: >\n      run image: core:v1\n"}, old: "services:\n  core:\n    image: core:v1", new: "services:\n  core:\n    image: core:v2", place: "7:16: image"},
	{name: "others have the same image", files: map[string]string{"compose.yaml": "services:\n  a:\n    image: core:v1\n  core:\n    image: core:v1\n  z:\n    image: core:v1\n"}, old: "  core:\n    image: core:v1", new: "  core:\n    image: core:v2", place: "5:16: image"},
	{name: "built as well", files: map[string]string{"compose.yaml": "services:\n  core:\n    build: .\n    image: core:v1\n"}, old: "core:v1", new: "core:v2", place: "4:16: image"},
	{name: "disabled by its profile", files: map[string]string{"compose.yaml": "services:\n  core:\n    image: core:v1\n    profiles: [debug]\n  x: {image: x}\n"}, old: "core:v1", new: "core:v2", place: "3:16: image"},
	{name: "anchor on the scalar", files: one("&i core:v1"), old: "core:v1", new: "core:v2", place: "3:19: image"},
}

var variables = []change{
	{name: "variable in the name", files: with(one("${REG}/core:v1"), ".env", "REG=host:5000\n"), old: "core:v1", new: "core:v2", place: "3:23: image"},
	{name: "default in the name", files: one("${REG:-host:5000/}core:v1"), old: "core:v1", new: "core:v2", place: "3:34: image"},
	{name: "variable in the name, no tag", files: with(one("${REG}/core"), ".env", "REG=host:5000\n"), old: "/core", new: "/core:v2", place: "3:23: image"},
	{name: "braced", files: with(one("core:${TAG}"), ".env", "A=b\nTAG=v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "2:5: variable TAG"},
	{name: "bare", files: with(one("core:$TAG"), ".env", "TAG=v1"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
	{name: "required", files: with(one(`"core:${TAG:?say which: v1}"`), ".env", "TAG=v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
	{name: "behind another variable", files: with(one("${REG}/core:${TAG}"), ".env", "REG=host:5000\nTAG=v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "2:5: variable TAG"},
	{name: "quoted in .env, with comment", files: with(one("core:${TAG}"), ".env", "# TAG=v0\nexport TAG = \"v1\" # TAG=v3\n"), path: ".env", old: `"v1"`, new: `"v2"`, place: "2:15: variable TAG"},
	{name: "single quotes in .env", files: with(one("core:${TAG}"), ".env", "TAG='v1'"), path: ".env", old: "'v1'", new: "'v2'", place: "1:6: variable TAG"},
	{name: "comment in .env", files: with(one("core:${TAG}"), ".env", "TAG=v1   # v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
	{name: "YAML style in .env", files: with(one("core:${TAG}"), ".env", "TAG: v1\n"), path: ".env", old: "TAG: v1", new: "TAG: v2", place: "1:6: variable TAG"},
	{name: "CRLF and byte order mark in .env", files: with(one("core:${TAG}"), ".env", "\ufeffTAG=v1\r\nB=c\r\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
	{name: "quoted lines that look like it", files: with(one("core:${TAG}"), ".env", "TEXT=\"\nTAG=v0\n\"\nTAG=v1\n"), path: ".env", old: "\"\nTAG=v1", new: "\"\nTAG=v2", place: "4:5: variable TAG"},
	{name: "tag and digest in .env", files: with(one("core:${TAG}"), ".env", "TAG=v1@"+digestA), to: map[string]string{"core": "v2@" + digestB}, path: ".env", old: "v1@" + digestA, new: "v2@" + digestB, place: "1:5: variable TAG"},
	{name: "default, defined in .env", files: with(one("core:${TAG:-v0}"), ".env", "TAG=v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
	{name: "default, empty in .env", files: with(one("core:${TAG:-v1}"), ".env", "TAG=\n"), old: "-v1}", new: "-v2}", place: "3:24: default of TAG"},
	{name: "default", files: one("core:${TAG:-v1}"), old: "-v1}", new: "-v2}", place: "3:24: default of TAG"},
	{name: "default without colon", files: one(`"core:${TAG-v1}"`), old: "-v1}", new: "-v2}", place: "3:24: default of TAG"},
	{name: "whole image in .env", files: with(one("${IMAGE}"), ".env", "IMAGE=host:5000/core:v1\n"), path: ".env", old: "core:v1", new: "core:v2", place: "1:21: variable IMAGE"},
	{name: "whole image without tag in .env", files: with(one("$IMAGE"), ".env", "IMAGE='host:5000/core'\n"), path: ".env", old: "core'", new: "core:v2'", place: "1:22: variable IMAGE"},
	{name: "whole image as default", files: one("${IMAGE:-host:5000/core:v1}"), old: "core:v1}", new: "core:v2}", place: "3:35: default of IMAGE"},
	{name: "whole image as default, no tag", files: one("${IMAGE-core}"), old: "core}", new: "core:v2}", place: "3:24: default of IMAGE"},
	{name: "last env file that sets it", files: with(with(with(one("core:${TAG}"), "a.env", "TAG=v0\n"), "b.env", "TAG=v1\n"), "c.env", "B=1\n"), options: compose.Options{EnvFiles: []string{"a.env", "b.env", "c.env"}}, path: "b.env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
	{name: "two services, one variable", files: map[string]string{"compose.yaml": "services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: \"worker:${TAG}\"}\n", ".env": "TAG=v1\n"}, to: map[string]string{"core": "v2", "worker": "v2"}, path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG of core, worker"},
	{name: "label of another name", files: map[string]string{"compose.yaml": "services:\n  core:\n    image: core:${TAG}\n    environment: [TAGS]\n    env_file: [app.env]\n", "app.env": "A=${TAG_OTHER}\nB='$TAG2'\n", ".env": "TAG=v1\n"}, path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
}

var indirect = []change{
	{name: "override file", files: with(one("core:v0"), "compose.override.yaml", "services: {core: {image: core:v1}}"), path: "compose.override.yaml", old: "core:v1", new: "core:v2", place: "1:30: image"},
	{name: "override file without image", files: with(one("core:v1"), "compose.override.yaml", "services: {core: {restart: always}}"), old: "core:v1", new: "core:v2", place: "3:16: image"},
	{name: "scalar alias", files: map[string]string{"compose.yaml": "x-i: &i core:v1\nservices:\n  core: {image: *i}\n  b: {image: *i}\n"}, to: map[string]string{"core": "v2", "b": "v2"}, old: "core:v1", new: "core:v2", place: "1:13: image of b, core"},
	{name: "merge", files: map[string]string{"compose.yaml": "x-a: &a\n  image: core:v1\nservices:\n  core:\n    <<: *a\n    restart: always\n"}, old: "core:v1", new: "core:v2", place: "2:14: image"},
	{name: "merge of several, the first wins", files: map[string]string{"compose.yaml": "x-a: &a {image: core:v1}\nx-b: &b {image: core:v0}\nservices:\n  core:\n    <<: [*a, *b]\n"}, old: "core:v1", new: "core:v2", place: "1:21: image"},
	{name: "merge of a merge", files: map[string]string{"compose.yaml": "x-a: &a {image: core:v1}\nx-b: &b {<<: *a, restart: always}\nservices:\n  core:\n    <<: *b\n"}, old: "core:v1", new: "core:v2", place: "1:21: image"},
	{name: "own image beside a merge", files: map[string]string{"compose.yaml": "x-a: &a {image: core:v0}\nservices:\n  core:\n    <<: *a\n    image: core:v1\n"}, old: "core:v1", new: "core:v2", place: "5:16: image"},
	{name: "service alias", files: map[string]string{"compose.yaml": "services:\n  core: &c {image: core:v1}\n  b: *c\n"}, to: map[string]string{"core": "v2", "b": "v2"}, old: "core:v1", new: "core:v2", place: "2:24: image of b, core"},
	{name: "extends in the file", files: map[string]string{"compose.yaml": "services:\n  core: {extends: base}\n  base: {image: core:v1}\n"}, to: map[string]string{"core": "v2", "base": "v2"}, old: "core:v1", new: "core:v2", place: "3:21: image of base, core"},
	{name: "extends with own image", files: map[string]string{"compose.yaml": "services:\n  core: {extends: {service: base}, image: core:v1}\n  base: {image: core:v0}\n"}, old: "core:v1", new: "core:v2", place: "2:47: image"},
	{name: "extends a file", files: map[string]string{"compose.yaml": "services:\n  core: {extends: {file: sub/base.yml, service: base}}\n", "sub/base.yml": "services:\n  base: {image: core:v1, volumes: [./data:/data]}\n"}, path: "sub/base.yml", old: "core:v1", new: "core:v2", place: "2:21: image"},
	{name: "extends a file that extends another", files: map[string]string{"compose.yaml": "services:\n  core: {extends: {file: sub/base.yml, service: base}}\n", "sub/base.yml": "services:\n  base: {extends: {file: root.yml, service: root}}\n", "sub/root.yml": "services:\n  root: {image: core:v1}\n"}, path: "sub/root.yml", old: "core:v1", new: "core:v2", place: "2:21: image"},
	{name: "extended file takes its tag from .env", files: map[string]string{"compose.yaml": "services:\n  core: {extends: {file: base.yml, service: base}}\n", "base.yml": "services:\n  base: {image: \"core:${TAG}\"}\n", ".env": "TAG=v1"}, path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
	{name: "include", files: map[string]string{"compose.yaml": "include: [sub/compose.yml]\nservices: {x: {image: x}}\n", "sub/compose.yml": "services:\n  core: {image: core:v1, volumes: [./data:/data]}\n"}, path: "sub/compose.yml", old: "core:v1", new: "core:v2", place: "2:21: image"},
	{name: "include with an override of its own", files: map[string]string{"compose.yaml": "include: [{path: [a.yml, b.yml]}]\n", "a.yml": one("core:v0")["compose.yaml"], "b.yml": one("core:v1")["compose.yaml"]}, path: "b.yml", old: "core:v1", new: "core:v2", place: "3:16: image"},
	{name: "include in an include", files: map[string]string{"compose.yaml": "include: [sub/a.yml]\n", "sub/a.yml": "include: [deep/b.yml]\n", "sub/deep/b.yml": one("core:v1")["compose.yaml"]}, path: "sub/deep/b.yml", old: "core:v1", new: "core:v2", place: "3:16: image"},
	{name: "include, default in place", files: map[string]string{"compose.yaml": "include: [{path: a.yml, project_directory: .}]\n", "a.yml": one("core:${TAG:-v1}")["compose.yaml"]}, path: "a.yml", old: "v1", new: "v2", place: "3:24: default of TAG"},
	{name: "include, variable of the project", files: map[string]string{"compose.yaml": "include: [sub/a.yml]\n", "sub/a.yml": one("core:${TAG}")["compose.yaml"], "sub/.env": "TAG=v0", ".env": "TAG=v1"}, path: ".env", old: "v1", new: "v2", place: "1:5: variable TAG"},
	{name: "image beside an include", files: map[string]string{"compose.yaml": "include: [a.yml]\nservices:\n  core:\n    image: core:v1\n", "a.yml": "services: {x: {image: x}}"}, old: "core:v1", new: "core:v2", place: "4:16: image"},
	{name: "extends an included service", files: map[string]string{"compose.yaml": "include: [a.yml]\nservices:\n  core: {extends: base}\n", "a.yml": "services:\n  base: {image: core:v1}\n"}, to: map[string]string{"core": "v2", "base": "v2"}, path: "a.yml", old: "core:v1", new: "core:v2", place: "2:21: image of base, core"},
}

func TestLiterals(t *testing.T)  { changes(t, literals) }
func TestVariables(t *testing.T) { changes(t, variables) }
func TestIndirect(t *testing.T)  { changes(t, indirect) }

// changes makes every change and goes back; only the named bytes of the named file may move.
func changes(t *testing.T, rows []change) {
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.path == "" {
				row.path = "compose.yaml"
			}
			if row.to == nil {
				row.to = core
			}
			row.options.Dir = folder(t, row.files)
			p := load(t, row.options)
			found := service(t, p, "core")
			if found.Refusal != "" {
				t.Fatal(found.Refusal)
			}
			where := fmt.Sprintf("%d:%d: %s", found.Place.Line, found.Place.Column, found.Place.In)
			if len(found.Place.Services) > 1 {
				where += " of " + strings.Join(found.Place.Services, ", ")
			}
			if where != row.place || found.Place.File != row.options.Dir+"/"+row.path {
				t.Errorf("%s: got place %s, want %s", found.Place.File, where, row.place)
			}
			before := row.files[row.path]
			if strings.Count(before, row.old) != 1 {
				t.Fatalf("the row is ambiguous: %q in %q", row.old, before)
			}
			want := strings.Replace(before, row.old, row.new, 1)
			if got := edits(t, row.options, row.to); len(got) != 1 || got[row.path] != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if got := service(t, load(t, row.options), "core").Pin.String(); got != row.to["core"] {
				t.Errorf("core is at %q afterwards", got)
			}
		})
	}
}

func TestSeveralFilesAtOnce(t *testing.T) {
	dir := folder(t, map[string]string{
		"compose.yaml": "services:\n  a: {image: \"a:v1\"}\n  b: {image: b}\n  c: {image: \"c:${TAG}\"}\n",
		".env":         "TAG=v1\n",
	})
	got := edits(t, compose.Options{Dir: dir}, map[string]string{"a": "v20", "b": "v3", "c": "v4"})
	if want := "services:\n  a: {image: \"a:v20\"}\n  b: {image: b:v3}\n  c: {image: \"c:${TAG}\"}\n"; got["compose.yaml"] != want || got[".env"] != "TAG=v4\n" {
		t.Errorf("got %q", got)
	}
}

func TestDiff(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, map[string]string{"compose.yaml": "services:\n  core:\n    image: core:v1"})})
	edit, err := p.Edit(compose.Change{Service: "core", From: compose.Pin{Tag: "v1"}, To: compose.Pin{Tag: "v2"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "--- FILE\n+++ FILE\n@@ -2,2 +2,2 @@\n   core:\n-    image: core:v1\n\\ No newline at end of file\n+    image: core:v2\n\\ No newline at end of file\n"
	if got := strings.ReplaceAll(edit.Diff(), p.Files()[0], "FILE"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNothingToEdit(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, one("core:v1"))})
	same := compose.Change{Service: "core", From: compose.Pin{Tag: "v1"}, To: compose.Pin{Tag: "v1"}}
	for _, changes := range [][]compose.Change{nil, {same}, {same, same}} {
		edit, err := p.Edit(changes...)
		if err != nil || len(edit.Files()) != 0 || edit.Diff() != "" || edit.Apply() != nil || edit.Revert() != nil {
			t.Errorf("%v: got %+v, %v", changes, edit, err)
		}
	}
}

// refusal is one row of what can't be done: the whole message, and that nothing was edited.
type refusal struct {
	name    string
	files   map[string]string
	options compose.Options
	to      map[string]string
	want    string // path without the folder
}

const two = "services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: \"worker:${TAG}\"}\n"

var refusals = []refusal{
	{name: "tag of several parts", files: one("core:v${X}-alpine"), want: "compose.yaml:3:12: service core: the tag is put together from several parts"},
	{name: "two variables", files: one("core:${A}${B}"), want: "compose.yaml:3:12: service core: the tag is put together from several parts"},
	{name: "digest in a variable", files: with(one("core@${D}"), ".env", "D="+digestA), want: "compose.yaml:3:12: service core: the tag is put together from several parts"},
	{name: "nested default", files: one("core:${A:-$B}"), want: "compose.yaml:3:12: service core: a variable's default holds another variable"},
	{name: "nested braces", files: one("core:${A:-${B:-v1}}"), want: "compose.yaml:3:12: service core: a variable's default holds another variable"},
	{name: "alternative value", files: one("core:${A:+v1}"), want: "compose.yaml:3:12: service core: the image uses a variable in a form that can't be changed safely"},
	{name: "escaped dollar", files: one("co$$re:v1"), want: "compose.yaml:3:12: service core: the image has $$ in it"},
	{name: "folded", files: one(">-\n      core:v1"), want: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
	{name: "literal", files: one("|-\n      core:v1"), want: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
	{name: "several lines", files: one("\"core\\\n      :v1\""), want: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
	{name: "escaped", files: one(`"core\u003av1"`), want: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
	{name: "tagged", files: one("!!str core:v1"), want: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
	{name: "anchor on a line of its own", files: one("&i\n      core:v1"), want: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
	{name: "reset", files: with(one("core:v1"), "compose.override.yaml", "services:\n  core:\n    build: .\n    image: !reset core:v1\n"), want: "compose.override.yaml:4:12: service core: !reset changes how files are merged"},
	{name: "reset to null", files: with(one("core:v1\n    build: ."), "compose.override.yaml", "services:\n  core:\n    image: !reset null\n"), want: "compose.override.yaml:3:12: service core: !reset changes how files are merged"},
	{name: "override of the image", files: with(one("core:v1"), "compose.override.yaml", "services:\n  core:\n    image: !override core:v1\n"), want: "compose.override.yaml:3:12: service core: !override changes how files are merged"},
	{name: "override of all services", files: with(one("core:v1"), "compose.override.yaml", "services: !override\n  core:\n    image: core:v1\n"), want: "compose.override.yaml:1:11: service core: !override changes how files are merged"},
	{name: "null", files: with(one("core:v1"), "compose.override.yaml", "services:\n  core:\n    image:\n"), want: "compose.override.yaml:3:11: service core: its image is not a string"},
	{name: "empty", files: one("''"), want: "compose.yaml:3:12: service core: the image is not a reference"},
	{name: "override", files: with(one("core:v1"), "compose.override.yaml", "services:\n  core: !override\n    image: core:v1\n"), want: "compose.override.yaml:2:9: service core: !override changes how files are merged"},
	{name: "several documents", files: map[string]string{"compose.yaml": oneService + "---\nservices: {x: {image: x}}\n"}, want: "compose.yaml:4:1: service core: the file holds several documents"},
	{name: "no image", files: map[string]string{"compose.yaml": "services:\n  core:\n    build: .\n"}, want: "compose.yaml:3:5: service core: it has no image"},
	{name: "missing", files: map[string]string{"compose.yaml": "services: {corr: {image: a}, web: {image: b}}"}, want: "service core: no such service; there are corr, web"},
	{name: "tag that is none", files: one("core:v1+b"), want: "compose.yaml:3:16: service core: image: \"v1+b\" is not a tag"},

	{name: "set nowhere", files: one("core:${TAG}"), want: "compose.yaml:3:12: service core: TAG is set nowhere"},
	{name: "set in the environment", files: with(one("core:${TAG}"), ".env", "TAG=v1"), options: compose.Options{Environ: []string{"TAG=v1"}}, want: "compose.yaml:3:12: service core: TAG is set in the environment, which wins over every file"},
	{name: "set in the environment, default", files: one("core:${TAG:-v1}"), options: compose.Options{Environ: []string{"TAG=v1"}}, want: "compose.yaml:3:12: service core: TAG is set in the environment, which wins over every file"},
	{name: "set twice", files: with(one("core:${TAG}"), ".env", "TAG=v0\nA=1\nTAG=v1\n"), want: ".env:3:5: service core: TAG is set more than once"},
	{name: "interpolated in .env", files: with(one("core:${TAG}"), ".env", "B=v1\nTAG=${B}\n"), want: ".env:2:5: service core: TAG is not a plain value"},
	{name: "escaped in .env", files: with(one("core:${TAG}"), ".env", "TAG=\"v\\1\"\n"), want: ".env:1:6: service core: TAG is not a plain value"},
	{name: "empty in .env", files: with(one("core:${TAG}"), ".env", "TAG=\n"), want: ".env:1:5: service core: variable TAG: no tag stands there"},
	{name: "variable that is no image", files: with(one("$IMAGE"), ".env", "IMAGE=:v1\n"), want: `.env:1:7: service core: variable IMAGE: ":v1" names no image`},
	{name: "variable without its tag", files: with(one("core:${TAG}"), ".env", "TAG=v1\n"), to: map[string]string{"core": ""}, want: ".env:1:5: service core: variable TAG stands behind a colon and can't be without a tag"},
	{name: "another service uses the variable", files: map[string]string{"compose.yaml": two, ".env": "TAG=v1\n"}, want: ".env:1:5: service core: this place also decides the version of worker"},
	{name: "services that don't agree", files: map[string]string{"compose.yaml": two, ".env": "TAG=v1\n"}, to: map[string]string{"core": "v2", "worker": "v3"}, want: ".env:1:5: service core: this place also decides the version of worker"},
	{name: "another service mixes the variable in", files: map[string]string{"compose.yaml": "services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: \"worker:${TAG}-alpine\"}\n", ".env": "TAG=v1\n"}, want: ".env:1:5: service core: with it, the image of service worker would become worker:v2-alpine"},
	{name: "variable in a label", files: map[string]string{"compose.yaml": "services:\n  core:\n    image: core:${TAG}\n    labels: {version: \"${TAG}\"}\n", ".env": "TAG=v1\n"}, want: ".env:1:5: service core: with it, more of service core than its image would change"},
	{name: "variable in a network", files: map[string]string{"compose.yaml": "services:\n  core:\n    image: core:${TAG}\nnetworks: {default: {name: \"n-${TAG}\"}}\n", ".env": "TAG=v1\n"}, want: ".env:1:5: service core: with it, more of the project than its services would change"},
	{name: "variable behind another", files: map[string]string{"compose.yaml": "services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: \"${WORKER}\"}\n", ".env": "TAG=v1\nWORKER=worker:${TAG}\n"}, want: ".env:1:5: service core: with it, the image of service worker would become worker:v2"},
	{name: "variable by name in an environment", files: map[string]string{"compose.yaml": "services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: w, environment: [TAG]}\n", ".env": "TAG=v1\n"}, want: ".env:1:5: service core: with it, more of service worker than its image would change"},
	{name: "variable without a value in an environment", files: map[string]string{"compose.yaml": "services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: w, environment: {TAG: }}\n", ".env": "TAG=v1\n"}, want: ".env:1:5: service core: with it, more of service worker than its image would change"},
	{name: "variable without a value in a hook", files: map[string]string{"compose.yaml": "services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: w, pre_start: [{command: x, environment: {TAG: }}]}\n", ".env": "TAG=v1\n"}, want: ".env:1:5: service worker: TAG is also in its environment"},
	{name: ".env is also an env_file", files: map[string]string{"compose.yaml": "services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: w, env_file: .env}\n", ".env": "TAG=v1\n"}, want: ".env:1:5: service worker: this file is also its env_file, so its environment would change too"},
	{name: "an env_file uses the variable", files: map[string]string{"compose.yaml": "services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: w, env_file: w.env}\n", "w.env": "VERSION=${TAG:-none}\n", ".env": "TAG=v1\n"}, want: ".env:1:5: service worker: its env_file DIR/w.env uses TAG"},
	{name: "variable in COMPOSE_FILE", files: map[string]string{"v1.yaml": one("core:${TAG}")["compose.yaml"], ".env": "TAG=v1\nCOMPOSE_FILE=${TAG}.yaml\n"}, want: ".env:1:5: service core: with it, docker compose would read other files"},
	{name: "variable in COMPOSE_PROFILES", files: with(one("core:${TAG}"), ".env", "TAG=v1\nCOMPOSE_PROFILES=${TAG}\n"), want: ".env:1:5: service core: with it, more of the project than its services would change"},
	{name: "variable of a secret", files: map[string]string{"compose.yaml": one("core:${TAG}")["compose.yaml"] + "secrets: {s: {environment: TAG}}\n", ".env": "TAG=v1\n"}, want: ".env:1:5: service core: with it, more of the project than its services would change"},
	{name: "variable by name in build arguments", files: map[string]string{"compose.yaml": "services:\n  core: {image: \"core:${TAG}\", build: {context: ., args: [TAG]}}\n", ".env": "TAG=v1\n"}, want: ".env:1:5: service core: with it, more of service core than its image would change"},
	{name: "variable in an include's own .env", files: map[string]string{"compose.yaml": "include: [sub/b.yml]\n" + one("core:${TAG}")["compose.yaml"], "sub/b.yml": "services: {w: {image: \"w:${OTHER}\"}}\n", "sub/.env": "OTHER=${TAG}\n", ".env": "TAG=v1\n"}, want: ".env:1:5: service core: with it, the image of service w would become w:v2"},
	{name: "variable in the project's name", files: map[string]string{"compose.yaml": "name: p-${TAG}\n" + one("core:${TAG}")["compose.yaml"], ".env": "TAG=v1\n"}, want: ".env:1:5: service core: with it, more of the project than its services would change"},

	{name: "alias", files: map[string]string{"compose.yaml": "x-i: &i core:v1\nservices:\n  core: {image: *i}\n  b: {image: *i}\n  c: {image: *i}\n"}, to: map[string]string{"core": "v2", "b": "v2"}, want: "compose.yaml:1:13: service core: this place also decides the version of c"},
	{name: "alias in an environment", files: map[string]string{"compose.yaml": "services:\n  core: {image: &i core:v1, environment: {IMAGE: *i}}\n"}, want: "compose.yaml:2:24: service core: with it, more of service core than its image would change"},
	{name: "extended service", files: map[string]string{"compose.yaml": "services:\n  core: {extends: base}\n  base: {image: core:v1}\n"}, want: "compose.yaml:3:21: service core: this place also decides the version of base"},
	{name: "extends a variable file", files: map[string]string{"compose.yaml": "services:\n  core: {extends: {file: \"${F}.yml\", service: base}}\n", "base.yml": "services: {base: {image: core:v1}}", ".env": "F=base"}, want: "compose.yaml:2:26: service core: its image comes from a file whose name is not plain"},
	{name: "extends a file outside", files: map[string]string{"p/compose.yaml": "services:\n  core: {extends: {file: ../base.yml, service: base}}\n", "base.yml": "services: {base: {image: core:v1}}"}, options: compose.Options{Dir: "p"}, want: "p/compose.yaml:2:26: service core: its image comes from DIR/base.yml, outside the project directory"},
	{name: "include from outside", files: map[string]string{"p/compose.yaml": "include: [../a.yml]\n", "a.yml": oneService}, options: compose.Options{Dir: "p"}, want: "p/compose.yaml:1:11: service core: its image comes from DIR/a.yml, outside the project directory"},
	{name: "include with its own variable", files: map[string]string{"compose.yaml": "include: [sub/a.yml]\n", "sub/a.yml": one("core:${TAG}")["compose.yaml"], "sub/.env": "TAG=v1"}, want: "sub/.env:1:5: service core: TAG is set in the env file of an include"},
	{name: "included file extends another", files: map[string]string{"compose.yaml": "include: [a.yml]\n", "a.yml": "services:\n  core: {extends: {file: b.yml, service: core}}\n", "b.yml": oneService}, want: "a.yml:2:26: service core: its image comes by extends from a file that an included file names"},
}

func TestRefusalRows(t *testing.T) {
	for _, row := range refusals {
		t.Run(row.name, func(t *testing.T) {
			dir := folder(t, row.files)
			row.options.Dir = strings.TrimSuffix(dir+"/"+row.options.Dir, "/")
			p := load(t, row.options)
			if row.to == nil {
				row.to = core
			}
			var list []compose.Change
			for _, s := range p.Services() {
				if to, named := row.to[s.Name]; named {
					list = append(list, compose.Change{Service: s.Name, From: s.Pin, To: compose.Pin{Tag: to}})
				}
			}
			if len(list) == 0 {
				list = []compose.Change{{Service: "core", To: compose.Pin{Tag: "v2"}}}
			}
			for i := range list { // core first: the message is about it
				if list[i].Service == "core" {
					list[0], list[i] = list[i], list[0]
				}
			}
			edit, err := p.Edit(list...)
			if err == nil {
				t.Fatalf("not refused: %s", edit.Diff())
			}
			got := strings.TrimPrefix(strings.ReplaceAll(strings.ReplaceAll(err.Error(), dir+"/", "DIR/"), dir, "DIR"), "DIR")
			if got = strings.TrimPrefix(got, "/"); got != row.want && got != ": "+row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
			var hinted interface{ Hint() string }
			if !errors.As(err, &hinted) || hinted.Hint() == "" {
				t.Error("no hint")
			}
		})
	}
}

func TestDrift(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, one("core:v1"))})
	_, err := p.Edit(compose.Change{Service: "core", From: compose.Pin{Tag: "v0"}, To: compose.Pin{Tag: "v2"}})
	if err == nil || !strings.HasSuffix(err.Error(), "compose.yaml:3:16: service core: v1 stands there, not v0") {
		t.Errorf("got %v", err)
	}
}

func TestTwoChangesOfOneService(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, one("core:v1"))})
	from := compose.Pin{Tag: "v1"}
	_, err := p.Edit(compose.Change{Service: "core", From: from, To: compose.Pin{Tag: "v2"}}, compose.Change{Service: "core", From: from, To: compose.Pin{Tag: "v3"}})
	if err == nil || !strings.Contains(err.Error(), "two ways at once: to v2 and to v3") {
		t.Errorf("got %v", err)
	}
}

func TestBadTarget(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, one("core:v1"))})
	for _, to := range []compose.Pin{{Tag: "v2 # x"}, {Tag: "v2\n"}, {Tag: "v2", Digest: "sha256:1"}, {Tag: "a@b"}} {
		if edit, err := p.Edit(compose.Change{Service: "core", From: compose.Pin{Tag: "v1"}, To: to}); err == nil {
			t.Errorf("%+v: %s", to, edit.Diff())
		}
	}
}

func TestUnknownServiceNamesTheNearest(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, one("core:v1"))})
	_, err := p.Edit(compose.Change{Service: "cor"})
	var refused *compose.Error
	if !errors.Is(err, compose.ErrNoService) || !errors.As(err, &refused) || refused.Hint() != "did you mean core?" {
		t.Errorf("got %v", err)
	}
}
