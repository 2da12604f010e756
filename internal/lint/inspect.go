package lint

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"promote/compose"
	"promote/internal/promotion"
	"promote/semver"
)

// Inspect reads the compose files of an environment, and tries what would refuse a deployment; it writes
// nothing. Environ is the process environment that docker compose would have. Files that can't be loaded are
// no error: they are noted, for FindProblems to tell.
func (env *Environment) Inspect(ctx context.Context, environ []string) error {
	if err := env.loadServices(ctx, environ); err != nil || env.Failure != nil {
		return err
	}
	return env.tryMoves(ctx, environ)
}

// InspectDirectory reads the compose project of a directory that no promote.yaml speaks of, as if promote moved
// the compose services of runs; where there are none, those that are built here. It returns what it took.
func InspectDirectory(ctx context.Context, dir string, runs, environ []string) (env Environment, taken []string, err error) {
	env.Target = promotion.Target{Project: dir, Engine: promotion.EngineCompose}
	if err := env.loadServices(ctx, environ); err != nil || env.Failure != nil {
		return env, nil, err
	}
	if taken = runs; len(runs) == 0 {
		taken = env.builtServices()
	}
	if env.Target.Services, err = env.joinServices(taken); err != nil {
		return env, taken, err
	}
	return env, taken, env.tryMoves(ctx, environ)
}

// UnknownServiceError is a compose service that was named and that no file has.
type UnknownServiceError struct{ Name, Dir string }

func (e *UnknownServiceError) Error() string {
	return fmt.Sprintf("no compose service %q in %s", e.Name, e.Dir)
}

// Hint is the command that lists them.
func (e *UnknownServiceError) Hint() string { return "docker compose config --services" }

func composeOptions(t promotion.Target, environ []string) compose.Options {
	return compose.Options{Dir: t.Project, Files: t.Compose, EnvFiles: t.EnvFiles, Name: t.Name, Profiles: t.Profiles, Environ: environ}
}

// loadServices notes what FindProblems wants to know of every compose service.
func (env *Environment) loadServices(ctx context.Context, environ []string) error {
	project, err := compose.Load(ctx, composeOptions(env.Target, environ))
	if err != nil {
		env.Failure = narrowPlace(asRefusal(err, env.Target.Project), env.Target)
		return ctx.Err()
	}
	env.Project = project.Name()
	awaited := project.Awaited()
	for _, s := range project.Services() {
		noted := Service{
			Service: s, Keys: map[string]compose.Place{}, Variables: project.Variables(s.Name), Labels: project.Labels(s.Name), Awaited: awaited[s.Name],
		}
		for _, key := range Keys {
			if at, found := project.Key(s.Name, key); found {
				noted.Keys[key] = at
			}
		}
		noted.At, _ = project.Key(s.Name, "")
		env.Services = append(env.Services, noted)
	}
	return nil
}

// builtServices are the compose services whose images are built from here, and those that run the same.
func (env *Environment) builtServices() []string {
	built := map[string]bool{}
	for _, s := range env.Services {
		built[s.Image] = built[s.Image] || s.Context != "" && s.Image != ""
	}
	var names []string
	for _, s := range env.Services {
		if built[s.Image] {
			names = append(names, s.Name)
		}
	}
	return names
}

// joinServices makes services of compose services: those that run one image move together.
func (env *Environment) joinServices(runs []string) ([]promotion.Service, error) {
	tag, err := semver.ParseTemplate("v{version}")
	if err != nil {
		return nil, err
	}
	var list []promotion.Service
	together := map[string]int{} // image → its service in the list
	for _, name := range runs {
		s, found := env.written(name)
		if !found {
			return nil, &UnknownServiceError{name, env.Target.Project}
		}
		if i, found := together[s.Image]; found && s.Image != "" {
			list[i].Runs = append(list[i].Runs, name)
			continue
		}
		together[s.Image] = len(list)
		list = append(list, promotion.Service{Name: name, Image: s.Repository, Runs: []string{name}, Tag: tag})
	}
	return list, nil
}

// tryMoves prepares an edit of every service as a deployment would, and keeps what refuses it.
func (env *Environment) tryMoves(ctx context.Context, environ []string) error {
	options := composeOptions(env.Target, environ)
	for _, s := range env.Target.Services {
		options.Services = append(options.Services, s.Runs...)
	}
	if len(options.Services) == 0 {
		return nil
	}
	project, err := compose.Load(ctx, options)
	if err != nil {
		return err
	}
	env.Refusals = map[string]*compose.Error{}
	for _, s := range env.Target.Services {
		var together []compose.Change
		for _, w := range env.Services {
			change := compose.Change{Service: w.Name, From: w.Pin, To: compose.Pin{Tag: "v0.0.0-lint"}}
			switch {
			case !slices.Contains(s.Runs, w.Name):
			case w.Refusal != "":
				env.tryEdit(project, change)
			default:
				together = append(together, change)
			}
		}
		if len(together) > 0 {
			env.tryEdit(project, together...)
		}
	}
	return nil
}

// tryEdit keeps a refusal at the service that it names, else at the first.
func (env *Environment) tryEdit(project *compose.Project, changes ...compose.Change) {
	_, err := project.Edit(changes...)
	if err == nil {
		return
	}
	refusal, name := asRefusal(err, project.Dir()), changes[0].Service
	if slices.ContainsFunc(changes, func(c compose.Change) bool { return c.Service == refusal.Service }) {
		name = refusal.Service
	}
	env.Refusals[name] = refusal
}

// asRefusal gives any error of compose a place, at worst the project directory.
func asRefusal(err error, dir string) *compose.Error {
	if refusal := (*compose.Error)(nil); errors.As(err, &refusal) {
		return refusal
	}
	return &compose.Error{File: dir, Reason: err.Error(), Advice: "docker compose config"}
}

// narrowPlace names the compose file that can't be loaded instead of its directory, where there is only one.
func narrowPlace(e *compose.Error, t promotion.Target) *compose.Error {
	files := t.Compose
	for _, pattern := range []string{"compose.y*ml", "docker-compose.y*ml", "*compose.override.y*ml"} {
		if len(t.Compose) == 0 {
			found, _ := filepath.Glob(filepath.Join(t.Project, pattern)) // the patterns are well-formed
			files = append(files, found...)
		}
	}
	if len(files) != 1 || e.File != t.Project {
		return e
	}
	named := *e
	if named.File = files[0]; !filepath.IsAbs(named.File) {
		named.File = filepath.Join(t.Project, named.File)
	}
	return &named
}
