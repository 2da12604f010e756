package semver

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// write fills a folder with files, and gives its path.
func write(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// In these tables « » stand around the version; both are taken out of the file.
var kindTests = []struct {
	name    string
	file    File
	content string
}{
	{"npm", File{Path: "package.json"}, "{\n  \"name\": \"core\",\n  \"dependencies\": {\"version\": \"1.4.2\"},\n  \"version\": \"«1.4.2»\"\n}\n"},
	{"npm, one line", File{Path: "package.json"}, `{"version":"«1.4.2»","private":true}`},
	{"npm, BOM and CRLF", File{Path: "package.json"}, "\ufeff{\r\n\t\"version\" : \"«1.4.2»\"\r\n}\r\n"},
	{"npm, key with escapes", File{Path: "package.json"}, `{"\u0076ersion": "«1.4.2»", "é": "ü"}`},
	{"npm, by key", File{Path: "package.json", Key: "version"}, `{"a": [{"version": "1.4.2"}], "version": "«v1.4.2»"}`},
	{"composer", File{Path: "composer.json"}, `{"require": {"php": "8.1.0"}, "version": "«1.4.2»"}`},
	{"JSON, deep", File{Path: "app.json", Key: "expo.builds.1.version"}, `{"expo": {"builds": [{"version": "1.4.2"}, {"version": "«1.4.2»"}]}}`},
	{"JSON, empty key", File{Path: "a.json", Key: "packages..version"}, `{"packages": {"": {"version": "«1.4.2»"}, "a": {"version": "1.4.2"}}}`},

	{"VERSION", File{Path: "VERSION"}, "«1.4.2»\n"},
	{"VERSION with a v", File{Path: "VERSION"}, "«v1.4.2»\r\n"},
	{"VERSION, no newline", File{Path: "api/VERSION"}, "«1.4.2-rc.1+b»"},
	{"version.txt with a BOM", File{Path: "version.txt"}, "\ufeff «1.4.2»\n\n"},

	{"Cargo", File{Path: "Cargo.toml"}, "[dependencies]\nserde = { version = \"1.4.2\" }\n\n[package]\nname = 'core'\nversion = '«1.4.2»' # 1.4.2\n"},
	{"Cargo, dotted", File{Path: "Cargo.toml"}, "package.name = \"core\"\npackage . \"version\" = \"«1.4.2»\"\n"},
	{"Cargo, inline", File{Path: "Cargo.toml"}, "package = { name = \"core\", version = \"«1.4.2»\" }"},
	{"Cargo, workspace", File{Path: "Cargo.toml"}, "[workspace.package]\r\nversion = \"«1.4.2»\"\r\n"},
	{"Cargo, root of its workspace", File{Path: "Cargo.toml"}, "[package]\nname = \"core\"\nversion.workspace = true\n[workspace.package]\nversion = \"«1.4.2»\"\n"},
	{"Cargo, root, inline", File{Path: "Cargo.toml"}, "[package]\nname = \"core\"\nversion = { workspace = true }\n[workspace.package]\nversion = \"«1.4.2»\"\n"},
	{"Python", File{Path: "pyproject.toml"}, "\ufeff[build-system]\nversion = \"1.4.2\"\n[project]\nname = \"core\"\nversion = \"«1.4.2»\"\n"},
	{"Poetry", File{Path: "pyproject.toml"}, "[tool.poetry]\nversion = \"\"\"«1.4.2»\"\"\"\n[tool.other]\nversion = \"1.4.2\"\n"},
	{"TOML, list of tables", File{Path: "a.toml", Key: "app.1.meta.version"}, "[[app]]\n[app.meta]\nversion = '1.4.2'\n[[app]]\n[app.meta]\nversion = '«1.4.2»'\n"},
	{"TOML, list", File{Path: "a.toml", Key: "versions.1"}, "when = 1979-05-27\nversions = ['1.4.2', '«1.4.2»']\n"},

	{"YAML, plain", File{Path: "Chart.yaml", Key: "version"}, "# 1.4.2\nappVersion: 1.4.2\nversion: «1.4.2» # here\n"},
	{"YAML, quoted", File{Path: "a.yml", Key: "app.0.version"}, "app:\n  - {name: \"é\", version: '«v1.4.2»'}\n"},
	{"YAML, BOM and CRLF", File{Path: "a.yaml", Key: "a.version"}, "\ufeffé: 1\r\na: {version: \"«1.4.2»\"}\r\n"},

	{"Elixir", File{Path: "mix.exs"}, "defmodule Core.MixProject do\n  use Mix.Project\n\n  # version: \"0.0.1\"\n  def project do\n    [\n      app: :core, # it's\n      version: \"«1.4.2»\",\n      deps: deps()\n    ]\n  end\n\n  defp deps, do: [{:a, version: \"1.0.0\"}]\nend\n"},
	{"Elixir, attribute", File{Path: "mix.exs"}, "defmodule Core.MixProject do\n  @moduledoc \"\"\"\n  @version \"0.0.1\"\n  \"\"\"\n  @version \"«1.4.2»\"\n  def project do\n    [version: @version, source: \"#{@version} # no comment\"]\n  end\nend\n"},
	{"Elixir, one line", File{Path: "mix.exs"}, "defmodule A do\n  def project, do: [app: :a, version: \"«1.4.2»\"]\n  def other, do: [version: \"1.0.0\"]\nend"},

	{"regex", File{Path: "main.go", Regex: `const version = "(.*)"`}, "package main\n\nconst version = \"«v1.4.2»\"\n"},
	{"regex, lines", File{Path: "setup.cfg", Regex: `(?m)^version = (\S+)`}, "xversion = 1.4.2\r\nversion = «1.4.2»\r\n"},
}

func TestKinds(t *testing.T) {
	for _, test := range kindTests {
		t.Run(test.name, func(t *testing.T) {
			head, rest, _ := strings.Cut(test.content, "«")
			number, tail, marked := strings.Cut(rest, "»")
			if !marked {
				t.Fatal("no version is marked")
			}
			dir := write(t, map[string]string{test.file.Path: head + number + tail})
			if v, err := test.file.Read(dir); err != nil || v != MustParse(number) {
				t.Fatalf("read %s, %v", v, err)
			}
			to := MustParse("10.20.30-rc.1+b")
			want := head + styled(to, number) + tail
			edits, err := test.file.Edit(dir, to)
			if err != nil || len(edits) != 1 {
				t.Fatalf("%d edits, %v", len(edits), err)
			}
			if got := string(edits[0].After); got != want || edits[0].Path != test.file.Path {
				t.Fatalf("%s:\n%s\nnot\n%s", edits[0].Path, got, want)
			}
			if err := edits[0].Apply(dir); err != nil {
				t.Fatal(err)
			}
			back, err := test.file.Edit(dir, MustParse(number))
			if err != nil || string(back[0].After) != head+number+tail {
				t.Fatalf("back: %v", err)
			}
			if same, err := test.file.Edit(dir, to); err != nil || len(same) != 0 {
				t.Errorf("to the same version: %d edits, %v", len(same), err)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		file          File
		content, want string
	}{
		{File{Path: "package.json"}, `{"name": "core"}`, "package.json:1:1: there is no version"},
		{File{Path: "package.json"}, "{\n  \"é\": 1, \"version\": 2\n}", "package.json:2:22: the version is not a string"},
		{File{Path: "package.json"}, `{"version": {"a": "1.0.0"}}`, "package.json:1:13: the version is not a string"},
		{File{Path: "package.json"}, "{\n\"version\": \"1.0.0\",\n\"version\": \"1.0.0\"}", "package.json:3:13: version stands here for the second time"},
		{File{Path: "a.json", Key: "a.version"}, `{"a": {"version": "1.0.0"}, "a": {}}`, "a.json:1:34: a stands here for the second time"},
		{File{Path: "package.json"}, `{"version": "1.5"}`, `package.json:1:14: "1.5" is not a version: it should look like v1.4.2`},
		{File{Path: "package.json"}, `{"version": "1.\u0035.0"}`, "package.json:1:13: the version is written with escapes or on several lines"},
		{File{Path: "package.json"}, "{\n  \"version\": \"1.0.0\",\n}", "package.json:3:1: invalid character '}' looking for beginning of object key string"},
		{File{Path: "package.json"}, "\ufeff{", "package.json:1:1: unexpected end of JSON input"},
		{File{Path: "VERSION"}, "\n", "VERSION:1:1: there is no version"},
		{File{Path: "VERSION"}, "1.0.0\n2.0.0\n", `VERSION:1:1: "1.0.0\n2.0.0" is not a version: it should look like v1.4.2`},
		{File{Path: "Cargo.toml"}, "[package]\nname = \"a\"\nversion.workspace = true\n", "Cargo.toml:1:1: there is no version"},
		{File{Path: "Cargo.toml"}, "[package]\nversion = 1\n", "Cargo.toml:2:1: the version is not a string"},
		{File{Path: "Cargo.toml"}, "[package]\nversion = '1.0.0'\nversion = '1.0.0'\n", "Cargo.toml:3:1: toml: key version is already defined"},
		{File{Path: "pyproject.toml"}, "[project]\ndynamic = ['version']\n", "pyproject.toml:1:1: there is no version"},
		{File{Path: "pyproject.toml"}, "[project]\nversion = '1.0.0'\n[tool.poetry]\nversion = '1.0.0'\n", "pyproject.toml:4:12: the version stands here and in line 2 column 12"},
		{File{Path: "a.yaml", Key: "version"}, "version: 1.4\n", "a.yaml:1:10: the version is not a string"},
		{File{Path: "a.yaml", Key: "version"}, "v: &v 1.4.2\nversion: *v\n", "a.yaml:2:10: the version is not a string"},
		{File{Path: "a.yaml", Key: "version"}, "version: &v 1.4.2\n", "a.yaml:1:10: the version is written with escapes or on several lines"},
		{File{Path: "a.yaml", Key: "version"}, "version: 1.4.2\nversion: 1.4.2\n", "a.yaml:2:10: version stands here for the second time"},
		{File{Path: "a.yaml", Key: "version"}, "version: 1.4.2\n---\nversion: 1.4.2\n", "a.yaml:2:1: the file holds several documents"},
		{File{Path: "a.yaml", Key: "version"}, "", "a.yaml:1:1: there is no version"},
		{File{Path: "a.yaml", Key: "version"}, "a: 1\nb: [\n", "a.yaml:3:1: did not find expected node content"},
		{File{Path: "mix.exs"}, "defmodule A do\n  def project do\n    [version: git(), docs: [a: 1]]\n  end\nend\n", "mix.exs:1:1: there is no version"},
		{File{Path: "mix.exs"}, "@version \"1.0.0\"\n@version \"1.0.1\"\n", "mix.exs:2:11: the version stands here and in line 1 column 11"},
		{File{Path: "a.go", Regex: `"(\d.*)"`}, "\"1.0.0\"\n\"1.0.0\"\n", "a.go:2:2: the version stands here and in line 1 column 2"},
		{File{Path: "a.go", Regex: `v=(.*)`}, "", "a.go:1:1: there is no version"},
	}
	for _, test := range tests {
		dir := write(t, map[string]string{test.file.Path: test.content})
		_, readErr := test.file.Read(dir)
		edits, err := test.file.Edit(dir, MustParse("9.9.9"))
		if message(err) != test.want || message(readErr) != test.want || len(edits) > 0 {
			t.Errorf("%q:\n%v\n%v\nnot\n%s", test.content, readErr, err, test.want)
		}
		var place *Error
		if !errors.As(err, &place) || place.Hint() == "" && errors.Is(err, ErrNoVersion) {
			t.Errorf("%v has no advice", err)
		}
	}
}

func TestMisused(t *testing.T) {
	dir := write(t, map[string]string{"a.go": `v=1.0.0`, "VERSION": "1.0.0"})
	tests := map[string]File{
		"a.go: it is not known where a file of this name holds its version":              {Path: "a.go"},
		"a.go: a key needs a file whose name ends in .json, .toml, .yaml or .yml":        {Path: "a.go", Key: "v"},
		"a.go: key and regex exclude each other":                                         {Path: "a.go", Key: "v", Regex: "v=(.*)"},
		`a.go: "v=.*" must have one capture group, which is the version: version = (.*)`: {Path: "a.go", Regex: "v=.*"},
		"a.go: error parsing regexp: missing closing ): `(`":                             {Path: "a.go", Regex: "("},
	}
	for want, file := range tests {
		if _, err := file.Read(dir); message(err) != want {
			t.Errorf("%v\nnot\n%s", err, want)
		}
	}
	if _, err := (File{Path: "no/VERSION"}).Read(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := (File{Path: "VERSION"}).Edit(dir, Version{}); message(err) != "VERSION: there is no version to write" {
		t.Errorf("zero version: %v", err)
	}
	// A new version that the expression can't find again would be a dead end.
	if _, err := (File{Path: "a.go", Regex: `v=([\d.]+)$`}).Edit(dir, MustParse("1.0.0-rc.1")); err == nil {
		t.Error("an edit that can't be read back was given out")
	}
}

// companionTests hold files as they are; a 1.4.2 in « » shall change, any other not.
var companionTests = []struct {
	name  string
	file  File
	files map[string]string
}{
	{"npm 7", File{Path: "package.json"}, map[string]string{
		"package.json":        `{"version": "«1.4.2»"}`,
		"package-lock.json":   "{\r\n \"version\": \"«1.4.2»\", \"packages\": {\"\": {\"version\": \"«1.4.2»\"}, \"node_modules/a\": {\"version\": \"1.4.2\"}}}",
		"npm-shrinkwrap.json": `{"version": "«1.4.2»", "dependencies": {"a": {"version": "1.4.2"}}}`,
	}},
	{"npm, by key", File{Path: "web/package.json", Key: "version"}, map[string]string{
		"web/package.json":      `{"version": "«1.4.2»"}`,
		"web/package-lock.json": `{"packages": {"": {"version": "«1.4.2»"}}}`,
		"package-lock.json":     `{"version": "1.4.2"}`,
	}},
	{"npm, lock without a version", File{Path: "package.json"}, map[string]string{
		"package.json":      `{"version": "«1.4.2»"}`,
		"package-lock.json": `{"lockfileVersion": 3, "packages": {"": {}}}`,
	}},
	{"npm, another key", File{Path: "package.json", Key: "config.version"}, map[string]string{
		"package.json":      `{"version": "1.4.2", "config": {"version": "«1.4.2»"}}`,
		"package-lock.json": `{"version": "1.4.2"}`,
	}},
	{"Cargo", File{Path: "Cargo.toml"}, map[string]string{
		"Cargo.toml": "[package]\nname = \"core\"\nversion = \"«1.4.2»\"\n",
		"Cargo.lock": "version = 4\n\n[[package]]\nname = \"other\"\nversion = \"1.4.2\"\n\n[[package]]\nname = \"core\"\nversion = \"1.4.2\"\nsource = \"registry\"\n\n" +
			"[[package]]\nname = \"core\"\nversion = \"«1.4.2»\"\n",
	}},
	{"Cargo, lock above", File{Path: "crates/core/Cargo.toml"}, map[string]string{
		"crates/core/Cargo.toml": "[package]\nname = \"core\"\nversion = \"«1.4.2»\"\n",
		"Cargo.lock":             "[[package]]\nname = \"core\"\nversion = \"«1.4.2»\"\n",
	}},
	{"Cargo, workspace", File{Path: "Cargo.toml"}, map[string]string{
		"Cargo.toml":          "[workspace]\nmembers = [\"crates/*\"]\n[workspace.package]\nversion = \"«1.4.2»\"\n",
		"crates/a/Cargo.toml": "[package]\nname = \"a\"\nversion.workspace = true\n",
		"crates/b/Cargo.toml": "[package]\nname = \"b\"\nversion = \"1.4.2\"\n",
		"Cargo.lock":          "[[package]]\nname = \"a\"\nversion = \"«1.4.2»\"\n\n[[package]]\nname = \"b\"\nversion = \"1.4.2\"\n",
	}},
	{"Cargo, not in the lock", File{Path: "Cargo.toml"}, map[string]string{
		"Cargo.toml": "[package]\nname = \"core\"\nversion = \"«1.4.2»\"\n",
		"Cargo.lock": "version = 4\n",
	}},
}

func TestCompanions(t *testing.T) {
	marks := strings.NewReplacer("«", "", "»", "")
	for _, test := range companionTests {
		t.Run(test.name, func(t *testing.T) {
			files, want := map[string]string{}, map[string]string{}
			for name, content := range test.files {
				files[name] = marks.Replace(content)
				want[name] = marks.Replace(strings.ReplaceAll(content, "«1.4.2»", "2.0.0"))
			}
			dir := write(t, files)
			edits, err := test.file.Edit(dir, MustParse("v2.0.0"))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range edits {
				if err := e.Apply(dir); err != nil {
					t.Fatal(err)
				}
			}
			for name := range files {
				got, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil || string(got) != want[name] {
					t.Errorf("%s, %v:\n%s\nnot\n%s", name, err, got, want[name])
				}
			}
		})
	}
}

func TestBrokenCompanion(t *testing.T) {
	dir := write(t, map[string]string{"package.json": `{"version": "1.4.2"}`, "package-lock.json": "{\n<<<<<<< HEAD\n"})
	edits, err := File{Path: "package.json"}.Edit(dir, MustParse("2.0.0"))
	want := "package-lock.json:2:1: invalid character '<' looking for beginning of object key string"
	if message(err) != want || len(edits) > 0 {
		t.Errorf("%d edits, %v", len(edits), err)
	}
}

func TestDetect(t *testing.T) {
	all := map[string]string{
		"version.txt": "1.0.0", "VERSION": "v1.0.0\n", "composer.json": `{"version": "1.0.0"}`,
		"pyproject.toml": "[project]\nversion = '1.0.0'", "mix.exs": `@version "1.0.0"`,
		"Cargo.toml": "[package]\nversion = '1.0.0'", "package.json": `{"version": "1.0.0"}`, "go.mod": "module a",
	}
	tests := []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"all", all, []string{"package.json", "Cargo.toml", "mix.exs", "pyproject.toml", "composer.json", "VERSION", "version.txt"}},
		{"none", nil, nil},
		{"no version", map[string]string{"package.json": `{"private": true}`, "VERSION": "1.0.0"}, []string{"VERSION"}},
		{"not SemVer", map[string]string{"pyproject.toml": "[project]\nversion = '1.0.0a1'"}, nil},
		{"a folder", map[string]string{"VERSION/a": "1.0.0"}, nil},
	}
	for _, test := range tests {
		found, err := Detect(write(t, test.files))
		var paths []string
		for _, f := range found {
			paths = append(paths, f.Path)
		}
		if err != nil || !slices.Equal(paths, test.want) {
			t.Errorf("%s: %v, %v", test.name, paths, err)
		}
	}
	_, err := Detect(write(t, map[string]string{"package.json": "{", "VERSION": "1.0.0"}))
	if err == nil || errors.Is(err, ErrNoVersion) {
		t.Errorf("a broken file: %v", err)
	}
}

// FuzzEdit edits what can be edited to another version and back. The oracle knows nothing of formats:
// one run of bytes holds the old version before and the new one after, and all else is equal.
func FuzzEdit(f *testing.F) {
	for i, test := range kindTests {
		f.Add(uint8(i), strings.NewReplacer("«", "", "»", "").Replace(test.content))
	}
	f.Fuzz(func(t *testing.T, i uint8, content string) {
		file, before := kindTests[int(i)%len(kindTests)].file, []byte(content)
		k, err := file.kind()
		if err != nil {
			t.Fatal(err)
		}
		d := &document{file.Path, before}
		places, err := k.find(d)
		if err != nil {
			return
		}
		from, err := d.one(places, "")
		if err != nil {
			return
		}
		to := MustParse("97.98.99")
		e, err := d.edit(k.find, to)
		if err != nil {
			return
		}
		s := places[0]
		if !bytes.Equal(e.After, slices.Concat(before[:s.start], []byte(styled(to, s.text)), before[s.end:])) {
			t.Fatalf("%q became %q", before, e.After)
		}
		back, err := (&document{file.Path, e.After}).edit(k.find, from)
		if err != nil || !bytes.Equal(back.After, before) {
			t.Fatalf("%q came back as %q, %v", before, back.After, err)
		}
	})
}

func ExampleFile_Edit() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := File{Path: "VERSION"}
	err = os.WriteFile(filepath.Join(dir, file.Path), []byte("1.4.2\n"), 0o644)
	if err != nil {
		fmt.Println(err)
		return
	}
	v, err := file.Read(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	edits, err := file.Edit(dir, v.Bump(Minor))
	for _, e := range edits {
		fmt.Printf("%s: %q → %q, %v\n", e.Path, e.Before, e.After, e.Apply(dir))
	}
	fmt.Println(err)
	// Output:
	// VERSION: "1.4.2\n" → "1.5.0\n", <nil>
	// <nil>
}
