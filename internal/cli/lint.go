package cli

import (
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"promote/compose"
	"promote/internal/config"
	"promote/internal/deploy"
	"promote/internal/lint"
	"promote/internal/ui"
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
	findings := slices.DeleteFunc(lint.FindProblems(environments), func(f lint.Finding) bool {
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
		if !slices.Contains(lint.Rules, rule) {
			return nil, wrongArguments(c, "no rule %q; there are %s", rule, strings.Join(lint.Rules, ", "))
		}
	}
	if len(only) == 0 {
		only = slices.Clone(lint.Rules)
	}
	return slices.DeleteFunc(only, func(rule string) bool { return slices.Contains(ignored, rule) }), nil
}

func commaList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// inspect looks at the files of promote.yaml's environments on this machine: of all, since what one
// lacks may stand in another. Without promote.yaml it looks at the compose project of the directory.
func (p *program) inspect(ctx context.Context, c *cli.Context, dir string) ([]lint.Environment, error) {
	cfg, err := p.load(c)
	if errors.Is(err, config.ErrNotFound) && c.NArg() == 0 {
		return p.inspectDirectory(ctx, dir, commaList(c.String("runs")))
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
	var list []lint.Environment
	for _, e := range cfg.Environments {
		if len(e.Hosts) > 0 {
			continue
		}
		env := lintedEnvironment(cfg, e)
		if env.Failure == nil {
			err = env.Inspect(ctx, p.environ)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, env)
	}
	return list, nil
}

// lintedEnvironment is an environment of promote.yaml, before its compose files are read.
func lintedEnvironment(cfg *config.Config, e *config.Environment) lint.Environment {
	env := lint.Environment{Place: placeOf(e.Place), Entries: map[string]compose.Place{}}
	for _, s := range cfg.Services {
		env.Entries[s.Name] = placeOf(s.Place)
	}
	var err error
	if env.Target, err = deploy.TargetOf(cfg, e); err != nil {
		env.Failure = &compose.Error{File: env.Place.File, Line: env.Place.Line, Column: env.Place.Column, Reason: "the project directory of " + e.Name + ", " + env.Target.Project + ", is not there", Advice: "project: …   # where its compose files are"}
	}
	return env
}

// inspectDirectory looks at the compose project of a directory, and says which services it takes for moving.
func (p *program) inspectDirectory(ctx context.Context, dir string, runs []string) ([]lint.Environment, error) {
	env, taken, err := lint.InspectDirectory(ctx, dir, runs, p.environ)
	if len(runs) == 0 && env.Failure == nil {
		p.screen.Say("no promote.yaml: looking at %s as if promote moved %s", dir, cmp.Or(strings.Join(taken, ", "), "nothing; --runs names the services that it would move"))
	}
	return []lint.Environment{env}, err
}

// placeOf is a place of promote.yaml, whose path may be relative to where promote was started.
func placeOf(at config.Place) compose.Place {
	file, err := filepath.Abs(at.File)
	if err != nil {
		file = at.File
	}
	return compose.Place{File: file, Line: at.Line, Column: at.Column}
}
