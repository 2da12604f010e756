package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"promote/compose"
	"promote/internal/config"
	"promote/internal/git"
	"promote/internal/promotion"
	"promote/semver"
)

func (p *program) initCommand() *cli.Command {
	return p.command(entry{
		name: "init", usage: "write a promote.yaml by looking at the repository, its compose files and what runs here",
		examples: []string{"promote init", "promote init --dry-run  print it instead"},
		flags:    []cli.Flag{dryRunFlag, &cli.BoolFlag{DisableDefaultText: true, Name: "force", Usage: "replace a promote.yaml that is there"}},
		run:      p.init,
	})
}

const configFile = "promote.yaml"

func (p *program) init(ctx context.Context, c *cli.Context) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	_, statErr := os.Stat(filepath.Join(dir, configFile))
	if statErr == nil && !c.Bool("force") && !c.Bool("dry-run") {
		return &usage{text: configFile + " is there already", hint: "promote init --force, or --dry-run to look"}
	}
	s := &surveyor{program: p, dir: dir}
	if err := s.survey(ctx); err != nil {
		return err
	}
	if len(s.draft.Services) == 0 {
		return &usage{text: "nothing to release here: no Dockerfile, and no compose service with build:", hint: "run promote init where the Dockerfile or the compose file is"}
	}
	text := config.Write(s.draft)
	if _, err := config.Parse(configFile, text, p.lookup); err != nil {
		return err
	}
	if c.Bool("dry-run") {
		_, err := p.out.Write(text)
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, configFile), text, 0o644); err != nil {
		return err
	}
	return p.answerInit(s.draft)
}

func (p *program) answerInit(d config.Draft) error {
	if p.screen.JSON {
		return p.screen.Object(map[string]any{"schema": promotion.Schema, "file": configFile, "services": d.Services, "environments": d.Environments})
	}
	for _, s := range d.Services {
		p.screen.Say("service %s: image %s, version in %s", s.Name, s.Image, s.VersionFile)
	}
	for _, e := range d.Environments {
		p.screen.Say("environment %s: %s", e.Name, e.Project)
	}
	if len(d.Environments) == 0 {
		p.screen.Say("no environment was found; add one to %s: its name, and the project: directory of its compose files", configFile)
	}
	p.screen.Answer("wrote %s", configFile)
	return nil
}

// surveyor looks at a repository for what promote.yaml should say.
type surveyor struct {
	*program
	dir      string
	remote   string // of the git repository, "owner/name"; empty without one
	projects []composeProject
	draft    config.Draft
}

// composeProject is a compose file, or several that docker compose would use together, that was found.
type composeProject struct {
	dir, file string // relative; file is empty where docker compose finds it by itself
	services  []compose.Service
	contexts  map[string]string // compose service → directory it is built from, relative
}

func (s *surveyor) survey(ctx context.Context) error {
	if repo, err := git.Open(ctx, s.dir); err == nil {
		address, err := repo.SourceURL(ctx)
		if err != nil {
			return err
		}
		s.remote = ownerAndName(address)
	} else if !errors.Is(err, git.ErrNotRepository) {
		return err
	}
	if err := s.findProjects(ctx); err != nil {
		return err
	}
	if err := s.findServices(); err != nil {
		return err
	}
	s.findEnvironments()
	return nil
}

// ownerAndName is the end of a repository's address: https://github.com/AEGEE/core is aegee/core.
func ownerAndName(address string) string {
	parts := strings.Split(strings.ToLower(address), "/")
	if len(parts) < 2 {
		return ""
	}
	return path.Join(parts[len(parts)-2:]...)
}

// skipped are folders that hold other people's code, or none.
var skipped = []string{"node_modules", "vendor", "dist", "build", "target", "deps", "testdata"}

// folders are the directory itself and those below it, at most three deep, that may hold a project.
func (s *surveyor) folders() ([]string, error) {
	var list []string
	err := filepath.WalkDir(s.dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		short, err := filepath.Rel(s.dir, name)
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && short != "."
		if hidden || slices.Contains(skipped, entry.Name()) || strings.Count(short, string(filepath.Separator)) > 2 {
			return fs.SkipDir
		}
		list = append(list, short)
		return nil
	})
	return list, err
}

// findProjects loads every compose file below the directory. One that can't be loaded is passed over:
// it is no reason not to write down the others.
func (s *surveyor) findProjects(ctx context.Context) error {
	folders, err := s.folders()
	if err != nil {
		return err
	}
	for _, folder := range folders {
		for _, file := range composeFiles(filepath.Join(s.dir, folder)) {
			o := compose.Options{Dir: filepath.Join(s.dir, folder), Environ: s.environ}
			if file != "" {
				o.Files = []string{file}
			}
			project, err := compose.Load(ctx, o)
			if err != nil {
				s.screen.Say("passed over %s: %v", filepath.Join(folder, file), err)
				continue
			}
			s.projects = append(s.projects, composeProject{dir: folder, file: file, services: project.Services(), contexts: s.contexts(project)})
		}
	}
	return nil
}

// composeFiles are the compose files of a folder: "" for those that docker compose finds by itself, and
// those that have to be named, such as docker-compose.prod.yml.
func composeFiles(dir string) []string {
	var files []string
	for _, name := range []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			files = append(files, "")
			break
		}
	}
	for _, pattern := range []string{"compose.*.y*ml", "docker-compose.*.y*ml"} {
		named, _ := filepath.Glob(filepath.Join(dir, pattern)) // the patterns are well-formed
		for _, name := range named {
			if !strings.Contains(filepath.Base(name), ".override.") {
				files = append(files, filepath.Base(name))
			}
		}
	}
	return files
}

// contexts are the directories that a project's services are built from, as far as they lie here.
func (s *surveyor) contexts(p *compose.Project) map[string]string {
	found := map[string]string{}
	for _, service := range p.Services() {
		if service.Context == "" {
			continue
		}
		if short, err := filepath.Rel(s.dir, service.Context); err == nil && filepath.IsLocal(short) {
			found[service.Name] = short
		}
	}
	return found
}

// findServices makes a service of every folder that has a Dockerfile.
func (s *surveyor) findServices() error {
	folders, err := s.folders()
	if err != nil {
		return err
	}
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(s.dir, folder, "Dockerfile")); err != nil {
			continue
		}
		service, err := s.service(folder)
		if err != nil {
			return err
		}
		s.draft.Services = append(s.draft.Services, service)
	}
	return nil
}

func (s *surveyor) service(folder string) (config.DraftService, error) {
	name := filepath.Base(filepath.Join(s.dir, folder))
	if folder == "." && s.remote != "" {
		name = path.Base(s.remote)
	}
	d := config.DraftService{Name: name, Build: folder, Path: folder, VersionFile: "git"}
	d.Image, d.Runs = s.image(name, folder)
	if len(d.Runs) > 0 && !slices.Contains(d.Runs, d.Name) {
		d.Name = d.Runs[0]
	}
	files, err := semver.Detect(filepath.Join(s.dir, folder))
	if len(files) > 0 {
		d.VersionFile = filepath.Join(folder, files[0].Path)
	}
	return d, err
}

// image is the repository that compose services run for a folder: those built from it say so, others
// are known by the name at the end of their image. Without any, it is guessed from the git remote.
func (s *surveyor) image(name, folder string) (repository string, runs []string) {
	for _, p := range s.projects {
		for _, service := range p.services {
			if service.Repository != "" && p.contexts[service.Name] == folder && folder != "" {
				repository = service.Repository
			}
		}
	}
	for _, p := range s.projects {
		for _, service := range p.services {
			if repository == "" && path.Base(service.Repository) == name {
				repository = service.Repository
			}
		}
	}
	for _, p := range s.projects {
		for _, service := range p.services {
			if repository != "" && service.Repository == repository && !slices.Contains(runs, service.Name) {
				runs = append(runs, service.Name)
			}
		}
	}
	switch {
	case repository != "":
	case s.remote == "":
		repository = name
	case folder == ".":
		repository = s.remote
	default:
		repository = path.Join(path.Dir(s.remote), name)
	}
	return repository, runs
}

// known are names that environments go by, in the order releases go through them.
var known = []string{"dev", "development", "test", "testing", "qa", "uat", "staging", "stage", "preprod", "prod", "production", "live"}

// findEnvironments makes an environment of every compose project that runs one of the services and
// whose folder or file has the name of one.
func (s *surveyor) findEnvironments() {
	type found struct {
		rank int
		env  config.DraftEnvironment
	}
	var list []found
	for _, p := range s.projects {
		name := environmentName(p)
		if name == "" || !s.runs(p) {
			continue
		}
		env := config.DraftEnvironment{Name: name, Project: p.dir}
		if p.file != "" {
			env.Compose = []string{p.file}
		}
		list = append(list, found{slices.Index(known, name), env})
	}
	slices.SortStableFunc(list, func(a, b found) int { return a.rank - b.rank })
	for i, f := range list {
		if i > 0 {
			f.env.From = list[i-1].env.Name
		}
		s.draft.Environments = append(s.draft.Environments, f.env)
	}
}

// environmentName is the name of an environment in the path of a compose project, or nothing.
func environmentName(p composeProject) string {
	parts := strings.FieldsFunc(filepath.ToSlash(filepath.Join(p.dir, p.file)), func(r rune) bool { return strings.ContainsRune("/._-", r) })
	for _, part := range slices.Backward(parts) {
		if slices.Contains(known, part) {
			return part
		}
	}
	return ""
}

func (s *surveyor) runs(p composeProject) bool {
	return slices.ContainsFunc(p.services, func(service compose.Service) bool {
		return slices.ContainsFunc(s.draft.Services, func(d config.DraftService) bool { return compose.SameRepository(d.Image, service.Repository) })
	})
}
