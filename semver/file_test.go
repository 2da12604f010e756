package semver

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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
type kindTest struct {
	name    string
	file    File
	content string
}

var kindTests = []kindTest{
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

	{"YAML, plain", File{Path: "a.yaml", Key: "version"}, "# 1.4.2\nappVersion: 1.4.2\nversion: «1.4.2» # here\n"},
	{"YAML, quoted", File{Path: "a.yml", Key: "app.0.version"}, "app:\n  - {name: \"é\", version: '«v1.4.2»'}\n"},
	{"YAML, BOM and CRLF", File{Path: "a.yaml", Key: "a.version"}, "\ufeffé: 1\r\na: {version: \"«1.4.2»\"}\r\n"},

	{"Elixir", File{Path: "mix.exs"}, "defmodule Core.MixProject do\n  use Mix.Project\n\n  # version: \"0.0.1\"\n  def project do\n    [\n      app: :core, # it's é\n      version: \"«1.4.2»\",\n      deps: deps()\n    ]\n  end\n\n  defp deps, do: [{:a, version: \"1.0.0\"}]\nend\n"},
	{"Elixir, attribute", File{Path: "mix.exs"}, "defmodule Core.MixProject do\n  @moduledoc \"\"\"\n  @version \"0.0.1\"\n  \"\"\"\n  @version \"«1.4.2»\"\n  def project do\n    [version: @version, source: \"#{@version} # no comment\"]\n  end\nend\n"},
	{"Elixir, one line", File{Path: "mix.exs"}, "defmodule A do\n  def project, do: [app: :a, version: \"«1.4.2»\"]\n  def other, do: [version: \"1.0.0\"]\nend"},

	{"setup.cfg", File{Path: "setup.cfg"}, "\ufeff[bumpversion]\ncurrent_version = 1.4.2\nversion = 1.4.2\n\n[metadata]\nname = core\n# version = 0.0.1\n; version = 0.0.2\nlong_description =\n    Core\n    version = 0.0.3\nVersion:\t«1.4.2»  \n\n[options]\ninstall_requires =\n    a==1.4.2\n"},
	{"setup.cfg, CRLF, no final newline", File{Path: "setup.cfg"}, "[metadata]\r\nname=core\r\nversion=«1.4.2»"},

	{"Maven", File{Path: "pom.xml"}, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  <modelVersion>4.0.0</modelVersion>\n  <parent>\n    <artifactId>spring-boot-starter-parent</artifactId>\n    <version>1.4.2</version>\n  </parent>\n  <artifactId>core</artifactId>\n  <!-- <version>1.4.2</version> -->\n  <version>«1.4.2-SNAPSHOT»</version>\n  <properties><version>1.4.2</version></properties>\n  <dependencies><dependency><version>1.4.2</version></dependency></dependencies>\n</project>\n"},
	{"Maven, blanks, CRLF and another encoding", File{Path: "pom.xml"}, "<?xml version='1.0' encoding='ISO-8859-1'?>\r\n<!DOCTYPE project>\r\n<m:project xmlns:m='a'>\r\n\t<m:name>caf\xe9 &amp; co</m:name>\r\n\t<m:version >\r\n\t\t«1.4.2»\r\n\t</m:version>\r\n</m:project>"},
	{"Maven, property", File{Path: "api/pom.xml"}, "\ufeff<project><version>${revision}</version><build><properties><revision>1.4.2</revision></properties></build><properties><changelist/><revision>«1.4.2»</revision></properties></project>"},
	{"XML, by key", File{Path: "a.xml", Key: "widget.version"}, "<widget version=\"1.4.2\"><name>é</name><version>«v1.4.2»</version></widget>\n"},

	{"Gradle", File{Path: "build.gradle"}, "plugins {\n\tid 'java'\n\tid 'org.springframework.boot' version '1.4.2'\n}\n\n// version = '0.0.1'\n/* {\nversion = '0.0.2'\n*/\ngroup = 'org.example {'\nversion = '«1.4.2»' // 1.4.2\n\ndef version = '1.4.2'\next {\n\tversion = '1.4.2'\n}\ndependencies {\n\timplementation 'a:b:1.4.2'\n\timplementation group: 'a',\n\t\tversion: '1.4.2'\n}\n"},
	{"Gradle, a call", File{Path: "build.gradle"}, "\ufeffversion \"«1.4.2»\"; group 'a'\r\nallprojects {\r\n\tversion \"1.4.2\"\r\n}\r\n"},
	{"Gradle in Kotlin", File{Path: "build.gradle.kts"}, "plugins {\n    kotlin(\"jvm\") version \"1.4.2\"\n}\n\nval note = \"\"\"\nversion = \"0.0.1\"\n{ \"\"\"\nproject.version=\"«1.4.2»\";\ntasks.jar {\n    version = \"1.4.2\"\n}"},
	{"Gradle properties", File{Path: "gradle.properties"}, "# version=0.0.1\n! version=0.0.2\nkotlin.version=1.4.2\nversionCode=1\nargs=-a \\\n  version=0.0.3\npath=C:\\\\\n version = «1.4.2»\t\n"},
	{"Gradle properties, colon and CRLF", File{Path: "gradle.properties"}, "group:a\r\nversion:«1.4.2»\r\n"},
	{"properties, by key", File{Path: "app.properties", Key: "app.version"}, "app.name core\napp.version «v1.4.2»"},

	{".NET", File{Path: "Core.csproj"}, "\ufeff<Project Sdk=\"Microsoft.NET.Sdk\">\r\n  <PropertyGroup>\r\n    <TargetFramework>net8.0</TargetFramework>\r\n    <!-- <Version>1.4.2</Version> -->\r\n    <AssemblyVersion>1.4.2</AssemblyVersion>\r\n  </PropertyGroup>\r\n  <PropertyGroup>\r\n    <VersionPrefix>1.4.2</VersionPrefix>\r\n    <Version>«1.4.2»</Version>\r\n  </PropertyGroup>\r\n  <ItemGroup>\r\n    <PackageReference Include=\"A\" Version=\"1.4.2\"/>\r\n    <PackageReference Include=\"B\"><Version>1.4.2</Version></PackageReference>\r\n  </ItemGroup>\r\n</Project>"},
	{".NET, common", File{Path: "Directory.Build.props"}, "<Project><PropertyGroup><VersionPrefix>«1.4.2»</VersionPrefix></PropertyGroup><Target><PropertyGroup><Version>1.4.2</Version></PropertyGroup></Target></Project>\n"},

	{"Ruby", File{Path: "lib/core/version.rb"}, "# frozen_string_literal: true\n\n=begin\nVERSION = \"0.0.1\"\n=end\nmodule Core\n  # VERSION = \"0.0.2\"\n  API_VERSION = \"1.4.2\"\n\tVERSION = \"«1.4.2»\".freeze # it's 1.4.2\nend\n"},
	{"Ruby, prerelease", File{Path: "lib/version.rb"}, "module Core; end\r\nCore::VERSION='«1.4.2.rc.1»' unless defined? Core::VERSION"},
	{"gemspec", File{Path: "core.gemspec"}, "Gem::Specification.new do |spec|\n  # spec.version = '0.0.1'\n  spec.name = \"core\"\n  spec.version     = '«1.4.2»'\n  spec.summary = \"It's # 1.4.2\"\n  spec.required_ruby_version = \">= 3.1.0\"\n  spec.add_dependency \"a\", \"1.4.2\"\nend\n"},

	{"Go", File{Path: "internal/version/version.go"}, "// Package version: const Version = \"0.0.1\"\npackage version\n\nimport \"fmt\"\n\nconst (\n\tName, Version = \"1.4.2\", `«v1.4.2»` // é\n\tAPI = \"1.4.2\"\n)\n\nfunc f() { const Version = \"1.4.2\"; fmt.Println(Version) }\n"},
	{"Go, variable, BOM and CRLF", File{Path: "version.go"}, "\ufeffpackage main\r\n\r\n//line other.go:1\r\nvar version string = \"«1.4.2»\""},

	{"Helm", File{Path: "Chart.yaml"}, "apiVersion: v2\nname: core\n# version: 0.0.1\nversion: «1.4.2»\nappVersion: \"«v1.4.2»\"\ndependencies:\n  - name: a\n    version: 1.4.2\n"},
	{"Helm, another application", File{Path: "Chart.yaml"}, "version: «1.4.2»\r\nappVersion: 1.4.3\r\n"},
	{"Helm, by key", File{Path: "Chart.yaml", Key: "version"}, "version: «1.4.2»\nappVersion: 1.4.2"},

	{"regex", File{Path: "main.go", Regex: `const version = "(.*)"`}, "package main\n\nconst version = \"«v1.4.2»\"\n"},
	{"regex, lines", File{Path: "setup.cfg", Regex: `(?m)^version = (\S+)`}, "xversion = 1.4.2\r\nversion = «1.4.2»\r\n"},
}

var versionMark = regexp.MustCompile("«([^»]*)»")

// unmarked is a file without the marks.
func unmarked(content string) string { return versionMark.ReplaceAllString(content, "$1") }

// with is the file with another version in its marks.
func (test kindTest) with(to Version) string {
	return versionMark.ReplaceAllStringFunc(test.content, func(mark string) string {
		switch ext := filepath.Ext(test.file.Path); {
		case ext == ".rb" || ext == ".gemspec":
			return strings.Replace(to.Number(), "-", ".", 1)
		case strings.HasPrefix(mark, "«v"):
			return to.String()
		}
		return to.Number()
	})
}

func TestKinds(t *testing.T) {
	for _, test := range kindTests {
		t.Run(test.name, func(t *testing.T) {
			if !versionMark.MatchString(test.content) {
				t.Fatal("no version is marked")
			}
			dir := write(t, map[string]string{test.file.Path: unmarked(test.content)})
			from, err := test.file.Read(dir)
			if err != nil || test.with(from) != unmarked(test.content) {
				t.Fatalf("read %s, %v", from, err)
			}
			for _, number := range []string{"10.20.30", "0.0.1-rc.1"} {
				to := MustParse(number)
				want := test.with(to)
				if edits := applied(t, test.file, dir, to); len(edits) != 1 || string(edits[0].After) != want || edits[0].Path != test.file.Path {
					t.Fatalf("%d edits\n%s\nnot\n%s", len(edits), edits, want)
				}
				if same, err := test.file.Edit(dir, to); err != nil || len(same) != 0 {
					t.Errorf("to the same version: %d edits, %v", len(same), err)
				}
			}
			if back := applied(t, test.file, dir, from); string(back[0].After) != unmarked(test.content) {
				t.Fatalf("back:\n%s", back)
			}
		})
	}
}

func applied(t *testing.T, f File, dir string, to Version) Edits {
	t.Helper()
	edits, err := f.Edit(dir, to)
	if err == nil {
		err = edits.Apply(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	return edits
}

// Every kind that is known by its name stands in the table.
func TestEveryKind(t *testing.T) {
	for _, k := range kinds {
		if !slices.ContainsFunc(kindTests, func(test kindTest) bool {
			named, err := File{Path: test.file.Path}.named()
			return err == nil && named.name == k.name && test.file.String() == test.file.Path
		}) {
			t.Errorf("no test has a %s", k.name)
		}
	}
	for _, page := range []string{"doc.go", "../docs/versions.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range kinds {
			if !strings.Contains(string(text), k.name) {
				t.Errorf("%s does not name %s", page, k.name)
			}
		}
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
		{File{Path: "pyproject.toml"}, "[project]\nversion = '1.5.0rc1'\n", `pyproject.toml:2:12: "1.5.0rc1" is not a version: it should look like v1.4.2`},
		{File{Path: "pyproject.toml"}, "[project]\nversion = '1.5.0-next.1'\n", "pyproject.toml:2:12: Python has no prerelease such as 1.5.0-next.1"},
		{File{Path: "setup.cfg"}, "[metadata]\nname = core\n[options]\nversion = 1.4.2\n", "setup.cfg:1:1: there is no version"},
		{File{Path: "setup.cfg"}, "[metadata]\nversion = attr: core.__version__\n", "setup.cfg:2:11: the version is in another file: attr: core.__version__"},
		{File{Path: "setup.cfg"}, "[metadata]\nversion = file: VERSION\n", "setup.cfg:2:11: the version is in another file: file: VERSION"},
		{File{Path: "setup.cfg"}, "[metadata]\nversion = 1.4.2\nVersion: 1.4.2\n", "setup.cfg:3:10: metadata.version stands here for the second time"},
		{File{Path: "setup.cfg"}, "[metadata]\nversion = 1.4.2 # here\n", `setup.cfg:2:11: "1.4.2 # here" is not a version: it should look like v1.4.2`},
		{File{Path: "gradle.properties"}, "version=1.4.2\nversion 1.4.3", "gradle.properties:2:9: version stands here for the second time"},
		{File{Path: "pom.xml"}, "<project><parent><version>1.4.2</version></parent></project>", "pom.xml:1:1: there is no version"},
		{File{Path: "pom.xml"}, "<project>\n<version>${revision}</version>\n<parent><properties><revision>1.4.2</revision></properties></parent></project>", "pom.xml:2:10: the version is ${revision}, and this file has no such property"},
		{File{Path: "pom.xml"}, "<project><version>${revision}${changelist}</version></project>", "pom.xml:1:19: the version is put together: ${revision}${changelist}"},
		{File{Path: "pom.xml"}, "<project><version>1.4.2</version>\n<version>1.4.2</version></project>", "pom.xml:2:10: project.version stands here for the second time"},
		{File{Path: "pom.xml"}, "<project><version>1.4<!-- here -->.2</version></project>", "pom.xml:1:19: the version is written with escapes or on several lines"},
		{File{Path: "pom.xml"}, "<project><version><![CDATA[1.4.2]]></version></project>", "pom.xml:1:19: the version is written with escapes or on several lines"},
		{File{Path: "pom.xml"}, "<project><version><a/></version></project>", "pom.xml:1:19: the version is not a string"},
		{File{Path: "pom.xml"}, "<project>\n<version>1.4.2</wersion></project>", "pom.xml:2:25: element <version> closed by </wersion>"},
		{File{Path: "pom.xml"}, "<project>\n", "pom.xml:2:1: unexpected EOF"},
		{File{Path: "pom.xml"}, "", "pom.xml:1:1: there is no version"},
		{File{Path: "build.gradle"}, "allprojects {\n  version = '1.4.2'\n}\n", "build.gradle:1:1: there is no version"},
		{File{Path: "build.gradle"}, "version = '1.4.2' + suffix\n", "build.gradle:1:1: there is no version"},
		{File{Path: "build.gradle"}, "version = \"1.4.$patch\"\n", `build.gradle:1:12: "1.4.$patch" is not a version: it should look like v1.4.2`},
		{File{Path: "build.gradle"}, "version = '1.4.2'\nversion = '1.4.2'\n", "build.gradle:2:12: the version stands here and in line 1 column 12"},
		{File{Path: "a.csproj"}, "<Project><PropertyGroup Condition=\"a\"><Version>1.4.2</Version></PropertyGroup>\n<PropertyGroup><Version>1.4.2</Version></PropertyGroup></Project>", "a.csproj:2:25: the version stands here and in line 1 column 48"},
		{File{Path: "a.csproj"}, "<Project><PropertyGroup><VersionPrefix>1.4.2</VersionPrefix><VersionSuffix>rc</VersionSuffix></PropertyGroup></Project>", "a.csproj:1:76: the version is put together of VersionPrefix and VersionSuffix"},
		{File{Path: "a.csproj"}, "<Project><ItemGroup><Version>1.4.2</Version></ItemGroup></Project>", "a.csproj:1:1: there is no version"},
		{File{Path: "version.rb"}, "VERSION = [1, 4, 2].join('.')\n", "version.rb:1:1: there is no version"},
		{File{Path: "version.rb"}, "  VERSION = '1.5.0-rc.1'\n", `version.rb:1:14: "1.5.0-rc.1" is not a version of a gem`},
		{File{Path: "version.rb"}, "VERSION = '1.4.2.1'\n", `version.rb:1:12: "1.4.2.1" is not a version: it should look like v1.4.2`},
		{File{Path: "a.gemspec"}, "Gem::Specification.new { |s| s.version = A::VERSION }\n", "a.gemspec:1:1: there is no version"},
		{File{Path: "version.go"}, "package a\n\nvar Version = \"dev\"\n", `version.go:3:16: "dev" is not a version: it should look like v1.4.2`},
		{File{Path: "version.go"}, "package a\n\nconst Version = \"1.4.\\x32\"\n", "version.go:3:17: the version is written with escapes or on several lines"},
		{File{Path: "version.go"}, "package a\nconst Version = \"1.4.2\"\nvar version = \"1.4.2\"\n", "version.go:3:16: the version stands here and in line 2 column 18"},
		{File{Path: "version.go"}, "package a\nconst Version = Prefix + \"1.4.2\"\n", "version.go:1:1: there is no version"},
		{File{Path: "version.go"}, "package a\nconst Version := \"1.4.2\"\n", "version.go:2:15: expected ';', found ':='"},

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
		"a.go: it is not known where a file of this name holds its version":                                    {Path: "a.go"},
		"a.go: a key needs a file whose name ends in .cfg, .ini, .json, .properties, .toml, .xml, .yaml, .yml": {Path: "a.go", Key: "v"},
		"a.go: key and regex exclude each other":                                                               {Path: "a.go", Key: "v", Regex: "v=(.*)"},
		`a.go: "v=.*" must have one capture group, which is the version: version = (.*)`:                       {Path: "a.go", Regex: "v=.*"},
		"a.go: error parsing regexp: missing closing ): `(`":                                                   {Path: "a.go", Regex: "("},
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

// A version that would meet another one could not be told apart from it on the way back.
func TestMeeting(t *testing.T) {
	dir := write(t, map[string]string{"Chart.yaml": "version: 1.4.2\nappVersion: 9.9.9\n"})
	edits, err := File{Path: "Chart.yaml"}.Edit(dir, MustParse("9.9.9"))
	if message(err) != "Chart.yaml:2:13: the new version stands here already, and would change with the others from now on" || len(edits) > 0 {
		t.Errorf("%d edits, %v", len(edits), err)
	}
	if edits, err := (File{Path: "Chart.yaml", Key: "version"}).Edit(dir, MustParse("9.9.9")); err != nil || len(edits) != 1 {
		t.Errorf("by key: %d edits, %v", len(edits), err)
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
	{"npm, workspace", File{Path: "packages/a/package.json"}, map[string]string{
		"package.json":            `{"version": "1.4.2", "workspaces": ["packages/*"]}`,
		"package-lock.json":       `{"version": "1.4.2", "packages": {"": {"version": "1.4.2"}, "node_modules/a": {"resolved": "packages/a", "link": true}, "packages/a": {"version": "«1.4.2»"}}}`,
		"packages/a/package.json": `{"version": "«1.4.2»"}`,
	}},
	{"locks without a version of the project", File{Path: "package.json"}, map[string]string{
		"package.json":   `{"name": "core", "version": "«1.4.2»"}`,
		"pnpm-lock.yaml": "lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies:\n      core: {specifier: 1.4.2, version: 1.4.2}\n",
		"yarn.lock":      "core@1.4.2:\n  version \"1.4.2\"\n\n\"core@workspace:.\":\n  version: 0.0.0-use.local\n",
		"bun.lock":       "{\n  \"workspaces\": {\"\": {\"name\": \"core\"}},\n}\n",
	}},
	{"composer.lock", File{Path: "composer.json"}, map[string]string{
		"composer.json": `{"name": "a/core", "version": "«1.4.2»"}`,
		"composer.lock": `{"packages": [{"name": "a/core", "version": "1.4.2"}]}`,
	}},
	{"mix.lock", File{Path: "mix.exs"}, map[string]string{
		"mix.exs":  "def project, do: [app: :core, version: \"«1.4.2»\"]\n",
		"mix.lock": "%{\n  \"core\": {:hex, :core, \"1.4.2\", \"c0ffee\"},\n}\n",
	}},
	{"poetry.lock", File{Path: "pyproject.toml"}, map[string]string{
		"pyproject.toml": "[tool.poetry]\nname = \"core\"\nversion = \"«1.4.2»\"\n",
		"poetry.lock":    "[[package]]\nname = \"core\"\nversion = \"1.4.2\"\n",
		"pdm.lock":       "[[package]]\nname = \"core\"\nversion = \"1.4.2\"\n",
	}},
	{"uv", File{Path: "pyproject.toml"}, map[string]string{
		"pyproject.toml": "[project]\nname = \"core\"\nversion = \"«1.4.2»\"\n",
		"uv.lock": "version = 1\nrequires-python = \">=3.12\"\n\n[[package]]\nname = \"a\"\nversion = \"1.4.2\"\nsource = { registry = \"https://pypi.org/simple\" }\n\n" +
			"[[package]]\nname = \"core\"\nversion = \"«1.4.2»\"\nsource = { editable = \".\" }\ndependencies = [\n    { name = \"a\" },\n]\n\n" +
			"[[package]]\nname = \"other\"\nversion = \"1.4.2\"\nsource = { editable = \"other\" }\n",
	}},
	{"uv, by key", File{Path: "pyproject.toml", Key: "project.version"}, map[string]string{
		"pyproject.toml": "[project]\nversion = \"«1.4.2»\"\n[tool.poetry]\nversion = \"1.4.2\"\n",
		"uv.lock":        "[[package]]\nname = \"core\"\nversion = \"«1.4.2»\"\nsource = { virtual = \".\" }\n",
	}},
	{"uv, another key", File{Path: "pyproject.toml", Key: "tool.core.version"}, map[string]string{
		"pyproject.toml": "[project]\nversion = \"1.4.2\"\n[tool.core]\nversion = \"«1.4.2»\"\n",
		"uv.lock":        "[[package]]\nname = \"core\"\nversion = \"1.4.2\"\nsource = { virtual = \".\" }\n",
	}},
	{"uv, workspace", File{Path: "apps/core/pyproject.toml"}, map[string]string{
		"apps/core/pyproject.toml": "[project]\nname = \"core\"\nversion = \"«1.4.2»\"\n",
		"uv.lock":                  "[[package]]\nname = \"root\"\nversion = \"1.4.2\"\nsource = { virtual = \".\" }\n\n[[package]]\nname = \"core\"\nversion = \"«1.4.2»\"\nsource = { virtual = \"apps/core\" }\n",
	}},
	{"Bundler", File{Path: "lib/core/version.rb"}, map[string]string{
		"core.gemspec":        "s.version = Core::VERSION\n",
		"lib/core/version.rb": "VERSION = '«1.4.2»'\n",
		"Gemfile.lock": "PATH\n  remote: ../a\n  specs:\n    core (1.4.2)\n\nPATH\n  remote: .\n  specs:\n    core («1.4.2»)\n      core-a (= 1.4.2)\n      core (1.4.2)\n    other (1.4.2)\n\n" +
			"GEM\n  remote: https://rubygems.org/\n  specs:\n    core (1.4.2)\n\nDEPENDENCIES\n  core!\n\nCHECKSUMS\n  core («1.4.2»)\n  core-a (1.4.2) sha256=c0ffee\n\nBUNDLED WITH\n   2.6.2\n",
	}},
	{"Bundler, CRLF, at the end", File{Path: "core.gemspec"}, map[string]string{
		"core.gemspec": "s.version = '«1.4.2»'\n",
		"Gemfile.lock": "PATH\r\n  remote: .\r\n  specs:\r\n    core («1.4.2»)",
	}},
	{"Bundler, a gem below", File{Path: "gems/core/lib/core/version.rb"}, map[string]string{
		"root.gemspec":                  "",
		"gems/core/core.gemspec":        "s.version = Core::VERSION\n",
		"gems/core/lib/core/version.rb": "VERSION = '«1.4.2»'\n",
		"Gemfile.lock":                  "PATH\n  remote: .\n  specs:\n    root (1.4.2)\n    core (1.4.2)\n\nPATH\n  remote: gems/core\n  specs:\n    core («1.4.2»)\n\nGEM\n",
	}},
	{"Bundler, whose version?", File{Path: "lib/core/version.rb"}, map[string]string{
		"a.gemspec":           "",
		"core.gemspec":        "",
		"lib/core/version.rb": "VERSION = '«1.4.2»'\n",
		"Gemfile.lock":        "PATH\n  remote: .\n  specs:\n    a (1.4.2)\n    core (1.4.2)\n",
	}},
	{"Bundler, not a gem", File{Path: "lib/core/version.rb"}, map[string]string{
		"lib/core/version.rb": "VERSION = '«1.4.2»'\n",
		"Gemfile.lock":        "GEM\n  specs:\n    core (1.4.2)\n",
	}},
	{"Maven, modules", File{Path: "pom.xml"}, map[string]string{
		"pom.xml":            "<project><artifactId>root</artifactId><version>«1.4.2»</version><modules>\n<module>a</module><module> b/pom.xml </module><module>c</module><module>gone</module></modules></project>",
		"a/pom.xml":          "<project><parent><artifactId>root</artifactId>\n<version>«1.4.2»</version></parent><artifactId>a</artifactId><modules><module>sub</module><module>../b</module><module>..</module></modules></project>",
		"a/sub/pom.xml":      "<project><parent><artifactId>a</artifactId><version>«1.4.2»</version></parent><version>1.4.2</version><artifactId>sub</artifactId><modules><module>deep</module></modules></project>",
		"a/sub/deep/pom.xml": "<project><parent><artifactId>sub</artifactId><version>1.4.2</version></parent></project>",
		"b/pom.xml":          "<project><parent><artifactId>root</artifactId><version>«1.4.2»</version></parent><dependencies><dependency><version>1.4.2</version></dependency></dependencies></project>",
		"c/pom.xml":          "<project><parent><artifactId>other</artifactId><version>1.4.2</version></parent><version>1.4.2</version></project>",
	}},
	{"Maven, property", File{Path: "pom.xml"}, map[string]string{
		"pom.xml":   "<project><artifactId>root</artifactId><version>${revision}</version><modules><module>a</module></modules><properties><revision>«1.4.2»</revision></properties></project>",
		"a/pom.xml": "<project><parent><artifactId>root</artifactId><version>${revision}</version></parent></project>",
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
	all := map[string]string{"go.mod": "module a"}
	for _, test := range kindTests {
		if test.file.String() == test.file.Path {
			all[test.file.Path] = unmarked(test.content)
		}
	}
	tests := []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"all", all, []string{
			"package.json", "Cargo.toml", "mix.exs", "pyproject.toml", "setup.cfg", "composer.json", "pom.xml", "build.gradle", "build.gradle.kts", "gradle.properties",
			"Core.csproj", "Directory.Build.props", "lib/version.rb", "lib/core/version.rb", "core.gemspec", "version.go", "internal/version/version.go", "Chart.yaml", "VERSION", "version.txt",
		}},
		{"several of a kind", map[string]string{
			"src/B/B.csproj": "<Project/>", "src/C/C.csproj": "<Project><PropertyGroup><Version>1.0.0</Version></PropertyGroup></Project>",
			"src/A/A.csproj": "<Project><PropertyGroup><Version>1.0.0</Version></PropertyGroup></Project>", "src/A/b/D.csproj": "<",
			"lib/b/c/d/version.rb": "VERSION = '1.0.0'", "lib/b/version.rb": "VERSION = '1.0.0'", "lib/a/version.rb": "VERSION = '1.0.0'",
		}, []string{"src/A/A.csproj", "src/C/C.csproj", "lib/a/version.rb", "lib/b/version.rb", "lib/b/c/d/version.rb"}},
		{"said elsewhere", map[string]string{
			"setup.cfg": "[metadata]\nversion = attr: core.version", "pom.xml": "<project><version>${revision}</version></project>",
			"version.go": "package a\n\nvar version = \"dev\"", "core.gemspec": "s.version = Core::VERSION", "lib/core/version.rb": "VERSION = \"1.0.0.rc.1\"",
		}, []string{"lib/core/version.rb"}},
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
		f.Add(uint8(i), unmarked(test.content))
	}
	f.Fuzz(func(t *testing.T, i uint8, content string) {
		file, before := kindTests[int(i)%len(kindTests)].file, []byte(content)
		k, err := file.kind()
		if err != nil {
			t.Fatal(err)
		}
		d := &document{file.Path, before}
		from, err := k.read(d)
		if err != nil {
			return
		}
		places, err := k.places()(d)
		if err != nil {
			return
		}
		to := MustParse("97.98.99-rc.1")
		e, err := d.edit(k.places(), to)
		if err != nil {
			return
		}
		if !spliced(before, e.After, places, to) {
			t.Fatalf("%q became %q", before, e.After)
		}
		back, err := (&document{file.Path, e.After}).edit(k.places(), from)
		if err != nil || !bytes.Equal(back.After, before) {
			t.Fatalf("%q came back as %q, %v", before, back.After, err)
		}
	})
}

// FuzzLock edits what can be edited of the companions. Their places may hold different versions, so that
// there is no way back.
func FuzzLock(f *testing.F) {
	finders := []finder{
		npmLock("."), npmLock("packages/a"), lockedGem("core", "."), lockedGem("core", "gems/core"), byKey(walkXML, "project", "parent", "version"),
		lockedVersions(func(p lockedPackage) bool { return p["source"].text == "" && p["name"].text == "core" }),
		lockedVersions(func(p lockedPackage) bool { return p["source.editable"].text == "." }),
	}
	for _, test := range companionTests {
		for _, content := range test.files {
			for i := range finders {
				f.Add(uint8(i), unmarked(content))
			}
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, content string) {
		find, d := finders[int(i)%len(finders)], &document{"a", []byte(content)}
		to := MustParse("97.98.99")
		e, err := d.edit(find, to)
		if err != nil {
			return
		}
		if places, err := find(d); err != nil || !spliced(d.data, e.After, places, to) {
			t.Fatalf("%q became %q, %v", d.data, e.After, err)
		}
	})
}

// spliced reports whether a version in any of its spellings stands in the places, and all else is equal.
func spliced(before, after []byte, places []scalar, v Version) bool {
	spellings := regexp.MustCompile("^v?" + strings.Replace(regexp.QuoteMeta(v.Number()), "-", "[-.]", 1))
	slices.SortFunc(places, inOrder)
	end := 0
	for _, s := range places {
		rest, same := bytes.CutPrefix(after, before[end:s.start])
		spelled := spellings.Find(rest)
		if !same || spelled == nil {
			return false
		}
		after, end = rest[len(spelled):], s.end
	}
	return bytes.Equal(after, before[end:])
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
