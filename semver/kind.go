package semver

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
)

// kind is a sort of file that is known by its name.
type kind struct {
	name       string    // a pattern of path.Match
	where      []string  // patterns for Detect; nil where the name is one
	keys       []string  // dotted paths of the version, where the file has keys
	find       finder    // nil where the keys say it
	inStep     finder    // of all places that change, where these are more than find finds
	spelled    *notation // nil where it is Semantic Versioning's own
	advice     string    // how to write a version into one that has none
	companions func(dir string, d *document) ([]companion, error)
}

// companion is a file that repeats the version of another one.
type companion struct {
	path string
	find finder
}

// kinds are in the order of Detect: first what names a package, then sources, then plain files.
var kinds = []kind{
	{name: "package.json", keys: []string{"version"}, companions: npmLocks, advice: "npm pkg set version=0.1.0"},
	{name: "Cargo.toml", keys: []string{"package.version"}, find: cargoFile, companions: cargoLock, advice: `write version = "0.1.0" under [package]; where a workspace decides it, name the workspace's Cargo.toml`},
	{name: "mix.exs", find: mixFile, advice: `write version: "0.1.0" in project`},
	{name: "pyproject.toml", keys: []string{"project.version", "tool.poetry.version"}, spelled: pythonNotation, companions: uvLock, advice: `write version = "0.1.0" under [project]; where it is dynamic, name its file with regex`},
	{name: "setup.cfg", keys: []string{"metadata.version"}, find: setupFile, spelled: pythonNotation, advice: "write version = 0.1.0 under [metadata]"},
	{name: "composer.json", keys: []string{"version"}, advice: "composer config version 0.1.0"},
	{name: "pom.xml", keys: []string{"project.version"}, find: pomFile, companions: pomModules, advice: "write <version>0.1.0</version> in project; where a parent decides it, name the parent's pom.xml"},
	{name: "build.gradle", find: gradleFile, advice: `write version = '0.1.0' outside of any block`},
	{name: "build.gradle.kts", find: gradleFile, advice: `write version = "0.1.0" outside of any block`},
	{name: "gradle.properties", keys: []string{"version"}, advice: "write version=0.1.0"},
	{name: "*.csproj", where: []string{"*.csproj", "src/*/*.csproj"}, find: projectFile, advice: "write <Version>0.1.0</Version> in a PropertyGroup"},
	{name: "Directory.Build.props", find: projectFile, advice: "write <Version>0.1.0</Version> in a PropertyGroup"},
	{name: "version.rb", where: below("lib", "version.rb"), find: inRuby(rubyConstant), spelled: gemNotation, companions: gemLock, advice: `write VERSION = "0.1.0"`},
	{name: "*.gemspec", find: inRuby(gemAttribute), spelled: gemNotation, companions: gemLock, advice: `write spec.version = "0.1.0", or name the file of the constant`},
	{name: "version.go", where: []string{"version.go", "version/version.go", "internal/version/version.go", "pkg/version/version.go"}, find: goFile, advice: `write const Version = "0.1.0"`},
	{name: "Chart.yaml", keys: []string{"version"}, inStep: chartInStep, advice: "write version: 0.1.0"},
	{name: "VERSION", find: wholeFile, advice: "echo 0.1.0 > VERSION"},
	{name: "version.txt", find: wholeFile, advice: "echo 0.1.0 > version.txt"},
}

// below are the patterns of a file in a folder, and up to three folders deeper.
func below(folder, name string) []string {
	return []string{path.Join(folder, name), path.Join(folder, "*", name), path.Join(folder, "*/*", name), path.Join(folder, "*/*/*", name)}
}

// in finds the files of a kind in a folder.
func (k kind) in(dir string) (paths []string, err error) {
	where := k.where
	if where == nil {
		where = []string{k.name}
	}
	for _, pattern := range where {
		found, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			return nil, err
		}
		slices.Sort(found)
		for _, path := range found {
			path = filepath.FromSlash(path)
			if info, err := os.Stat(filepath.Join(dir, path)); err == nil && info.Mode().IsRegular() {
				paths = append(paths, path)
			}
		}
	}
	return paths, nil
}

// read reads the version of a document, which must hold one.
func (k kind) read(d *document) (Version, error) {
	places, err := spelled(k.spelled, k.find)(d)
	if err != nil {
		return Version{}, err
	}
	return d.one(places, k.advice)
}

// places finds all places that change with the version.
func (k kind) places() finder {
	if k.inStep != nil {
		return spelled(k.spelled, k.inStep)
	}
	return spelled(k.spelled, k.find)
}
