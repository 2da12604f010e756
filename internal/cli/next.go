package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/promotion"
	"promote/internal/release"
	"promote/semver"
)

type nextOptions struct {
	cfg      *config.Config
	service  *config.Service
	request  release.BumpRequest
	exitCode bool
}

func (p *program) nextCommand() *cli.Command {
	return p.command(entry{
		name: "next", args: "[SERVICE] [auto|major|minor|patch|VERSION]", usage: "print the version that bump would make, and nothing else",
		examples: []string{
			"promote next             what the commits ask for: v1.5.0",
			"promote next core --pre rc",
			"promote next --exit-code || echo 'nothing to release'",
		},
		flags: []cli.Flag{preFlag, exitFlag},
		run: func(ctx context.Context, c *cli.Context) error {
			o, err := p.nextOptions(c)
			if err != nil {
				return err
			}
			return p.runNext(ctx, o)
		},
	})
}

func (p *program) nextOptions(c *cli.Context) (o nextOptions, err error) {
	o.exitCode = c.Bool("exit-code")
	if o.cfg, err = p.load(c); err != nil {
		return o, err
	}
	if c.NArg() > 2 {
		return o, wrongArguments(c, "next wants a service, and how to bump it")
	}
	name, word := optionalService(c, o.cfg)
	if o.request, err = release.ParseBump(cmp.Or(word, autoWord), c.String("pre")); err != nil {
		return o, err
	}
	o.service, err = oneService(c, o.cfg, name)
	return o, err
}

func (p *program) runNext(ctx context.Context, o nextOptions) error {
	project, err := p.openProject(ctx, o.cfg)
	if err != nil {
		return err
	}
	linked := project.Linked([]*config.Service{o.service})
	b, err := release.NextBump(ctx, linked[0], o.request)
	switch {
	case err != nil:
		return err
	case b.To.IsZero():
		return p.answerUnchanged([]*release.Bump{b}, o.exitCode)
	case p.screen.JSON:
		return p.screen.Object(bumpObject(b))
	}
	p.explainBump(b)
	p.screen.Answer("%s", b.To)
	return nil
}

// answerUnchanged says that nothing is to be released.
func (p *program) answerUnchanged(bumps []*release.Bump, exitCode bool) (err error) {
	if len(bumps) == 0 {
		err = p.answerChanged([]string{})
	}
	for _, b := range bumps {
		p.screen.Say("%s", unchangedText(b))
		if p.screen.JSON {
			err = p.screen.Object(bumpObject(b))
		}
	}
	if exitCode && err == nil {
		return &quietError{exitPending}
	}
	return err
}

// bumpedNames are those of the services, where the version alone would not tell.
func bumpedNames(b *release.Bump) string {
	if b.Services[0].StandsAlone() {
		return ""
	}
	return strings.Join(b.Services.Names(), " ") + " "
}

// explainBump says which commit decided, if one did.
func (p *program) explainBump(b *release.Bump) {
	names, others := bumpedNames(b), ""
	switch n := b.Commits - 1; {
	case b.Announced:
		p.screen.Say("%s%s: after %s", names, b.To, b.From)
		return
	case b.Because == nil:
		return
	case n == 1:
		others = ", and 1 other commit"
	case n > 1:
		others = fmt.Sprintf(", and %d other commits", n)
	}
	p.screen.Say("%s%s (%s): %.7s %s%s", names, b.To, b.Part, b.Because.Hash, b.Because.Subject, others)
}

// unchangedText says since when nothing asks for a version.
func unchangedText(b *release.Bump) string {
	names, since := bumpedNames(b), orBeginning(b.From)
	switch b.Commits {
	case 0:
		return fmt.Sprintf("%sno change since %s", names, since)
	case 1:
		return fmt.Sprintf("%sno change since %s: 1 commit, which asks for no release", names, since)
	default:
		return fmt.Sprintf("%sno change since %s: %d commits, none of which asks for a release", names, since, b.Commits)
	}
}

func orBeginning(v semver.Version) string {
	if v.IsZero() {
		return "the beginning"
	}
	return v.String()
}

// bumpObject is the bump for programs.
func bumpObject(b *release.Bump) any {
	names := b.Services.Names()
	object := map[string]any{
		"schema": promotion.Schema, "service": names[0], "services": names, "from": b.From.String(), "version": b.To.String(),
		"part": b.Part.String(), "commits": b.Commits,
	}
	if b.Because != nil {
		object["commit"] = map[string]string{"hash": b.Because.Hash, "subject": b.Because.Subject}
	}
	return object
}
