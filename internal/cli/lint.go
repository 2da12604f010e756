package cli

import (
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
	for _, name := range c.Args().Slice() {
		if _, err := cfg.Environment(name); err != nil {
			return nil, err
		}
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
	project, err := p.inspectProject(ctx, &env)
	if project != nil {
		tryMoves(&env, project)
	}
	return env, err
}

// inspectAlone looks at the compose project of a directory as if promote moved some of its services.
func (p *program) inspectAlone(ctx context.Context, dir string, runs []string) (promotion.Inspected, error) {
	env := promotion.Inspected{Target: promotion.Target{Project: dir, Engine: promotion.EngineCompose}}
	project, err := p.inspectProject(ctx, &env)
	if project == nil {
		return env, err
	}
	chosen := len(runs) > 0
	for _, w := range env.Services {
		if !chosen && w.Context != "" && w.Image != "" {
			runs = append(runs, w.Name)
		}
	}
	switch {
	case chosen:
	case len(runs) > 0:
		p.screen.Say("no promote.yaml: looking at %s as if promote moved what is built here, %s; --runs says it otherwise", dir, strings.Join(runs, ", "))
	default:
		p.screen.Say("no promote.yaml: looking at %s as if promote moved nothing; --runs names the services that it would move", dir)
	}
	if env.Target.Services, err = services(env, runs); err != nil {
		return env, err
	}
	tryMoves(&env, project)
	return env, nil
}

// services makes services of compose services: those that run one image move together.
func services(env promotion.Inspected, runs []string) ([]promotion.Service, error) {
	tag, err := semver.ParseTemplate("v{version}")
	if err != nil {
		return nil, err
	}
	var list []promotion.Service
	for _, name := range runs {
		at := slices.IndexFunc(env.Services, func(w promotion.Written) bool { return w.Name == name })
		if at < 0 {
			return nil, &usage{text: fmt.Sprintf("no compose service %q in %s", name, env.Target.Project), hint: "docker compose config --services"}
		}
		image := env.Services[at].Repository
		same := slices.IndexFunc(list, func(s promotion.Service) bool { return image != "" && s.Image == image })
		if same >= 0 {
			list[same].Runs = append(list[same].Runs, name)
			continue
		}
		list = append(list, promotion.Service{Name: name, Image: image, Runs: []string{name}, Tag: tag})
	}
	return list, nil
}

// inspectProject loads the compose project of a target and notes what Lint wants to know. It gives no
// project where it can't be loaded; that is a finding.
func (p *program) inspectProject(ctx context.Context, env *promotion.Inspected) (*compose.Project, error) {
	t := env.Target
	project, err := compose.Load(ctx, compose.Options{
		Dir: t.Project, Files: t.Compose, EnvFiles: t.EnvFiles, Name: t.Name, Profiles: t.Profiles, Environ: p.environ,
	})
	if err != nil {
		env.Failure = asRefusal(err, t.Project)
		return nil, ctx.Err()
	}
	env.Project = project.Name()
	for _, s := range project.Services() {
		w := promotion.Written{Service: s, Keys: map[string]compose.Place{}, Variables: project.Variables(s.Name), Awaited: project.Awaited(s.Name)}
		for _, key := range promotion.LintKeys {
			at, found := project.Key(s.Name, key)
			if found {
				w.Keys[key] = at
			}
		}
		w.At, _ = project.Key(s.Name, "")
		env.Services = append(env.Services, w)
	}
	return project, nil
}

// tryMoves prepares an edit of every service as a deployment would, and keeps what refuses it. Nothing
// is written.
func tryMoves(env *promotion.Inspected, project *compose.Project) {
	env.Refusals = map[string]*compose.Error{}
	to := compose.Pin{Tag: "v0.0.0-lint"}
	for _, s := range env.Target.Services {
		var together []compose.Change
		for _, name := range s.Runs {
			at := slices.IndexFunc(env.Services, func(w promotion.Written) bool { return w.Name == name })
			if at >= 0 && env.Services[at].Refusal == "" {
				together = append(together, compose.Change{Service: name, From: env.Services[at].Pin, To: to})
				continue
			}
			if _, err := project.Edit(compose.Change{Service: name, To: to}); err != nil {
				env.Refusals[name] = asRefusal(err, project.Dir())
			}
		}
		if len(together) == 0 {
			continue
		}
		if _, err := project.Edit(together...); err != nil {
			refusal := asRefusal(err, project.Dir())
			name := together[0].Service
			if slices.Contains(s.Runs, refusal.Service) {
				name = refusal.Service
			}
			env.Refusals[name] = refusal
		}
	}
}

// asRefusal gives any error of compose a place, at worst the project directory.
func asRefusal(err error, dir string) *compose.Error {
	if refusal := (*compose.Error)(nil); errors.As(err, &refusal) {
		return refusal
	}
	return &compose.Error{File: dir, Reason: err.Error(), Advice: "docker compose config"}
}

// placeOf is a place of promote.yaml, whose path may be relative to where promote was started.
func placeOf(at config.Place) compose.Place {
	file, err := filepath.Abs(at.File)
	if err != nil {
		file = at.File
	}
	return compose.Place{File: file, Line: at.Line, Column: at.Column}
}
