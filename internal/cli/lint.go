package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"promote/compose"
	"promote/internal/config"
	"promote/internal/promotion"
	"promote/internal/ui"
	"promote/semver"
)

func (p *program) lintCommand() *cli.Command {
	return p.command(entry{
		name: "lint", args: "[ENV…]", usage: "say what in the compose files will bite; without promote.yaml, in those of this directory",
		examples: []string{"promote lint", "promote lint prod --strict", "promote lint --ignore one-copy,no-restart", "promote lint --runs core,core-worker  before there is a promote.yaml"},
		flags: []cli.Flag{
			&cli.BoolFlag{DisableDefaultText: true, Name: "strict", Usage: "fail on warnings, too"},
			&cli.StringFlag{Name: "rules", Usage: "look by these `RULES` only, with commas between them"},
			&cli.StringFlag{Name: "ignore", Usage: "leave these `RULES` out"},
			&cli.StringFlag{Name: "runs", Usage: "without promote.yaml: the compose `SERVICES` that promote would move, instead of those that are built here"},
		},
		run: p.lint,
	})
}

func (p *program) lint(ctx context.Context, c *cli.Context) error {
	shown, err := p.lintRules(c)
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	environments, err := p.inspect(ctx, c, dir)
	if err != nil {
		return err
	}
	asked := c.Args().Slice()
	findings := slices.DeleteFunc(promotion.Lint(environments), func(f promotion.Finding) bool {
		elsewhere := len(asked) > 0 && !slices.ContainsFunc(f.Environments, func(name string) bool { return slices.Contains(asked, name) })
		return elsewhere || !slices.Contains(shown, f.Rule)
	})
	answer := ui.NewLint(findings)
	if err := p.screen.Lint(answer, dir); err != nil {
		return err
	}
	if answer.Errors > 0 || c.Bool("strict") && answer.Warnings > 0 {
		return &quietError{exitFailed}
	}
	return nil
}

// lintRules are the rules that are asked for.
func (p *program) lintRules(c *cli.Context) ([]string, error) {
	only, ignored := commaList(c.String("rules")), commaList(c.String("ignore"))
	for _, rule := range slices.Concat(only, ignored) {
		if !slices.Contains(promotion.LintRules, rule) {
			return nil, wrongArguments(c, "no rule %q; there are %s", rule, strings.Join(promotion.LintRules, ", "))
		}
	}
	if len(only) == 0 {
		only = slices.Clone(promotion.LintRules)
	}
	return slices.DeleteFunc(only, func(rule string) bool { return slices.Contains(ignored, rule) }), nil
}

func commaList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// inspect looks at the files of promote.yaml's environments on this machine: of all, since what one
// lacks may stand in another. Without promote.yaml it looks at the compose project of the directory.
func (p *program) inspect(ctx context.Context, c *cli.Context, dir string) ([]promotion.Inspected, error) {
	cfg, err := p.load(c)
	if errors.Is(err, config.ErrNotFound) && c.NArg() == 0 {
		alone, err := p.inspectAlone(ctx, dir, commaList(c.String("runs")))
		return []promotion.Inspected{alone}, err
	}
	if err != nil {
		return nil, err
	}
	if c.IsSet("runs") {
		return nil, wrongArguments(c, "--runs is for where there is no promote.yaml; %s says what runs", cfg.Path)
	}
	if _, err := environmentNames(cfg, c.Args().Slice()); err != nil {
		return nil, err
	}
	var list []promotion.Inspected
	for _, e := range cfg.Environments {
		if len(e.Hosts) > 0 {
			continue
		}
		env, err := p.inspectEnvironment(ctx, cfg, e)
		if err != nil {
			return nil, err
		}
		list = append(list, env)
	}
	return list, nil
}

func (p *program) inspectEnvironment(ctx context.Context, cfg *config.Config, e *config.Environment) (promotion.Inspected, error) {
	env := promotion.Inspected{Place: placeOf(e.Place), Entries: map[string]compose.Place{}}
	for _, s := range cfg.Services {
		env.Entries[s.Name] = placeOf(s.Place)
	}
	var err error
	if env.Target, err = targetOf(cfg, e); err != nil {
		env.Failure = &compose.Error{File: env.Place.File, Line: env.Place.Line, Column: env.Place.Column, Reason: "the project directory of " + e.Name + ", " + env.Target.Project + ", is not there", Advice: "project: …   # where its compose files are"}
		return env, nil
	}
	loaded, err := p.inspectProject(ctx, &env)
	if !loaded {
		return env, err
	}
	return env, p.tryMoves(ctx, &env)
}

// inspectAlone looks at the compose project of a directory as if promote moved some of its services.
func (p *program) inspectAlone(ctx context.Context, dir string, runs []string) (promotion.Inspected, error) {
	env := promotion.Inspected{Target: promotion.Target{Project: dir, Engine: promotion.EngineCompose}}
	loaded, err := p.inspectProject(ctx, &env)
	if !loaded {
		return env, err
	}
	if len(runs) == 0 {
		runs = builtHere(env.Services)
		p.screen.Say("no promote.yaml: looking at %s as if promote moved %s", dir, cmp.Or(strings.Join(runs, ", "), "nothing; --runs names the services that it would move"))
	}
	if env.Target.Services, err = services(env, runs); err != nil {
		return env, err
	}
	return env, p.tryMoves(ctx, &env)
}

// builtHere are the compose services whose images are built from here, and those that run the same.
func builtHere(list []promotion.Written) []string {
	built := map[string]bool{}
	for _, w := range list {
		built[w.Image] = built[w.Image] || w.Context != "" && w.Image != ""
	}
	var names []string
	for _, w := range list {
		if built[w.Image] {
			names = append(names, w.Name)
		}
	}
	return names
}

// services makes services of compose services: those that run one image move together.
func services(env promotion.Inspected, runs []string) ([]promotion.Service, error) {
	tag, err := semver.ParseTemplate("v{version}")
	if err != nil {
		return nil, err
	}
	var list []promotion.Service
	together := map[string]int{} // image → its service in the list
	for _, name := range runs {
		at := slices.IndexFunc(env.Services, func(w promotion.Written) bool { return w.Name == name })
		if at < 0 {
			return nil, &usage{text: fmt.Sprintf("no compose service %q in %s", name, env.Target.Project), hint: "docker compose config --services"}
		}
		w := env.Services[at]
		if i, found := together[w.Image]; found && w.Image != "" {
			list[i].Runs = append(list[i].Runs, name)
			continue
		}
		together[w.Image] = len(list)
		list = append(list, promotion.Service{Name: name, Image: w.Repository, Runs: []string{name}, Tag: tag})
	}
	return list, nil
}

func (p *program) composeOptions(t promotion.Target) compose.Options {
	return compose.Options{Dir: t.Project, Files: t.Compose, EnvFiles: t.EnvFiles, Name: t.Name, Profiles: t.Profiles, Environ: p.environ}
}

// inspectProject loads the compose project of a target and notes what Lint wants to know. That it can't
// be loaded is a finding.
func (p *program) inspectProject(ctx context.Context, env *promotion.Inspected) (loaded bool, err error) {
	t := env.Target
	project, err := compose.Load(ctx, p.composeOptions(t))
	if err != nil {
		env.Failure = narrowed(asRefusal(err, t.Project), t)
		return false, ctx.Err()
	}
	env.Project = project.Name()
	awaited := project.Awaited()
	for _, s := range project.Services() {
		w := promotion.Written{
			Service: s, Keys: map[string]compose.Place{}, Variables: project.Variables(s.Name), Labels: project.Labels(s.Name), Awaited: awaited[s.Name],
		}
		for _, key := range promotion.LintKeys {
			at, found := project.Key(s.Name, key)
			if found {
				w.Keys[key] = at
			}
		}
		w.At, _ = project.Key(s.Name, "")
		env.Services = append(env.Services, w)
	}
	return true, nil
}

// tryMoves prepares an edit of every service as a deployment would, and keeps what refuses it. Nothing
// is written.
func (p *program) tryMoves(ctx context.Context, env *promotion.Inspected) error {
	options := p.composeOptions(env.Target)
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
				tryEdit(env, project, change)
			default:
				together = append(together, change)
			}
		}
		if len(together) > 0 {
			tryEdit(env, project, together...)
		}
	}
	return nil
}

// tryEdit keeps a refusal at the service that it names, else at the first.
func tryEdit(env *promotion.Inspected, project *compose.Project, changes ...compose.Change) {
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

// narrowed names the compose file that can't be loaded instead of its directory, where there is only
// one.
func narrowed(e *compose.Error, t promotion.Target) *compose.Error {
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

// placeOf is a place of promote.yaml, whose path may be relative to where promote was started.
func placeOf(at config.Place) compose.Place {
	file, err := filepath.Abs(at.File)
	if err != nil {
		file = at.File
	}
	return compose.Place{File: file, Line: at.Line, Column: at.Column}
}
