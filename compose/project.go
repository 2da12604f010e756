package compose

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
)

// Options say which project to load, as the flags of docker compose do.
type Options struct {
	Dir      string   // project directory
	Files    []string // relative to Dir; empty: what docker compose would find there (COMPOSE_FILE, override files)
	EnvFiles []string // relative to Dir; empty: COMPOSE_ENV_FILES, else .env where there is one
	Name     string   // project name; empty: compose's own rules
	Profiles []string // besides those of COMPOSE_PROFILES
	Environ  []string // "K=V": the environment that compose would run in
}

// Project is a compose project as it was when it was loaded.
type Project struct {
	options  Options
	dir      string
	model    *types.Project
	sources  []*source
	envFiles []*envFile
	environ  types.Mapping // that compose would run in, without env files
	services map[string]located
	sharers  map[string][]string // key of a place → the services it decides
}

// Load reads a project the way docker compose does, without Docker, the network or any secret.
func Load(ctx context.Context, o Options) (*Project, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	p := &Project{options: o, dir: dir, services: map[string]located{}, environ: types.NewMapping(o.Environ)}
	files, err := p.resolve()
	if err != nil {
		return nil, err
	}
	contents := map[string][]byte{}
	for _, path := range files.ConfigPaths {
		s, err := readSource(path)
		if err != nil {
			return nil, err
		}
		p.sources = append(p.sources, s)
		contents[path] = s.data
	}
	for _, path := range files.EnvFiles {
		f, err := readEnvFile(path)
		if err != nil {
			return nil, err
		}
		p.envFiles = append(p.envFiles, f)
	}
	if p.model, err = p.load(ctx, contents); err != nil {
		return nil, err
	}
	p.locate()
	return p, nil
}

// resolve finds the files that docker compose would use.
func (p *Project) resolve() (*cli.ProjectOptions, error) {
	envFiles := absolute(p.dir, p.options.EnvFiles)
	if list := p.environ["COMPOSE_ENV_FILES"]; len(envFiles) == 0 && list != "" {
		envFiles = absolute(p.dir, strings.Split(list, ","))
	}
	o, err := cli.NewProjectOptions(absolute(p.dir, p.options.Files),
		cli.WithWorkingDirectory(p.dir), cli.WithEnv(p.options.Environ),
		cli.WithEnvFiles(envFiles...), cli.WithDotEnv,
	)
	if err != nil {
		return nil, err
	}
	if list := o.Environment["COMPOSE_FILE"]; len(o.ConfigPaths) == 0 && list != "" {
		separator := cmp.Or(o.Environment["COMPOSE_PATH_SEPARATOR"], string(filepath.ListSeparator))
		o.ConfigPaths = absolute(p.dir, strings.Split(list, separator)) // compose-go would look below its own directory
	}
	if err := cli.WithDefaultConfigPath(o); err != nil {
		return nil, err
	}
	if slices.Contains(o.ConfigPaths, "-") {
		return nil, fmt.Errorf("%s: compose files can't come from standard input", p.dir)
	}
	return o, nil
}

func absolute(dir string, paths []string) []string {
	list := slices.Clone(paths)
	for i, path := range list {
		if !filepath.IsAbs(path) {
			list[i] = filepath.Join(dir, path)
		}
	}
	return list
}

// load loads the project with these contents of its files, which need not be what is on disk.
func (p *Project) load(ctx context.Context, contents map[string][]byte) (*types.Project, error) {
	environment, err := p.environment(contents)
	if err != nil {
		return nil, err
	}
	details := types.ConfigDetails{WorkingDir: p.dir, Environment: environment}
	for _, s := range p.sources {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: s.path, Content: contents[s.path]})
	}
	profiles := slices.Concat(p.options.Profiles, strings.FieldsFunc(environment["COMPOSE_PROFILES"], func(r rune) bool { return r == ',' }))
	return loader.LoadWithContext(ctx, details, func(o *loader.Options) {
		o.SkipResolveEnvironment, o.SkipResolveLabels, o.SkipConsistencyCheck = true, true, true
		o.ResolvePaths = true
		o.Profiles = profiles
		o.Interpolate.Substitute = func(text string, mapping template.Mapping) (string, error) {
			return template.SubstituteWithOptions(text, mapping, template.WithoutLogging)
		}
		name, given := p.name(environment)
		o.SetProjectName(name, given)
	})
}

// name is the project's: as configured, COMPOSE_PROJECT_NAME, the files' own `name:`, the directory's.
func (p *Project) name(environment types.Mapping) (name string, given bool) {
	if p.options.Name != "" {
		return p.options.Name, true
	}
	if name := environment["COMPOSE_PROJECT_NAME"]; name != "" {
		return name, true
	}
	return loader.NormalizeProjectName(filepath.Base(p.dir)), false
}

// Name is the project's name.
func (p *Project) Name() string { return p.model.Name }

// Dir is the project directory, absolute.
func (p *Project) Dir() string { return p.dir }

// Files are the compose files in the order they are merged, absolute.
func (p *Project) Files() []string {
	var paths []string
	for _, s := range p.sources {
		paths = append(paths, s.path)
	}
	return paths
}

// EnvFiles are the env files in the order they are read, absolute.
func (p *Project) EnvFiles() []string {
	var paths []string
	for _, f := range p.envFiles {
		paths = append(paths, f.path)
	}
	return paths
}

// all are the project's services, those that no profile enables included.
func all(model *types.Project) map[string]types.ServiceConfig {
	services := map[string]types.ServiceConfig{}
	maps.Copy(services, model.Services)
	maps.Copy(services, model.DisabledServices)
	return services
}
