// Package semver parses, orders and bumps versions of Semantic Versioning 2.0.0, writes them as tags,
// and changes them in the files that hold them.
//
// A [Version] is a comparable value that is read strictly, with or without a leading v. [Range] is a set
// of versions, [Template] how a version is written as a tag:
//
//	v, err := semver.Parse("1.4.2")
//	next := v.Bump(semver.Minor) // v1.5.0
//
// A [File] is a place that holds a version, known by its name:
//
//   - package.json: version; with package-lock.json and npm-shrinkwrap.json;
//   - Cargo.toml: version of the package, or of the workspace; with Cargo.lock;
//   - mix.exs: version in project, or the attribute @version;
//   - pyproject.toml: version of project or tool.poetry; with uv.lock;
//   - setup.cfg: version of metadata;
//   - composer.json: version;
//   - pom.xml: version of project, or the property that it names; with the modules whose parent it is;
//   - build.gradle, build.gradle.kts: version outside of any block; gradle.properties: version;
//   - *.csproj, Directory.Build.props: Version or VersionPrefix of a PropertyGroup;
//   - version.rb: the constant VERSION; *.gemspec: the attribute version; both with Gemfile.lock;
//   - version.go: the constant or variable Version;
//   - Chart.yaml: version, and appVersion as long as it is the same;
//   - VERSION, version.txt: all there is in the file.
//
// Anything else is a key of a JSON, TOML, YAML, XML, INI or properties file, or what a regular expression
// finds. [Files] go in step:
//
//	files := semver.Files{{Path: "package.json"}, {Path: "chart/Chart.yaml"}}
//	edits, err := files.Edit(dir, next) // package.json, package-lock.json, chart/Chart.yaml
//	err = edits.Apply(dir)              // all or none
//
// Files hold Semantic Versioning, with or without a v as before. Gems have a notation of their own:
// v1.5.0-rc.1 is 1.5.0.rc.1 there. Python's tools read 1.5.0-rc.1 as it is; its short form 1.5.0rc1 is for
// lock files only. A version that a language would take for something else is refused.
//
// What is promised: an edit is a splice of the version's bytes, found by a parser of the format, and no
// other byte moves: order, indentation, comments, line ends and byte order mark stay. It is verified
// before it is returned: the version is found in the edited file again. A change followed by the change
// back gives the original bytes. What can't be edited so is refused with the place, the reason and the
// way out ([Error]). Files are written atomically, all or none, and only if they are still as they were
// read.
package semver
