package compose

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
)

// Options say which project to load, as the flags of docker compose do.
type Options struct {
	Dir      string   // project directory; without Files, where docker compose would be run
	Files    []string // relative to Dir; empty: what docker compose would find there (COMPOSE_FILE, override files)
	EnvFiles []string // relative to Dir; empty: COMPOSE_ENV_FILES, else .env where there is one
	Name     string   // project name; empty: compose's own rules
	Profiles []string // empty: COMPOSE_PROFILES
	Environ  []string // "K=V": the environment that compose would run in
	Services []string // those that matter; empty: all. A large project is read faster without the others
}

// Project is a compose project as it was when it was loaded.
type Project struct {
	options  Options
	root     string // where docker compose is run
	dir      string // project directory
	model    *types.Project
	group    *group
	envFiles []*envFile
	environ  types.Mapping      // that compose would run in, without env files
	kept     map[string]bool    // the services that model has; nil: all of them
	opened   map[string]*source // files that others include or extend
	parsed   map[string]*source // files with their new content, as last parsed
	extended map[string]bool    // those that others extend
	located  map[string]located
	sharers  map[placeKey][]string // the services that a place decides
}

// Load reads a project the way docker compose does, without Docker, the network or any secret. Files
// that services name, such as their env_file, need not be there. An error is what docker compose would
// stop at as well, and a file that could be read in two ways ([Error]).
//
// The loader of compose-go warns through logrus; set its output to silence that.
func Load(ctx context.Context, o Options) (*Project, error) {
	root, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	p := &Project{
		options: o, root: root, dir: root, group: &group{dir: root}, environ: types.NewMapping(o.Environ),
		opened: map[string]*source{}, parsed: map[string]*source{}, extended: map[string]bool{}, located: map[string]located{}, sharers: map[placeKey][]string{},
	}
	if err := p.read(); err != nil {
		return nil, err
	}
	p.kept = p.narrow()
	if p.model, err = p.load(ctx, nil); err != nil && p.kept != nil {
		p, err = p.whole(ctx) // whether the rest is needed after all, or what is wrong with the file
	}
	if err != nil {
		return nil, err
	}
	p.locate()
	return p, nil
}

// read reads the files that docker compose would use.
func (p *Project) read() error {
	if err := p.readEnvFiles(); err != nil {
		return err
	}
	environment, err := p.environment(nil)
	if err != nil {
		return err
	}
	files, err := p.standardFiles(environment)
	if err != nil {
		return err
	}
	if dir := filepath.Dir(files[0]); dir != p.root && len(p.options.Files) == 0 { // whose .env then counts, too
		p.dir, p.group.dir = dir, dir
		if err := p.readEnvFiles(); err != nil {
			return err
		}
	}
	for _, path := range files {
		s, err := readSource(path)
		if err != nil {
			return err
		}
		p.group.sources = append(p.group.sources, s)
	}
	return nil
}

func (p *Project) readEnvFiles() error {
	p.envFiles = nil
	for _, path := range p.standardEnvFiles() {
		f, err := readEnvFile(path)
		if err != nil {
			return &Error{File: p.root, Reason: oneLine(err), Advice: "docker compose config", cause: err}
		}
		p.envFiles = append(p.envFiles, f)
	}
	return nil
}

// standardFiles are the compose files as configured, or those that docker compose finds by itself.
func (p *Project) standardFiles(environment types.Mapping) ([]string, error) {
	if len(p.options.Files) > 0 {
		return absolute(p.root, p.options.Files), nil
	}
	if list := environment["COMPOSE_FILE"]; list != "" {
		separator := cmp.Or(environment["COMPOSE_PATH_SEPARATOR"], string(os.PathListSeparator))
		return absolute(p.root, strings.Split(list, separator)), nil
	}
	o, err := cli.NewProjectOptions(nil, cli.WithWorkingDirectory(p.root), cli.WithDefaultConfigPath)
	switch {
	case err != nil:
		return nil, &Error{File: p.root, Reason: oneLine(err), Advice: "docker compose config", cause: err}
	case len(o.ConfigPaths) == 0:
		return nil, &Error{File: p.root, Reason: "there is no compose file", Advice: "name the compose file, or the directory it lies in"}
	case filepath.Dir(o.ConfigPaths[0]) != p.root: // compose searches upwards, but then works from there
		return nil, &Error{File: p.root, Reason: "there is no compose file; the next one is " + o.ConfigPaths[0], Advice: "name its directory instead"}
	}
	return o.ConfigPaths, nil
}

// standardEnvFiles are the env files as configured, or those that docker compose takes by itself.
func (p *Project) standardEnvFiles() []string {
	if len(p.options.EnvFiles) > 0 {
		return absolute(p.root, p.options.EnvFiles)
	}
	if disabled, err := strconv.ParseBool(p.environ["COMPOSE_DISABLE_ENV_FILE"]); err == nil && disabled {
		return nil
	}
	if list := p.environ["COMPOSE_ENV_FILES"]; list != "" {
		return absolute(p.root, strings.Split(list, ","))
	}
	var paths []string
	for _, dir := range slices.Compact([]string{p.dir, p.root}) {
		if standard := filepath.Join(dir, ".env"); isFile(standard) {
			paths = append(paths, standard)
		}
	}
	return paths
}

func absolute(dir string, paths []string) []string {
	list := make([]string, len(paths))
	for i, path := range paths {
		list[i] = join(dir, path)
	}
	return list
}

// maxNodes is how many nodes a compose file may have. compose-go's own limit would refuse a file of
// some thousand services.
const maxNodes = 10_000_000

// load loads the project as compose does, with contents instead of what was read from these files.
func (p *Project) load(ctx context.Context, contents map[string][]byte) (*types.Project, error) {
	environment, err := p.environment(contents)
	if err != nil {
		return nil, err
	}
	extended, err := p.standIn(contents)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(extended.temporary)
	files, err := p.details(p.group, environment, contents)
	if err != nil {
		return nil, err
	}
	model, err := loader.LoadWithContext(ctx, files, p.loaderOptions(environment), func(o *loader.Options) {
		if len(extended.files) > 0 {
			o.ResourceLoaders = append(o.ResourceLoaders, extended)
		}
	})
	if err != nil && ctx.Err() == nil {
		return nil, &Error{File: p.dir, Reason: "docker compose can't load the project: " + oneLine(err), Advice: "docker compose config", cause: err}
	}
	return model, err
}

// oneLine joins the lines of compose-go's errors. What it says of a line in an env file that it can't read repeats the
// line, or the value: which line it is has to be enough.
func oneLine(err error) string {
	return quotedLine.ReplaceAllString(strings.Join(strings.Fields(err.Error()), " "), "$1 is not NAME=value")
}

var quotedLine = regexp.MustCompile(`(line [0-9]+): (?:unexpected character|unterminated quoted value|key cannot contain a space).*`)

// details are the files of a group as compose-go takes them.
func (p *Project) details(g *group, environment types.Mapping, contents map[string][]byte) (types.ConfigDetails, error) {
	d := types.ConfigDetails{WorkingDir: g.dir, Environment: environment}
	for _, s := range g.sources {
		if data, given := contents[s.path]; given && !bytes.Equal(data, s.data) {
			var err error
			if s, err = p.parse(s.path, data); err != nil {
				return d, err
			}
		}
		content := s.data
		if g == p.group && p.kept != nil {
			content = s.cut(p.kept)
		}
		d.ConfigFiles = append(d.ConfigFiles, types.ConfigFile{Filename: s.path, Content: content})
	}
	return d, nil
}

// parse parses new content of a file, once.
func (p *Project) parse(path string, data []byte) (*source, error) {
	if s := p.parsed[path]; s != nil && bytes.Equal(s.data, data) {
		return s, nil
	}
	s, err := parseSource(path, data)
	if err == nil {
		p.parsed[path] = s
	}
	return s, err
}

func (p *Project) loaderOptions(environment types.Mapping) func(*loader.Options) {
	return func(o *loader.Options) {
		o.SkipResolveEnvironment, o.SkipResolveLabels, o.SkipConsistencyCheck = true, true, true
		o.ResolvePaths = true
		o.MaxNodeVisits = maxNodes
		o.Profiles = p.options.Profiles
		if len(o.Profiles) == 0 {
			o.Profiles = strings.Split(strings.ReplaceAll(environment["COMPOSE_PROFILES"], " ", ""), ",")
		}
		o.Interpolate.Substitute = func(text string, mapping template.Mapping) (string, error) {
			return template.SubstituteWithOptions(text, mapping, template.WithoutLogging)
		}
		o.SetProjectName(p.name(environment))
	}
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

// environment is what variables are taken from: the process's, then env files, the later one winning.
func (p *Project) environment(contents map[string][]byte) (types.Mapping, error) {
	environment := types.Mapping{}
	for _, f := range p.envFiles {
		data, changed := contents[f.path]
		if !changed {
			data = f.data
		}
		values, err := dotenv.ParseWithLookup(bytes.NewReader(data), func(name string) (string, bool) {
			value, ok := p.environ[name]
			if !ok {
				value, ok = environment[name]
			}
			return value, ok
		})
		if err != nil {
			return nil, &Error{File: f.path, Reason: oneLine(err), Advice: "docker compose config", cause: err}
		}
		maps.Copy(environment, values)
	}
	maps.Copy(environment, p.environ)
	return environment, nil
}

// Name is the project's name.
func (p *Project) Name() string { return p.model.Name }

// Dir is the project directory, absolute, from which relative paths and the project's name come: the one
// that was given, or that of the first file of COMPOSE_FILE.
func (p *Project) Dir() string { return p.dir }

// Files are the compose files in the order they are merged, absolute. Those that they include or
// extend are not among them.
func (p *Project) Files() []string {
	var paths []string
	for _, s := range p.group.sources {
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

// names are the names of all services, sorted.
func names(model *types.Project) []string { return slices.Sorted(maps.Keys(all(model))) }
