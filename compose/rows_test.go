package compose_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"promote/compose"
)

// row is one way to write a version, and what becomes of it: certain bytes of one file change and
// nothing else, or it is refused and nothing changes at all.
type row struct {
	name    string
	files   map[string]string // path → content
	options compose.Options   // Dir is below the folder of the files
	to      map[string]string // service → pin; core → v2 unless said

	path     string // of the file that changes; compose.yaml unless said
	old, new string // the only bytes that change; core:v1 and core:v2 unless said
	place    string // of core's version: LINE:COLUMN: what it is in

	refused string // the whole message, with DIR for the folder; PLACE: service NAME: reason
}

// table is the one of where a service's version is written, row by row, in both senses: what is
// changed there, and where it ends.
var table = []struct {
	image string
	rows  []row
}{
	{"repo:tag; plain, quoted, flow style, JSON; registry with a port", []row{
		{name: "plain", files: one("aegee/core:v1"), place: "3:22: image"},
		{name: "longer and longer", files: one("core:v1"), to: map[string]string{"core": "v1.10.0-rc.1"}, new: "core:v1.10.0-rc.1", place: "3:16: image"},
		{name: "single quotes", files: one("'aegee/core:v1' # the version"), place: "3:23: image"},
		{name: "double quotes and blanks", files: one(`  "aegee/core:v1"   # why`), place: "3:25: image"},
		{name: "on the next line", files: one("\n      aegee/core:v1"), place: "4:17: image"},
		{name: "on the next line, quoted", files: one("\n      'aegee/core:v1'"), place: "4:18: image"},
		{name: "anchor in front", files: one("&i core:v1"), place: "3:19: image"},
		{name: "quoted behind its anchor", files: one("&i   'core:v1'"), place: "3:22: image"},
		{name: "key in quotes", files: file("services:\n  core:\n    \"image\": core:v1\n"), place: "3:18: image"},
		{name: "flow style", files: file("services: {core: {image: aegee/core:v1, restart: always}}"), place: "1:36: image"},
		{name: "flow style over lines", files: file("services: {\n  core: {\n    image:\n      core:v1 } }"), place: "4:11: image"},
		{name: "flow style, all in quotes", files: file("services:\n  core: {'image': 'core:v1', x-a: 'core:v1'}\n"), old: "'image': 'core:v1'", new: "'image': 'core:v2'", place: "2:24: image"},
		{name: "JSON", files: file(`{"services": {"core": {"image":"aegee/core:v1"}}}`), place: "1:43: image"},
		{name: "JSON, two of a kind", files: file(`{"services":{"core":{"image":"core:v1"},"b":{"image":"core:v1"}}}`), old: `"core":{"image":"core:v1`, new: `"core":{"image":"core:v2`, place: "1:35: image"},
		{name: "JSON, indented by tabs", files: map[string]string{"compose.json": "{\r\n\t\"services\": {\r\n\t\t\"core\": {\"image\": \"core:v1\"}\r\n\t}\r\n}"}, options: compose.Options{Files: []string{"compose.json"}}, path: "compose.json", place: "3:26: image"},
		{name: "registry with a port", files: one("localhost:5000/core:v1"), place: "3:31: image"},
		{name: "registry with a port, quoted in flow", files: file("services: {core: {image: \"[::1]:5000/a/core:v1\"}}\n"), place: "1:44: image"},
		{name: "others have the same image", files: file("services:\n  a:\n    image: core:v1\n  core:\n    image: core:v1\n  z:\n    image: core:v1\n"), old: "  core:\n    image: core:v1", new: "  core:\n    image: core:v2", place: "5:16: image"},
		{name: "block scalars that look the same", files: file("x-script: |\n  services:\n    core:\n      image: core:v1\nservices:\n  core:\n    image: core:v1\n    command: >\n      run image: core:v1\n"), old: "services:\n  core:\n    image: core:v1", new: "services:\n  core:\n    image: core:v2", place: "7:16: image"},
		{name: "document marks and comments", files: file("# core:v1\n---\nservices:\n  core:\n    image: core:v1 # core:v1\n...\n"), old: "image: core:v1", new: "image: core:v2", place: "5:16: image"},
		{name: "CRLF", files: file("services:\r\n  core:\r\n    image: core:v1\r\n    restart: always\r\n"), place: "3:16: image"},
		{name: "lone CR", files: file("services:\r  core:\r    image: core:v1\r"), place: "3:16: image"},
		{name: "byte order mark", files: file("\ufeffservices: {core: {image: core:v1}}\n"), place: "1:30: image"},
		{name: "byte order mark, CRLF, quotes", files: file("\ufeffservices:\r\n  core:\r\n    image: \"core:v1\"\r\n"), place: "3:17: image"},
		{name: "byte order mark, no newline at the end", files: file("\ufeffservices:\n  core:\n    image: core:v1"), place: "3:16: image"},
		{name: "no newline at the end", files: file("services:\n  core:\n    image: core:v1"), place: "3:16: image"},
		{name: "runes before it", files: file("services: {core: {labels: {grüße: '日本語 ✓ 🎉'}, image: core:v1}}"), place: "1:58: image"},
		{name: "strange line ends in quotes", files: file("x-a: \"a\u2028b\u2029c\u0085d\"\nx-b: 'e\rf'\nservices:\n  core:\n    image: core:v1\n"), place: "9:16: image"},
		{name: "not a tag", files: one("core:v1+b"), refused: "compose.yaml:3:16: service core: image: \"v1+b\" is not a tag"},
		{name: "a colon and no tag", files: one("'core:'"), refused: "compose.yaml:3:17: service core: image: no tag stands there"},
	}},
	{"${REG}/app:tag (variable only in the name)", []row{
		{name: "variable", files: with(one("${REG}/core:v1"), ".env", "REG=host:5000\n"), place: "3:23: image"},
		{name: "bare variable", files: with(one("$REG/core:v1"), ".env", "REG=host:5000\n"), place: "3:21: image"},
		{name: "in the environment", files: one("${REG}/core:v1"), options: compose.Options{Environ: []string{"REG=host:5000"}}, place: "3:23: image"},
		{name: "default with a colon", files: one("${REG:-host:5000/}core:v1"), place: "3:34: image"},
		{name: "required", files: with(one("'${REG:?which: registry}/core:v1'"), ".env", "REG=host:5000\n"), place: "3:41: image"},
		{name: "several", files: with(one("${REG}/${ORG}/core:v1"), ".env", "REG=host:5000\nORG=aegee\n"), place: "3:30: image"},
		{name: "the whole name", files: with(one("${NAME}:v1"), ".env", "NAME=core\n"), old: "}:v1", new: "}:v2", place: "3:19: image"},
		{name: "no tag", files: with(one("${REG}/core"), ".env", "REG=host:5000\n"), old: "/core", new: "/core:v2", place: "3:23: image"},
		{name: "tag and digest", files: with(one("${REG}/core:v1@"+digestA), ".env", "REG=host:5000\n"), to: map[string]string{"core": "v2@" + digestB}, old: ":v1@" + digestA, new: ":v2@" + digestB, place: "3:23: image"},
		{name: "with the tag in it", files: with(one("${REG}core"), ".env", "REG=repo:v1-\n"), refused: "compose.yaml:3:22: service core: no tag stands there, not v1-core"},
		{name: "alternative", files: with(one("${REG:+host/}core:v1"), ".env", "REG=x\n"), refused: "compose.yaml:3:12: service core: the image uses a variable in a form that can't be changed safely"},
	}},
	{"repo without a tag", []row{
		{name: "plain", files: one("aegee/core   # latest"), old: "core   #", new: "core:v2   #", place: "3:22: image"},
		{name: "quoted, registry with a port", files: one(`"localhost:5000/core"`), old: `core"`, new: `core:v2"`, place: "3:32: image"},
		{name: "flow style", files: file("services: {core: {image: core}}"), old: "image: core", new: "image: core:v2", place: "1:30: image"},
		{name: "no newline at the end", files: file("services:\n  core:\n    image: core"), old: "image: core", new: "image: core:v2", place: "3:16: image"},
		{name: "to tag and digest", files: one("aegee/core"), to: map[string]string{"core": "v2@" + digestA}, old: "/core", new: "/core:v2@" + digestA, place: "3:22: image"},
		{name: "to a digest", files: one("aegee/core"), to: map[string]string{"core": "@" + digestA}, old: "/core", new: "/core@" + digestA, place: "3:22: image"},
		{name: "tag taken away", files: one("aegee/core:v1"), to: map[string]string{"core": ""}, new: "core", place: "3:22: image"},
		{name: "empty", files: one("''"), refused: "compose.yaml:3:12: service core: the image is not a reference"},
		{name: "ends in a slash", files: one("aegee/"), refused: "compose.yaml:3:18: service core: \"aegee/\" names no image"},
	}},
	{"repo:tag@sha256:…", []row{
		{name: "both", files: one("aegee/core:v1@" + digestA), to: map[string]string{"core": "v2@" + digestB}, old: ":v1@" + digestA, new: ":v2@" + digestB, place: "3:22: image"},
		{name: "quoted", files: file("services: {core: {image: 'localhost:5000/core:v1@" + digestA + "'}}\n"), to: map[string]string{"core": "v2@" + digestB}, old: ":v1@" + digestA, new: ":v2@" + digestB, place: "1:46: image"},
		{name: "digest goes", files: one("aegee/core:v1@" + digestA), old: ":v1@" + digestA, new: ":v2", place: "3:22: image"},
		{name: "digest comes", files: one("aegee/core:v1"), to: map[string]string{"core": "v2@" + digestB}, new: "core:v2@" + digestB, place: "3:22: image"},
		{name: "tag goes", files: one("aegee/core:v1@" + digestA), to: map[string]string{"core": "@" + digestB}, old: ":v1@" + digestA, new: "@" + digestB, place: "3:22: image"},
		{name: "same tag, other digest", files: one("core:v1@" + digestA), to: map[string]string{"core": "v1@" + digestB}, old: "@" + digestA, new: "@" + digestB, place: "3:16: image"},
		{name: "not a digest", files: one("core:v1@sha256:abc"), refused: "compose.yaml:3:16: service core: image: \"sha256:abc\" is not a digest"},
	}},
	{"repo@sha256:…", []row{
		{name: "digest", files: one("aegee/core@" + digestA), to: map[string]string{"core": "@" + digestB}, old: "core@" + digestA, new: "core@" + digestB, place: "3:22: image"},
		{name: "registry with a port", files: one("localhost:5000/core@" + digestA), to: map[string]string{"core": "@" + digestB}, old: "core@" + digestA, new: "core@" + digestB, place: "3:31: image"},
		{name: "to a tag", files: one("core@" + digestA), old: "core@" + digestA, new: "core:v2", place: "3:16: image"},
		{name: "in a variable", files: with(one("core@${D}"), ".env", "D="+digestA), refused: "compose.yaml:3:12: service core: the tag is put together from several parts"},
	}},
	{"repo:${TAG}, $TAG, ${TAG:?m}, ${REG}/app:${TAG}", []row{
		{name: "braces", files: with(one("core:${TAG}"), ".env", "A=b\nTAG=v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "2:5: variable TAG"},
		{name: "bare", files: with(one("core:$TAG"), ".env", "TAG=v1"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
		{name: "required", files: with(one(`"core:${TAG:?say which: v1}"`), ".env", "TAG=v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
		{name: "required, empty or not", files: with(one("core:${TAG?no tag}"), ".env", "TAG=v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
		{name: "behind another variable", files: with(one("${REG}/core:${TAG}"), ".env", "REG=host:5000\nTAG=v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "2:5: variable TAG"},
		{name: "registry with a port", files: with(one("localhost:5000/core:${TAG}"), ".env", "TAG=v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
		{name: "tag and digest", files: with(one("core:${TAG}"), ".env", "TAG=v1@"+digestA), to: map[string]string{"core": "v2@" + digestB}, path: ".env", old: "v1@" + digestA, new: "v2@" + digestB, place: "1:5: variable TAG"},
		{name: "escaped letters around", files: with(one("\"core:${TAG}\" # \\x41"), ".env", "TAG=v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
		{name: "two services, one variable", files: with(file(two), ".env", "TAG=v1\n"), to: both, path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG of core, worker"},
		{name: "set nowhere", files: one("core:${TAG}"), refused: "compose.yaml:3:12: service core: TAG is set nowhere"},
		{name: "without a tag", files: with(one("core:${TAG}"), ".env", "TAG=v1\n"), to: map[string]string{"core": ""}, refused: ".env:1:5: service core: variable TAG stands behind a colon and can't be without a tag"},
		{name: "empty", files: with(one("core:${TAG}"), ".env", "TAG=\n"), refused: ".env:1:5: service core: variable TAG: no tag stands there"},
		{name: "not a tag", files: with(one("core:${TAG}"), ".env", "TAG=v1+b\n"), refused: ".env:1:5: service core: variable TAG: \"v1+b\" is not a tag"},
	}},
	{"repo:${TAG:-x}, ${TAG-x}", []row{
		{name: "defined", files: with(one("core:${TAG:-v0}"), ".env", "TAG=v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
		{name: "defined, without colon", files: with(one("core:${TAG-v0}"), ".env", "TAG=v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
		{name: "nowhere", files: one("core:${TAG:-v1}"), old: "-v1}", new: "-v2}", place: "3:24: default of TAG"},
		{name: "nowhere, without colon", files: one(`"core:${TAG-v1}"`), old: "-v1}", new: "-v2}", place: "3:24: default of TAG"},
		{name: "nowhere, behind a variable", files: with(one("${REG}/core:${TAG:-v1}"), ".env", "REG=host:5000\n"), old: "-v1}", new: "-v2}", place: "3:31: default of TAG"},
		{name: "empty, so the default counts", files: with(one("core:${TAG:-v1}"), ".env", "TAG=\n"), old: "-v1}", new: "-v2}", place: "3:24: default of TAG"},
		{name: "empty, without colon", files: with(one("core:${TAG-v1}"), ".env", "TAG=\n"), refused: ".env:1:5: service core: variable TAG: no tag stands there"},
		{name: "tag and digest", files: one("core:${TAG:-v1@" + digestA + "}"), to: map[string]string{"core": "v2@" + digestB}, old: "v1@" + digestA, new: "v2@" + digestB, place: "3:24: default of TAG"},
		{name: "no default in it", files: one("core:${TAG:-}"), refused: "compose.yaml:3:24: service core: default of TAG: no tag stands there"},
		{name: "in the environment", files: one("core:${TAG:-v1}"), options: compose.Options{Environ: []string{"TAG=v1"}}, refused: "compose.yaml:3:12: service core: TAG is set in the environment, which wins over every file"},
		{name: "two services, two defaults", files: file("services:\n  core: {image: \"core:${TAG:-v1}\"}\n  worker: {image: \"core:${TAG:-v1}\"}\n"), old: "core: {image: \"core:${TAG:-v1}\"}", new: "core: {image: \"core:${TAG:-v2}\"}", place: "2:30: default of TAG"},
	}},
	{"${IMAGE}, ${IMAGE:-repo:tag}", []row{
		{name: "defined", files: with(one("${IMAGE}"), ".env", "IMAGE=host:5000/core:v1\n"), path: ".env", place: "1:21: variable IMAGE"},
		{name: "defined, no tag", files: with(one("$IMAGE"), ".env", "IMAGE='host:5000/core'\n"), path: ".env", old: "core'", new: "core:v2'", place: "1:22: variable IMAGE"},
		{name: "defined, tag and digest", files: with(one("${IMAGE}"), ".env", "IMAGE=core:v1@"+digestA), to: map[string]string{"core": "v2@" + digestB}, path: ".env", old: ":v1@" + digestA, new: ":v2@" + digestB, place: "1:11: variable IMAGE"},
		{name: "defined, and a default", files: with(one("${IMAGE:-core:v0}"), ".env", "IMAGE=core:v1\n"), path: ".env", place: "1:11: variable IMAGE"},
		{name: "behind a registry", files: with(one("${REG}/${IMAGE}"), ".env", "REG=host:5000\nIMAGE=core:v1\n"), path: ".env", place: "2:11: variable IMAGE"},
		{name: "default", files: one("${IMAGE:-host:5000/core:v1}"), old: "core:v1}", new: "core:v2}", place: "3:35: default of IMAGE"},
		{name: "default, no tag", files: one("${IMAGE-core}"), old: "core}", new: "core:v2}", place: "3:24: default of IMAGE"},
		{name: "default, quoted in flow", files: file("services: {core: {image: '${IMAGE:-localhost:5000/core:v1}'}}\n"), place: "1:55: default of IMAGE"},
		{name: "no image in it", files: with(one("$IMAGE"), ".env", "IMAGE=:v1\n"), refused: `.env:1:7: service core: variable IMAGE: ":v1" names no image`},
		{name: "set nowhere", files: one("${IMAGE}"), refused: "compose.yaml:3:12: service core: IMAGE is set nowhere"},
	}},
	{"alias, << merge, anchored service, same-file extends", []row{
		{name: "alias", files: file("x-i: &i core:v1\nservices:\n  core: {image: *i}\n  worker: {image: *i}\n"), to: both, place: "1:13: image of core, worker"},
		{name: "alias of a service's image", files: file("services:\n  core:\n    image: &i core:v1\n  worker:\n    image: *i\n"), to: both, place: "3:19: image of core, worker"},
		{name: "alias of a variable", files: with(file("x-i: &i core:${TAG}\nservices: {core: {image: *i}}\n"), ".env", "TAG=v1"), path: ".env", old: "v1", new: "v2", place: "1:5: variable TAG"},
		{name: "merge", files: file("x-a: &a\n  image: core:v1\nservices:\n  core:\n    <<: *a\n    restart: always\n"), place: "2:14: image"},
		{name: "merge of several, the first wins", files: file("x-a: &a {image: core:v1}\nx-b: &b {image: core:v0}\nservices:\n  core:\n    <<: [*a, *b]\n"), place: "1:21: image"},
		{name: "merge of several that are equal", files: file("x-a: &a {image: core:v1}\nx-b: &b {image: core:v1}\nservices: {core: {<<: [*b, *a]}}\n"), old: "&b {image: core:v1", new: "&b {image: core:v2", place: "2:21: image"},
		{name: "merge of several, the second has it", files: file("x-a: &a {restart: always}\nx-b: &b {image: core:v1}\nservices: {core: {<<: [*a, *b]}}\n"), place: "2:21: image"},
		{name: "merge of a merge", files: file("x-a: &a {image: core:v1}\nx-b: &b {<<: *a, restart: always}\nservices:\n  core:\n    <<: *b\n"), place: "1:21: image"},
		{name: "own image beside a merge", files: file("x-a: &a {image: core:v0}\nservices:\n  core:\n    <<: *a\n    image: core:v1\n"), place: "5:16: image"},
		{name: "anchored service, merged", files: file("services:\n  core: &core\n    image: core:v1\n  worker:\n    <<: *core\n    command: [work]\n"), to: both, place: "3:16: image of core, worker"},
		{name: "anchored service, aliased", files: file("services:\n  core: &c {image: core:v1}\n  worker: *c\n"), to: both, place: "2:24: image of core, worker"},
		{name: "anchored service, asked for by the other", files: file("services:\n  worker: &w {image: core:v1}\n  core: {<<: *w}\n"), to: both, place: "2:26: image of core, worker"},
		{name: "all services merged", files: file("x-s: &s\n  core: {image: core:v1}\nservices:\n  <<: *s\n  b: {image: b}\n"), place: "2:21: image"},
		{name: "all services aliased", files: file("x-s: &s\n  core: {image: core:v1}\nservices: *s\n"), place: "2:21: image"},
		{name: "extends", files: file("services:\n  core: {extends: worker}\n  worker: {image: core:v1}\n"), to: both, place: "3:23: image of core, worker"},
		{name: "extends, long, over two", files: file("services:\n  core: {extends: {service: b}}\n  b: {extends: worker}\n  worker: {image: core:v1}\n"), to: map[string]string{"core": "v2", "b": "v2", "worker": "v2"}, place: "4:23: image of b, core, worker"},
		{name: "extends with an image of its own", files: file("services:\n  core: {extends: {service: base}, image: core:v1}\n  base: {image: core:v0}\n"), place: "2:47: image"},
		{name: "the others are not in the plan", files: file("x-i: &i core:v1\nservices:\n  core: {image: *i}\n  worker: {image: *i}\n  z: {image: *i}\n"), to: both, refused: "compose.yaml:1:13: service core: this place also decides the version of z"},
		{name: "several others", files: file("services:\n  core: &c {image: core:v1}\n  worker: *c\n  z: {<<: *c}\n"), refused: "compose.yaml:2:24: service core: this place also decides the version of worker, z"},
		{name: "the extended one is not in the plan", files: file("services:\n  core: {extends: base}\n  base: {image: core:v1}\n"), refused: "compose.yaml:3:21: service core: this place also decides the version of base"},
		{name: "they don't agree", files: file("services:\n  core: &c {image: core:v1}\n  worker: *c\n"), to: map[string]string{"core": "v2", "worker": "v3"}, refused: "compose.yaml:2:24: service core: this place also decides the version of worker"},
		{name: "alias in an environment", files: file("services:\n  core: {image: &i core:v1, environment: {IMAGE: *i}}\n"), refused: "compose.yaml:2:24: service core: with it, more of service core than its image would change"},
		{name: "alias in another's command", files: file("services:\n  core: {image: &i core:v1}\n  worker: {image: w, command: [*i]}\n"), refused: "compose.yaml:2:24: service core: with it, more of service worker than its image would change"},
	}},
	{"extends: {file:}, include:", []row{
		{name: "extends", files: map[string]string{"compose.yaml": "services:\n  core: {extends: {file: sub/base.yml, service: base}}\n", "sub/base.yml": "services:\n  base: {image: core:v1, volumes: [./data:/data]}\n"}, path: "sub/base.yml", place: "2:21: image"},
		{name: "extends a file that extends another", files: map[string]string{"compose.yaml": "services:\n  core: {extends: {file: sub/base.yml, service: base}}\n", "sub/base.yml": "services:\n  base: {extends: {file: root.yml, service: root}}\n", "sub/root.yml": "services:\n  root: {image: core:v1}\n"}, path: "sub/root.yml", place: "2:21: image"},
		{name: "extends the file itself", files: file("services:\n  worker: {image: core:v1}\n  core: {extends: {file: compose.yaml, service: worker}}\n"), to: both, place: "2:23: image of core, worker"},
		{name: "an override extends the main file", files: map[string]string{"compose.yaml": "services:\n  worker: {image: core:v1}\n", "compose.override.yaml": "services:\n  core: {extends: {file: compose.yaml, service: worker}}\n"}, to: both, place: "2:23: image of core, worker"},
		{name: "extends a file with anchors", files: map[string]string{"compose.yaml": "services:\n  core: {extends: {file: base.yml, service: base}}\n", "base.yml": "x-b: &b {image: core:v1}\nservices: {base: {<<: *b}}\n"}, path: "base.yml", place: "1:21: image"},
		{name: "extends a file whose tag is in .env", files: map[string]string{"compose.yaml": "services:\n  core: {extends: {file: base.yml, service: base}}\n", "base.yml": "services:\n  base: {image: \"core:${TAG}\"}\n", ".env": "TAG=v1"}, path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
		{name: "extends a file, two do", files: map[string]string{"compose.yaml": "services:\n  core: {extends: {file: base.yml, service: base}}\n  worker: {extends: {file: base.yml, service: base}}\n", "base.yml": "services: {base: {image: core:v1}}\n"}, to: both, path: "base.yml", place: "1:30: image of core, worker"},
		{name: "image beside extends of a file", files: map[string]string{"compose.yaml": "services:\n  core:\n    extends: {file: base.yml, service: base}\n    image: core:v1\n", "base.yml": "services: {base: {image: core:v0}}\n"}, place: "4:16: image"},
		{name: "include", files: map[string]string{"compose.yaml": "include: [sub/compose.yml]\nservices: {x: {image: x}}\n", "sub/compose.yml": "services:\n  core: {image: core:v1, volumes: [./data:/data]}\n"}, path: "sub/compose.yml", place: "2:21: image"},
		{name: "include, long", files: map[string]string{"compose.yaml": "include:\n  - path: sub/a.yml\n", "sub/a.yml": oneService}, path: "sub/a.yml", old: "v1", new: "v2", place: "3:22: image"},
		{name: "include with an override of its own", files: map[string]string{"compose.yaml": "include: [{path: [a.yml, b.yml]}]\n", "a.yml": text("core:v0"), "b.yml": text("core:v1")}, path: "b.yml", place: "3:16: image"},
		{name: "include with a project_directory", files: map[string]string{"compose.yaml": "include: [{path: sub/a.yml, project_directory: other}]\n", "sub/a.yml": "services:\n  core: {image: core:v1, build: .}\n"}, path: "sub/a.yml", place: "2:21: image"},
		{name: "include with an env_file for the name", files: map[string]string{"compose.yaml": "include: [{path: sub/a.yml, env_file: [a.env, b.env]}]\n", "sub/a.yml": text("${REG}/core:v1"), "a.env": "A=b\n", "b.env": "REG=host:5000\n"}, path: "sub/a.yml", place: "3:23: image"},
		{name: "include, default in place", files: map[string]string{"compose.yaml": "include: [{path: a.yml, project_directory: .}]\n", "a.yml": text("core:${TAG:-v1}")}, path: "a.yml", old: "v1", new: "v2", place: "3:24: default of TAG"},
		{name: "include, variable of the project", files: map[string]string{"compose.yaml": "include: [sub/a.yml]\n", "sub/a.yml": text("core:${TAG}"), "sub/.env": "TAG=v0", ".env": "TAG=v1"}, path: ".env", old: "v1", new: "v2", place: "1:5: variable TAG"},
		{name: "include in an include", files: map[string]string{"compose.yaml": "include: [sub/a.yml]\n", "sub/a.yml": "include: [deep/b.yml]\n", "sub/deep/b.yml": text("core:v1")}, path: "sub/deep/b.yml", place: "3:16: image"},
		{name: "include by an override", files: map[string]string{"compose.yaml": "services: {x: {image: x}}\n", "compose.override.yaml": "include: [a.yml]\n", "a.yml": text("core:v1")}, path: "a.yml", place: "3:16: image"},
		{name: "image beside an include", files: map[string]string{"compose.yaml": "include: [a.yml]\nservices:\n  core:\n    image: core:v1\n", "a.yml": "services: {x: {image: x}}"}, place: "4:16: image"},
		{name: "image in an override of what is included", files: map[string]string{"compose.yaml": "include: [a.yml]\n", "a.yml": text("core:v0"), "compose.override.yaml": text("core:v1")}, path: "compose.override.yaml", place: "3:16: image"},
		{name: "extends an included service", files: map[string]string{"compose.yaml": "include: [a.yml]\nservices:\n  core: {extends: worker}\n", "a.yml": "services:\n  worker: {image: core:v1}\n"}, to: both, path: "a.yml", place: "2:23: image of core, worker"},
		{name: "extends a variable file", files: map[string]string{"compose.yaml": "services:\n  core: {extends: {file: \"${F}.yml\", service: base}}\n", "base.yml": "services: {base: {image: core:v1}}", ".env": "F=base"}, refused: "compose.yaml:2:26: service core: its image comes from a file whose name is not plain"},
		{name: "extends a file outside", files: map[string]string{"p/compose.yaml": "services:\n  core: {extends: {file: ../base.yml, service: base}}\n", "base.yml": "services: {base: {image: core:v1}}"}, options: compose.Options{Dir: "p"}, refused: "p/compose.yaml:2:26: service core: its image comes from DIR/base.yml, outside the project directory"},
		{name: "include from outside", files: map[string]string{"p/compose.yaml": "include: [../a.yml]\n", "a.yml": oneService}, options: compose.Options{Dir: "p"}, refused: "p/compose.yaml:1:11: service core: its image comes from DIR/a.yml, outside the project directory"},
		{name: "include with its own .env", files: map[string]string{"compose.yaml": "include: [sub/a.yml]\n", "sub/a.yml": text("core:${TAG}"), "sub/.env": "TAG=v1"}, refused: "sub/.env:1:5: service core: TAG is set in the env file of an include"},
		{name: "include with the .env of its project_directory", files: map[string]string{"compose.yaml": "include: [{path: sub/a.yml, project_directory: other}]\n", "sub/a.yml": text("core:${TAG:-v0}"), "other/.env": "TAG=v1"}, refused: "other/.env:1:5: service core: TAG is set in the env file of an include"},
		{name: "include with an env_file", files: map[string]string{"compose.yaml": "include: [{path: sub/a.yml, env_file: app.env}]\n", "sub/a.yml": text("core:${TAG}"), "sub/.env": "TAG=v0", "app.env": "A=b\nTAG=v1"}, refused: "app.env:2:5: service core: TAG is set in the env file of an include"},
		{name: "included file extends another", files: map[string]string{"compose.yaml": "include: [a.yml]\n", "a.yml": "services:\n  core: {extends: {file: b.yml, service: core}}\n", "b.yml": oneService}, refused: "a.yml:2:26: service core: its image comes by extends from a file that an included file names"},
	}},
	{"several files (-f, override, COMPOSE_FILE)", []row{
		{name: "override", files: with(one("core:v0"), "compose.override.yaml", "services: {core: {image: core:v1}}"), path: "compose.override.yaml", place: "1:30: image"},
		{name: "override of docker-compose.yml", files: map[string]string{"docker-compose.yml": text("core:v0"), "docker-compose.override.yml": text("core:v1")}, path: "docker-compose.override.yml", place: "3:16: image"},
		{name: "override without an image", files: with(one("core:v1"), "compose.override.yaml", "services: {core: {restart: always}}"), place: "3:16: image"},
		{name: "override of what is extended, which is another's", files: map[string]string{"compose.yaml": "services:\n  base: {image: core:v0}\n  core: {extends: base}\n", "compose.override.yaml": "services: {base: {image: core:v9}}"}, old: "core:v0", place: "2:21: image"},
		{name: "override extends its own", files: map[string]string{"compose.yaml": "services:\n  core: {image: core:v0}\n", "compose.override.yaml": "services:\n  worker: {image: core:v1}\n  core: {extends: worker}\n"}, to: both, path: "compose.override.yaml", place: "2:23: image of core, worker"},
		{name: "override takes the image from a merge", files: with(one("core:v0"), "compose.override.yaml", "x-c: &c {image: core:v1}\nservices: {core: {<<: *c}}"), path: "compose.override.yaml", place: "1:21: image"},
		{name: "override with a variable", files: with(with(one("core:v0"), "compose.override.yaml", "services: {core: {image: \"core:${TAG}\"}}"), ".env", "TAG=v1"), path: ".env", old: "v1", new: "v2", place: "1:5: variable TAG"},
		{name: "-f, the last", files: map[string]string{"a.yml": text("core:v0"), "b.yml": text("core:v1"), "c.yml": "services: {core: {restart: always}}"}, options: compose.Options{Files: []string{"a.yml", "b.yml", "c.yml"}}, path: "b.yml", place: "3:16: image"},
		{name: "-f, the other way round", files: map[string]string{"a.yml": text("core:v1"), "b.yml": text("core:v0")}, options: compose.Options{Files: []string{"b.yml", "a.yml"}}, path: "a.yml", place: "3:16: image"},
		{name: "-f, the override is left out", files: map[string]string{"compose.yaml": text("core:v1"), "compose.override.yaml": text("core:v0")}, options: compose.Options{Files: []string{"compose.yaml"}}, place: "3:16: image"},
		{name: "-f, in folders", files: map[string]string{"base.yml": "services: {x: {image: x}}\n", "core/docker/docker-compose.yml": text("core:v1")}, options: compose.Options{Files: []string{"base.yml", "core/docker/docker-compose.yml"}}, path: "core/docker/docker-compose.yml", place: "3:16: image"},
		{name: "-f, from elsewhere", files: map[string]string{"base.yml": text("core:v1"), "p/.env": ""}, options: compose.Options{Dir: "p", Files: []string{"../base.yml"}}, path: "base.yml", place: "3:16: image"},
		{name: "COMPOSE_FILE of .env", files: map[string]string{"a.yml": text("core:v0"), "b.yml": text("core:v1"), "compose.yaml": text("core:v9"), ".env": "COMPOSE_FILE=a.yml:b.yml\n"}, path: "b.yml", place: "3:16: image"},
		{name: "COMPOSE_FILE of the environment", files: map[string]string{"a.yml": text("core:v1"), "b.yml": text("core:v0"), ".env": "COMPOSE_FILE=b.yml\n"}, options: compose.Options{Environ: []string{"COMPOSE_FILE=a.yml"}}, path: "a.yml", place: "3:16: image"},
		{name: "COMPOSE_FILE and COMPOSE_PATH_SEPARATOR", files: map[string]string{"a.yml": text("core:v0"), "b.yml": text("core:v1"), ".env": "COMPOSE_PATH_SEPARATOR=,\nCOMPOSE_FILE=a.yml,b.yml\n"}, path: "b.yml", place: "3:16: image"},
		{name: "COMPOSE_FILE and the version beside it", files: map[string]string{"a.yml": text("core:${TAG:-v0}"), ".env": "COMPOSE_FILE=a.yml\nTAG=v1\n"}, path: ".env", old: "TAG=v1", new: "TAG=v2", place: "2:5: variable TAG"},
		{name: "COMPOSE_FILE depends on the version", files: map[string]string{"v1.yaml": text("core:${TAG}"), ".env": "TAG=v1\nCOMPOSE_FILE=${TAG}.yaml\n"}, refused: ".env:1:5: service core: with it, docker compose would read other files"},
	}},
	{"repo:v${X}-alpine, nested ${A:-$B}, ${X:+y}, $$ in the image", []row{
		{name: "in the middle", files: with(one("core:v${X}-alpine"), ".env", "X=1"), refused: "compose.yaml:3:12: service core: the tag is put together from several parts"},
		{name: "at the end", files: with(one("core:v${X}"), ".env", "X=1"), refused: "compose.yaml:3:12: service core: the tag is put together from several parts"},
		{name: "in front", files: with(one("core:${X}-alpine"), ".env", "X=1"), refused: "compose.yaml:3:12: service core: the tag is put together from several parts"},
		{name: "empty behind a tag", files: one("'core:1${X:-}'"), refused: "compose.yaml:3:12: service core: the tag is put together from several parts"},
		{name: "two variables", files: with(one("core:${A}${B}"), ".env", "A=v\nB=1"), refused: "compose.yaml:3:12: service core: the tag is put together from several parts"},
		{name: "tag and digest apart", files: with(one("core:${A}@${B}"), ".env", "A=v1\nB="+digestA), refused: "compose.yaml:3:12: service core: the tag is put together from several parts"},
		{name: "nested", files: with(one("core:${A:-$B}"), ".env", "B=v1"), refused: "compose.yaml:3:12: service core: a variable's default holds another variable"},
		{name: "nested in braces", files: one("'core:${A:-${B:-v1}}'"), refused: "compose.yaml:3:12: service core: a variable's default holds another variable"},
		{name: "nested in the name", files: one("${REG:-${HOST:-localhost}}/core:v1"), refused: "compose.yaml:3:12: service core: a variable's default holds another variable"},
		{name: "alternative", files: with(one("core:${X:+v1}"), ".env", "X=1"), refused: "compose.yaml:3:12: service core: the image uses a variable in a form that can't be changed safely"},
		{name: "alternative, without colon", files: with(one("core:${X+v1}"), ".env", "X=1"), refused: "compose.yaml:3:12: service core: the image uses a variable in a form that can't be changed safely"},
		{name: "dollars in the name", files: one("co$$re:v1"), refused: "compose.yaml:3:12: service core: the image has $$ in it"},
		{name: "dollars in the tag", files: one("core:$$TAG"), refused: "compose.yaml:3:12: service core: the image has $$ in it"},
	}},
	{"block, folded, multi-line or escaped scalar; anchor on a line of its own; !reset; null; UTF-16; several documents; duplicate keys; two <<", []row{
		{name: "block", files: one("|-\n      core:v1"), refused: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
		{name: "folded", files: one(">-\n      core:v1"), refused: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
		{name: "folded, from an alias", files: file("x-i: &i >-\n  core:v1\nservices:\n  core: {image: *i}\n"), refused: "compose.yaml:1:6: service core: its image is not written plainly on one line"},
		{name: "over lines in double quotes", files: one("\"core\\\n      :v1\""), refused: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
		{name: "over lines in single quotes", files: one("'\n      core:v1'"), refused: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
		{name: "over lines without quotes", files: one("core\n      :v1"), refused: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
		{name: "escaped", files: one(`"core\u003av1"`), refused: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
		{name: "a quote in quotes", files: one("'core:v1'''"), refused: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
		{name: "escaped byte", files: file(`services: {core: {image: "core\x3av1"}}`), refused: "compose.yaml:1:26: service core: its image is not written plainly on one line"},
		{name: "escaped slash in JSON", files: file(`{"services": {"core": {"image": "aegee\/core:v1"}}}`), refused: "compose.yaml:1:33: service core: its image is not written plainly on one line"},
		{name: "tagged", files: one("!!str core:v1"), refused: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
		{name: "anchor on a line of its own", files: one("&i\n      core:v1"), refused: "compose.yaml:3:12: service core: its image is not written plainly on one line"},
		{name: "!reset", files: with(one("core:v1"), "compose.override.yaml", "services:\n  core:\n    build: .\n    image: !reset core:v1\n"), refused: "compose.override.yaml:4:12: service core: !reset changes how files are merged"},
		{name: "!reset null", files: with(one("core:v1\n    build: ."), "compose.override.yaml", "services:\n  core:\n    image: !reset null\n"), refused: "compose.override.yaml:3:12: service core: !reset changes how files are merged"},
		{name: "!override of the image", files: with(one("core:v1"), "compose.override.yaml", "services:\n  core:\n    image: !override core:v1\n"), refused: "compose.override.yaml:3:12: service core: !override changes how files are merged"},
		{name: "!override of the service", files: with(one("core:v1"), "compose.override.yaml", "services:\n  core: !override\n    image: core:v1\n"), refused: "compose.override.yaml:2:9: service core: !override changes how files are merged"},
		{name: "!override of the service, in one file", files: file("services:\n  core: !override\n    image: core:v1\n"), refused: "compose.yaml:2:9: service core: !override changes how files are merged"},
		{name: "!override of all services", files: with(one("core:v1"), "compose.override.yaml", "services: !override\n  core:\n    image: core:v1\n"), refused: "compose.override.yaml:1:11: service core: !override changes how files are merged"},
		{name: "!override of something else", files: with(one("core:v1"), "compose.override.yaml", "services:\n  core:\n    ports: !override [\"80:80\"]\n"), place: "3:16: image"},
		{name: "null", files: with(one("core:v1"), "compose.override.yaml", "services:\n  core:\n    image:\n"), refused: "compose.override.yaml:3:11: service core: its image is not a string"},
		{name: "null, written out", files: with(one("core:v1"), "compose.override.yaml", "services:\n  core:\n    image: ~\n"), refused: "compose.override.yaml:3:12: service core: its image is not a string"},
		{name: "UTF-16 with a byte order mark", files: file(inUTF16("\ufeff" + oneService)), refused: "compose.yaml: it is not UTF-8"},
		{name: "UTF-16 without", files: file(inUTF16(oneService)), refused: "compose.yaml: control characters are not allowed (value: 0)"},
		{name: "Latin-1", files: one("core:v1 # \xe9"), refused: "compose.yaml: it is not UTF-8"},
		{name: "several documents", files: file(oneService + "---\nservices: {x: {image: x}}\n"), refused: "compose.yaml:4:1: service core: the file holds several documents"},
		{name: "several documents, one of them empty of services", files: file("services: {core: {image: core:v1}}\n---\nx-a: 1\n"), refused: "compose.yaml:2:1: service core: the file holds several documents"},
		{name: "image twice", files: file("services:\n  core:\n    image: core:v1\n    image: core:v1\n"), refused: "compose.yaml:4:5: the key image stands there twice"},
		{name: "service twice", files: file("services:\n  core: {image: core:v1}\n  core: {image: core:v1}\n"), refused: "compose.yaml:3:3: the key core stands there twice"},
		{name: "two <<", files: file("x-a: &a {image: core:v1}\nx-b: &b {restart: always}\nservices:\n  core:\n    <<: *a\n    <<: *b\n"), refused: "compose.yaml:6:5: the key << stands there twice"},
	}},
	{"service with build: too", []row{
		{name: "built as well", files: file("services:\n  core:\n    build: .\n    image: core:v1\n"), place: "4:16: image"},
		{name: "built as well, no tag", files: file("services:\n  core: {build: {context: .}, image: core}\n"), old: "image: core", new: "image: core:v2", place: "2:42: image"},
		{name: "built only", files: file("services:\n  core:\n    build: .\n"), refused: "compose.yaml:3:5: service core: it has no image"},
	}},
	{"service missing, or without an image", []row{
		{name: "missing, one is near", files: file("services: {corr: {image: a}, web: {image: b}}"), refused: "service core: no such service; there are corr, web"},
		{name: "in a file that is not read", files: map[string]string{"compose.yaml": "services: {web: {image: b}}", "core.yml": oneService}, refused: "service core: no such service; there are web"},
		{name: "extends one without an image", files: file("services:\n  core: {extends: base}\n  base: {build: .}\n"), refused: "compose.yaml:2:9: service core: it has no image"},
		{name: "disabled by its profile", files: file("services:\n  core:\n    image: core:v1\n    profiles: [debug]\n  x: {image: x}\n"), place: "3:16: image"},
		{name: "disabled by COMPOSE_PROFILES", files: with(file("services:\n  core: {image: \"core:${TAG}\", profiles: [mail, debug]}\n  x: {image: x}\n"), ".env", "COMPOSE_PROFILES=web,api\nTAG=v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "2:5: variable TAG"},
	}},

	// What the semantics say below the table.

	{"a variable is not also set in the environment", []row{
		{name: "set to the same", files: with(one("core:${TAG}"), ".env", "TAG=v1"), options: compose.Options{Environ: []string{"TAG=v1"}}, refused: "compose.yaml:3:12: service core: TAG is set in the environment, which wins over every file"},
		{name: "set to nothing", files: with(one("core:${TAG:-v1}"), ".env", "TAG=v1"), options: compose.Options{Environ: []string{"TAG="}}, refused: "compose.yaml:3:12: service core: TAG is set in the environment, which wins over every file"},
		{name: "another one is", files: with(one("core:${TAG}"), ".env", "TAG=v1"), options: compose.Options{Environ: []string{"TAGS=v0", "tag=v0"}}, path: ".env", old: "v1", new: "v2", place: "1:5: variable TAG"},
	}},
	{"it is assigned exactly once in the last of the env files", []row{
		{name: "twice", files: with(one("core:${TAG}"), ".env", "TAG=v0\nA=1\nTAG=v1\n"), refused: ".env:3:5: service core: TAG is set more than once"},
		{name: "twice, the same", files: with(one("core:${TAG:-v1}"), ".env", "TAG=v1\nexport TAG=v1\n"), refused: ".env:2:12: service core: TAG is set more than once"},
		{name: "once in each, the last wins", files: with(with(one("core:${TAG}"), "a.env", "TAG=v0\n"), "b.env", "TAG=v1\n"), options: compose.Options{EnvFiles: []string{"a.env", "b.env"}}, path: "b.env", old: "v1", new: "v2", place: "1:5: variable TAG"},
		{name: "twice in one that does not count", files: with(with(one("core:${TAG}"), "a.env", "TAG=v8\nTAG=v9\n"), "b.env", "TAG=v1\n"), options: compose.Options{EnvFiles: []string{"a.env", "b.env"}}, path: "b.env", old: "v1", new: "v2", place: "1:5: variable TAG"},
		{name: "not in the last", files: with(with(with(one("core:${TAG}"), "a.env", "TAG=v0\n"), "b.env", "TAG=v1\n"), "c.env", "B=1\n"), options: compose.Options{EnvFiles: []string{"a.env", "b.env", "c.env"}}, path: "b.env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
		{name: "empty in the last", files: with(with(one("core:${TAG:-v1}"), "a.env", "TAG=v0\n"), "b.env", "TAG=\n"), options: compose.Options{EnvFiles: []string{"a.env", "b.env"}}, old: "v1", new: "v2", place: "3:24: default of TAG"},
		{name: "COMPOSE_ENV_FILES", files: with(with(with(one("core:${TAG}"), ".env", "TAG=v8\n"), "a.env", "TAG=v9\n"), "b.env", "TAG=v1\n"), options: compose.Options{Environ: []string{"COMPOSE_ENV_FILES=a.env,b.env"}}, path: "b.env", old: "v1", new: "v2", place: "1:5: variable TAG"},
		{name: "COMPOSE_DISABLE_ENV_FILE", files: with(one("core:${TAG:-v1}"), ".env", "TAG=v9\n"), options: compose.Options{Environ: []string{"COMPOSE_DISABLE_ENV_FILE=true"}}, old: "v1", new: "v2", place: "3:24: default of TAG"},
		{name: "COMPOSE_DISABLE_ENV_FILE, no default", files: with(one("core:${TAG}"), ".env", "TAG=v1\n"), options: compose.Options{Environ: []string{"COMPOSE_DISABLE_ENV_FILE=1"}}, refused: "compose.yaml:3:12: service core: TAG is set nowhere"},
	}},
	{"its value is a plain or simply quoted literal", []row{
		{name: "double quotes, export, comment", files: with(one("core:${TAG}"), ".env", "# TAG=v0\nexport TAG = \"v1\" # TAG=v3\n"), path: ".env", old: `"v1"`, new: `"v2"`, place: "2:15: variable TAG"},
		{name: "single quotes", files: with(one("core:${TAG}"), ".env", "TAG='v1'"), path: ".env", old: "'v1'", new: "'v2'", place: "1:6: variable TAG"},
		{name: "single quotes between others", files: with(one("core:${TAG}"), ".env", "A=1\nexport TAG='v1' # now\nB=1\n"), path: ".env", old: "v1", new: "v2", place: "2:13: variable TAG"},
		{name: "comment", files: with(one("core:${TAG}"), ".env", "TAG=v1   # v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
		{name: "as in YAML", files: with(one("core:${TAG}"), ".env", "TAG: v1\n"), path: ".env", old: "TAG: v1", new: "TAG: v2", place: "1:6: variable TAG"},
		{name: "CRLF, quoted", files: with(one("core:${TAG:?x}"), ".env", "TAG=\"v1\"\r\n"), path: ".env", old: "v1", new: "v2", place: "1:6: variable TAG"},
		{name: "CRLF and byte order mark", files: with(one("core:${TAG}"), ".env", "\ufeffTAG=v1\r\nB=c\r\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
		{name: "accents in front", files: with(one("core:${TAG}"), ".env", "A='grüße 🎉'\nTAG=v1 # é\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "2:5: variable TAG"},
		{name: "quoted lines that look like it", files: with(one("core:${TAG}"), ".env", "TEXT=\"\nTAG=v0\n\"\nTAG=v1\n"), path: ".env", old: "\"\nTAG=v1", new: "\"\nTAG=v2", place: "4:5: variable TAG"},
		{name: "from a variable", files: with(one("core:${TAG}"), ".env", "B=v1\nTAG=${B}\n"), refused: ".env:2:5: service core: TAG is not a plain value"},
		{name: "from a bare variable", files: with(one("core:${TAG}"), ".env", "X=1\nTAG=$X\n"), refused: ".env:2:5: service core: TAG is not a plain value"},
		{name: "from a variable, in quotes", files: with(one("core:${TAG}"), ".env", "X=1\nTAG=\"v$X\"\n"), refused: ".env:2:6: service core: TAG is not a plain value"},
		{name: "escaped", files: with(one("core:${TAG}"), ".env", "TAG=\"v\\1\"\n"), refused: ".env:1:6: service core: TAG is not a plain value"},
		{name: "over lines in quotes", files: with(one("core:${TAG:-v0}"), ".env", "TAG='v1\n'\n"), refused: ".env:1:6: service core: TAG is not a plain value"},
		{name: "a name alone", files: with(one("core:${TAG:-v1}"), ".env", "TAG\n"), refused: ".env:1:1: service core: TAG is not a plain value"},
		{name: "a hash in it", files: with(one("core:${TAG}"), ".env", "TAG=v1#x\n"), refused: ".env:1:5: service core: TAG is not a plain value"},
	}},
	{"every image that uses it is in the plan", []row{
		{name: "another service's is not", files: with(file(two), ".env", "TAG=v1\n"), refused: ".env:1:5: service core: this place also decides the version of worker"},
		{name: "they don't agree", files: with(file(two), ".env", "TAG=v1\n"), to: map[string]string{"core": "v2", "worker": "v3"}, refused: ".env:1:5: service core: this place also decides the version of worker"},
		{name: "another service mixes it in", files: with(file("services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: \"worker:${TAG}-alpine\"}\n"), ".env", "TAG=v1\n"), refused: ".env:1:5: service core: with it, the image of service worker would become worker:v2-alpine"},
		{name: "another variable is made of it", files: with(file("services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: \"${WORKER}\"}\n"), ".env", "TAG=v1\nWORKER=worker:${TAG}\n"), refused: ".env:1:5: service core: with it, the image of service worker would become worker:v2"},
		{name: "a disabled service's is not", files: with(file("services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: \"worker:${TAG}\", profiles: [work]}\n"), ".env", "TAG=v1\n"), refused: ".env:1:5: service core: this place also decides the version of worker"},
		{name: "an included service's is made of it", files: with(with(with(file("include: [sub/b.yml]\n"+text("core:${TAG}")), "sub/b.yml", "services: {w: {image: \"w:${OTHER}\"}}\n"), "sub/.env", "OTHER=${TAG}\n"), ".env", "TAG=v1\n"), refused: ".env:1:5: service core: with it, the image of service w would become w:v2"},
	}},
	{"nothing else changes", []row{
		{name: "its own environment", files: with(file("services:\n  core: {image: 'core:${TAG}', environment: {V: \"${TAG}\"}}\n"), ".env", "TAG=v1\n"), refused: ".env:1:5: service core: with it, more of service core than its image would change"},
		{name: "its label", files: with(one("core:${TAG}\n    labels: {version: \"${TAG}\"}"), ".env", "TAG=v1\n"), refused: ".env:1:5: service core: with it, more of service core than its image would change"},
		{name: "its build arguments, by name", files: with(file("services:\n  core: {image: \"core:${TAG}\", build: {context: ., args: [TAG]}}\n"), ".env", "TAG=v1\n"), refused: ".env:1:5: service core: with it, more of service core than its image would change"},
		{name: "another's environment, by name", files: with(file("services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: w, environment: [TAG]}\n"), ".env", "TAG=v1\n"), refused: ".env:1:5: service core: with it, more of service worker than its image would change"},
		{name: "another's environment, without a value", files: with(file("services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: w, environment: {TAG: }}\n"), ".env", "TAG=v1\n"), refused: ".env:1:5: service core: with it, more of service worker than its image would change"},
		{name: "another's hook, without a value", files: with(file("services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: w, pre_start: [{command: x, environment: {TAG: }}]}\n"), ".env", "TAG=v1\n"), refused: ".env:1:5: service worker: TAG is also in its environment"},
		{name: "another's env_file, the same file", files: with(file("services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: w, env_file: .env}\n"), ".env", "TAG=v1\n"), refused: ".env:1:5: service worker: this file is also its env_file, so its environment would change too"},
		{name: "another's label_file, the same file", files: with(file("services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: w, label_file: .env}\n"), ".env", "TAG=v1\n"), refused: ".env:1:5: service worker: this file is also its label_file"},
		{name: "another's env_file uses it", files: with(with(file("services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: w, env_file: w.env}\n"), "w.env", "VERSION=${TAG:-none}\n"), ".env", "TAG=v1\n"), refused: ".env:1:5: service worker: its env_file DIR/w.env uses TAG"},
		{name: "its own env_file, the same file", files: with(file("services: {core: {image: 'core:${TAG}', env_file: .env}}\n"), ".env", "TAG=v1\n"), path: ".env", old: "v1", new: "v2", place: "1:5: variable TAG"},
		{name: "names that only begin like it", files: with(with(one("core:${TAG}\n    environment: [TAGS]\n    env_file: [app.env]"), "app.env", "A=${TAG_OTHER}\nB='$TAG2'\n"), ".env", "TAG=v1\n"), path: ".env", old: "TAG=v1", new: "TAG=v2", place: "1:5: variable TAG"},
		{name: "a network", files: with(one("core:${TAG}\nnetworks: {default: {name: \"n-${TAG}\"}}"), ".env", "TAG=v1\n"), refused: ".env:1:5: service core: with it, more of the project than its services would change"},
		{name: "a secret", files: with(one("core:${TAG}\nsecrets: {s: {environment: TAG}}"), ".env", "TAG=v1\n"), refused: ".env:1:5: service core: with it, more of the project than its services would change"},
		{name: "the project's name", files: with(file("name: p-${TAG}\n"+text("core:${TAG}")), ".env", "TAG=v1\n"), refused: ".env:1:5: service core: with it, more of the project than its services would change"},
		{name: "COMPOSE_PROJECT_NAME", files: with(one("core:${TAG}"), ".env", "TAG=v1\nCOMPOSE_PROJECT_NAME=p-${TAG}\n"), refused: ".env:1:5: service core: with it, more of the project than its services would change"},
		{name: "COMPOSE_PROFILES", files: with(one("core:${TAG}"), ".env", "TAG=v1\nCOMPOSE_PROFILES=${TAG}\n"), refused: ".env:1:5: service core: with it, more of the project than its services would change"},
	}},
}

const two = "services:\n  core: {image: \"core:${TAG}\"}\n  worker: {image: \"worker:${TAG}\"}\n"

var (
	core = map[string]string{"core": "v2"}
	both = map[string]string{"core": "v2", "worker": "v2"}
)

// text is a compose file of one service.
func text(image string) string { return "services:\n  core:\n    image: " + image + "\n" }

func one(image string) map[string]string { return file(text(image)) }

func file(text string) map[string]string { return map[string]string{"compose.yaml": text} }

func with(files map[string]string, path, text string) map[string]string {
	all := maps.Clone(files)
	all[path] = text
	return all
}

func inUTF16(text string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		b = append(b, byte(unit), byte(unit>>8))
	}
	return string(b)
}

func TestTable(t *testing.T) {
	for _, line := range table {
		t.Run(line.image, func(t *testing.T) {
			for _, row := range line.rows {
				t.Run(row.name, row.defaults().test)
			}
		})
	}
}

func (r row) defaults() row {
	if r.to == nil {
		r.to = core
	}
	if r.path == "" {
		r.path = "compose.yaml"
	}
	if r.old == "" {
		r.old = "core:v1"
	}
	if r.new == "" {
		r.new = "core:v2"
	}
	return r
}

// test has the whole project loaded, and then only the services of the plan.
func (r row) test(t *testing.T) {
	for _, services := range [][]string{nil, slices.Sorted(maps.Keys(r.to))} {
		dir, here := folder(t, r.files), r
		here.options.Services, here.options.Dir = services, filepath.Join(dir, r.options.Dir)
		if r.refused != "" {
			here.refuses(t, dir)
		} else {
			here.changes(t, dir)
		}
	}
}

// changes goes there and back: one span of one file moves, and docker compose then runs the version.
func (r row) changes(t *testing.T, dir string) {
	p := load(t, r.options)
	found := service(t, p, "core")
	if got := where(dir, found); got != r.path+":"+r.place {
		t.Errorf("the version stands in %s, want %s:%s; %s", got, r.path, r.place, found.Refusal)
	}
	want := maps.Clone(r.files)
	if strings.Count(want[r.path], r.old) != 1 {
		t.Fatalf("the row is ambiguous: %q in %q", r.old, want[r.path])
	}
	want[r.path] = strings.Replace(want[r.path], r.old, r.new, 1)

	there, back := r.plan(t, p)
	edit, err := p.Edit(there...)
	if err != nil {
		t.Fatal(err)
	}
	exactly(t, dir, r.files)
	if err := edit.Apply(); err != nil {
		t.Fatal(err)
	}
	exactly(t, dir, want)
	for name, to := range r.to {
		if image, want := images(t, r.options)[name], pin(t, to).Join(service(t, p, name).Repository); image != want {
			t.Errorf("docker compose would run %s as %s, want %s", name, image, want)
		}
	}
	if edit, err = load(t, r.options).Edit(back...); err == nil {
		err = edit.Apply()
	}
	if err != nil {
		t.Fatalf("no way back: %v", err)
	}
	exactly(t, dir, r.files)
}

// refuses wants the place, the reason and a way out, and every file as it was.
func (r row) refuses(t *testing.T, dir string) {
	p, err := compose.Load(context.Background(), r.options)
	if err == nil {
		there, _ := r.plan(t, p)
		var edit *compose.Edit
		if edit, err = p.Edit(there...); err == nil {
			t.Fatalf("not refused: %s", edit.Diff())
		}
	}
	var refusal *compose.Error
	if !errors.As(err, &refusal) || refusal.Hint() == "" {
		t.Errorf("%v: no refusal with a hint", err)
	}
	got := strings.TrimPrefix(strings.ReplaceAll(err.Error(), dir, "DIR"), "DIR")
	if got = strings.TrimLeft(got, "/: "); got != r.refused {
		t.Errorf("got  %s\nwant %s", got, r.refused)
	}
	exactly(t, dir, r.files)
}

// plan is the change there and back.
func (r row) plan(t *testing.T, p *compose.Project) (there, back []compose.Change) {
	pins := map[string]compose.Pin{}
	for _, s := range p.Services() {
		pins[s.Name] = s.Pin
	}
	for _, name := range slices.Sorted(maps.Keys(r.to)) {
		c := compose.Change{Service: name, From: pins[name], To: pin(t, r.to[name])}
		there, back = append(there, c), append(back, c.Inverse())
	}
	return there, back
}

// where is FILE:LINE:COLUMN: what the version is in, and all services if there are several.
func where(dir string, s compose.Service) string {
	text := fmt.Sprintf("%s:%d:%d: %s", strings.TrimPrefix(s.Place.File, dir+"/"), s.Place.Line, s.Place.Column, s.Place.In)
	if len(s.Place.Services) > 1 {
		text += " of " + strings.Join(s.Place.Services, ", ")
	}
	return text
}

// exactly wants these files in a folder, byte for byte, and no others.
func exactly(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	left := maps.Clone(want)
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name := strings.TrimPrefix(path, dir+"/")
		if _, known := want[name]; !known {
			t.Errorf("%s is new", name)
		}
		delete(left, name)
		return nil
	})
	if err != nil || len(left) > 0 {
		t.Errorf("missing: %v, %v", slices.Sorted(maps.Keys(left)), err)
	}
	compare(t, dir, want)
}
