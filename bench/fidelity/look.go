package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"promote/compose"
)

// site is where a project lies, and how it is loaded.
type site struct {
	dir     string // absolute
	files   []string
	environ []string
}

func (t *tree) site(tr trial) site { return site{t.path(tr.dir), tr.files, tr.environ} }

// options are for package compose; with services it may leave the others out.
func (s site) options(services ...string) compose.Options {
	return compose.Options{Dir: s.dir, Files: s.files, Environ: s.environ, Services: services}
}

// view is a project as compose-go has it.
type view struct {
	images map[string]string // by service
	rest   []byte            // everything else, as JSON
	files  []string          // that it was loaded from, without those that they include or extend
	lax    bool              // loaded without what the folder lacks, such as the env_file of a service
}

// look loads a project by compose-go alone, as docker compose does: fully if that can be, else as far as
// it can be without what the corpus does not have. It is known for a file in another form.
func look(ctx context.Context, s site, plain *view) (*view, error) {
	if plain != nil {
		return lookOnce(ctx, s, plain.lax)
	}
	if v, err := lookOnce(ctx, s, false); err == nil {
		return v, nil
	}
	return lookOnce(ctx, s, true)
}

func lookOnce(ctx context.Context, s site, lax bool) (*view, error) {
	options, err := s.projectOptions(lax)
	if err != nil {
		return nil, err
	}
	project, err := options.LoadProject(ctx)
	if err != nil {
		return nil, err
	}
	v := &view{images: map[string]string{}, files: project.ComposeFiles, lax: lax}
	for name, service := range project.Services {
		v.images[name] = service.Image
		service.Image = ""
		if lax {
			service.Environment = service.Environment.Resolve(func(name string) (string, bool) {
				value, set := project.Environment[name]
				return value, set
			})
		}
		project.Services[name] = service
	}
	type fields types.Project // without its methods: they would marshal extensions, too
	v.rest, err = json.Marshal((*fields)(project))
	return v, err
}

func (s site) projectOptions(lax bool) (*cli.ProjectOptions, error) {
	list := []cli.ProjectOptionsFn{
		cli.WithWorkingDirectory(s.dir), cli.WithEnv(s.environ), cli.WithEnvFiles(), cli.WithDotEnv,
		s.configFiles, cli.WithDefaultConfigPath, cli.WithProfiles([]string{"*"}),
		cli.WithLoadOptions(func(o *loader.Options) { o.MaxNodeVisits = 10_000_000 }),
	}
	if lax {
		list = append(list, cli.WithConsistency(false), cli.WithoutEnvironmentResolution, cli.WithoutLabelsResolution)
	}
	return cli.NewProjectOptions(nil, list...)
}

// configFiles takes the files of the site or of COMPOSE_FILE. Compose's own option looks for the latter
// in the folder that the program runs in.
func (s site) configFiles(o *cli.ProjectOptions) error {
	files := s.files
	if list := o.Environment["COMPOSE_FILE"]; len(files) == 0 && list != "" {
		files = strings.Split(list, ":")
	}
	for _, file := range files {
		o.ConfigPaths = append(o.ConfigPaths, filepath.Join(s.dir, file))
	}
	return nil
}
