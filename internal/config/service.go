package config

import (
	"go.yaml.in/yaml/v4"

	"promote/semver"
)

// Service is one microservice: an image repository, where its version comes from, and what runs it.
type Service struct {
	Name  string
	Place Place // of its entry in the file
	// Image is the repository, without a tag or digest.
	Image   string
	Version VersionSource
	// Build is nil where promote does not build the image.
	Build *Build
	// Path is the directory whose commits and files are this service's, relative to Config.Dir.
	Path string
	// Changelog is the file that a bump writes into, relative to Config.Dir, or ChangelogNone; empty
	// means CHANGELOG.md in Path, where there is one.
	Changelog string
	// Tag is how a version is written as the image's tag, GitTag how as the tag of the commit.
	Tag, GitTag semver.Template
	// Tags are what a published version is called besides.
	Tags []FurtherTag
	// Runs names the compose services that run the image and move together; never empty.
	Runs []string
	// After names the services of this file that are rolled before this one.
	After []string
	Tasks []Task
	// Strategy is one of the Strategy constants; empty means the environment's.
	Strategy string
	// Concurrent says that two of its workers at a time do no harm.
	Concurrent bool
	// Dark has a new container get its network names only once it is proven.
	Dark  bool
	Proxy *Proxy
	// Checks are what a new container has to answer before the old one goes.
	Checks []Check
}

// ChangelogNone is the changelog of a service that keeps none.
const ChangelogNone = "none"

func (s *Service) enter(name string, at Place) { s.Name, s.Place = name, at }

// VersionSource says where the version of a service is written: in files, or in git tags only.
type VersionSource struct {
	Files semver.Files // relative to Config.Dir, in step; nil if Git
	Git   bool
}

var serviceKeys = mapping([]key[Service]{
	at("image", repository, func(s *Service) *string { return &s.Image },
		"Image repository, without a tag.").must(),
	at("version", versionSource, func(s *Service) *VersionSource { return &s.Version },
		"File that holds the version, several that hold it in step, or git where only tags do.").or("git"),
	at("build", either(under("context", "a directory", buildKeys.pointer()), buildKeys.pointer()), func(s *Service) **Build { return &s.Build },
		"Build context, or how the image is built.").derived("not built by promote"),
	at("path", relativePath, func(s *Service) *string { return &s.Path },
		"Directory whose commits and files are this service's.").or("."),
	at("changelog", relativePath, func(s *Service) *string { return &s.Changelog },
		"Changelog that a bump writes into, or none.").derived("`CHANGELOG.md` in its path, where there is one of its own"),
	at("tag", imageTag, func(s *Service) *semver.Template { return &s.Tag },
		"How a version is written as the image's tag.").or("v{version}"),
	at("tags", furtherTags, func(s *Service) *[]FurtherTag { return &s.Tags },
		"Further tags of the image, with {major} and {minor}, which move forwards as latest does, or with {commit} or {short_commit}, which never move."),
	at("git_tag", gitTag, func(s *Service) *semver.Template { return &s.GitTag },
		"How a version is written as a git tag.").derived("`v{version}` with one service, `NAME/v{version}` with several"),
	at("runs", either(single(composeService), set(composeService)), func(s *Service) *[]string { return &s.Runs },
		"Compose services that run this image and move together.").derived("the service's name"),
	at("after", either(single(text), set(text)), func(s *Service) *[]string { return &s.After },
		"Services that are rolled before this one, and go back after it."),
	at("strategy", choice(StrategyAuto, StrategyStartFirst, StrategyRecreate), func(s *Service) *string { return &s.Strategy },
		"How its running containers are replaced.").derived("the environment's"),
	at("concurrent", truth, func(s *Service) *bool { return &s.Concurrent },
		"Whether two of its workers may run at a time.").or("false"),
	at("dark", truth, func(s *Service) *bool { return &s.Dark },
		"Whether a new container gets its network names only once it is proven.").or("false"),
	at("proxy", proxyKeys.pointer(), func(s *Service) **Proxy { return &s.Proxy },
		"What the reverse proxy in front of it needs."),
	at("tasks", list(taskKeys.kind()), func(s *Service) *[]Task { return &s.Tasks },
		"Commands around a deployment, such as a backup or a migration."),
	at("checks", list(checkKeys.kind()), func(s *Service) *[]Check { return &s.Checks },
		"What a new container has to answer before the old one goes, beside its own health check or in place of one."),
})

var versionKeys = mapping([]key[semver.File]{
	at("file", relativePath, func(f *semver.File) *string { return &f.Path },
		"File that holds the version.").must(),
	at("key", text, func(f *semver.File) *string { return &f.Key },
		"Dotted path to the version in a JSON, TOML, YAML, XML, INI or properties file."),
	at("regex", pattern, func(f *semver.File) *string { return &f.Regex },
		"Regular expression whose first group is the version."),
}).exclude("key", "regex")

// versionFile is a file by its name, or with the place in it.
var versionFile = either(under("file", "a file name", versionKeys.kind()), versionKeys.kind())

var versionFiles = converted(orList(versionFile), func(files []semver.File) (VersionSource, error) {
	return VersionSource{Files: files}, nil
})

// versionSource is git, or else files.
var versionSource = kind[VersionSource]{
	shape: versionFiles.shape,
	read: func(d *decoder, n *yaml.Node) (VersionSource, bool) {
		if isText(n) && n.Value == "git" {
			return VersionSource{Git: true}, true
		}
		return versionFiles.read(d, n)
	},
}
