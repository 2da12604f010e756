package cli

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/git"
	"promote/internal/promotion"
	"promote/semver"
)

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
			cfg, err := p.load(c)
			if err != nil {
				return err
			}
			b, err := p.next(ctx, c, cfg)
			switch {
			case err != nil:
				return err
			case b.to.IsZero():
				return p.nothing(c, []*bump{b}, nil)
			case p.screen.JSON:
				return p.screen.Object(b.answer())
			}
			p.explain(b)
			p.screen.Answer("%s", b.to)
			return nil
		},
	})
}

func (p *program) next(ctx context.Context, c *cli.Context, cfg *config.Config) (*bump, error) {
	if c.NArg() > 2 {
		return nil, wrongArguments(c, "next wants a service, and how to bump it")
	}
	name, word := optionalService(c, cfg)
	how, err := parseWish(orAuto(word), c.String("pre"))
	if err != nil {
		return nil, err
	}
	units, err := p.units(ctx, c, cfg, name, false)
	if err != nil {
		return nil, err
	}
	return bumpOf(ctx, units[0], how)
}

// optionalService reads [SERVICE] [WORD], in either order.
func optionalService(c *cli.Context, cfg *config.Config) (name, word string) {
	name, word = serviceFirst(cfg, c.Args().Get(0), c.Args().Get(1))
	if _, err := cfg.Service(name); word == "" && err != nil {
		return "", name
	}
	return name, word
}

// units are the services that are asked about, each with those that are linked to it.
func (p *program) units(ctx context.Context, c *cli.Context, cfg *config.Config, name string, all bool) ([]batch, error) {
	services := cfg.Services
	if !all {
		one, err := oneService(c, cfg, name)
		if err != nil {
			return nil, err
		}
		services = []*config.Service{one}
	}
	repo, err := git.Open(ctx, cfg.Dir)
	if err != nil {
		return nil, err
	}
	var units []batch
	tags, seen := tagsOf(ctx, repo), map[*config.Service]bool{}
	for _, s := range services {
		var unit batch
		for _, member := range cfg.LinkedTo(s) {
			if !seen[member] {
				seen[member] = true
				unit = append(unit, p.releaseIn(repo, tags, cfg, member))
			}
		}
		if len(unit) > 0 {
			units = append(units, unit)
		}
	}
	return units, nil
}

// bump is a new version for a service, and for those that are linked to it.
type bump struct {
	batch   batch
	from    semver.Version // the highest that they are on
	to      semver.Version // zero: nothing is to be released
	part    semver.Part    // that the commits ask for
	because *git.Commit    // that asks for it
	commits int            // that were looked at
	final   bool           // a prerelease has announced it, and no commit asks for more
}

// bumpsOf are the bumps of all units. Of those that need not change, the ones that did not are left out.
func bumpsOf(ctx context.Context, units []batch, how wish) (list []*bump, err error) {
	for _, unit := range units {
		if how.changed {
			touched, err := unit.touched(ctx, "")
			if err != nil {
				return nil, err
			}
			if !touched {
				continue
			}
		}
		b, err := bumpOf(ctx, unit, how)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, nil
}

// bumpOf finds the next version of a unit.
func bumpOf(ctx context.Context, unit batch, how wish) (*bump, error) {
	b := &bump{batch: unit}
	for _, r := range unit {
		var err error
		if r.from, err = r.current(ctx); err != nil {
			return nil, err
		}
		if b.from.Less(r.from) {
			b.from = r.from
		}
	}
	switch {
	case !how.exact.IsZero():
		b.to = how.exact
	case how.auto:
		if err := b.follow(ctx); err != nil {
			return nil, err
		}
	default:
		b.to = b.from.Bump(how.part)
	}
	if how.pre != "" && !b.to.IsZero() {
		if err := b.prerelease(ctx, how); err != nil {
			return nil, err
		}
	}
	if !b.to.IsZero() && !b.from.IsZero() && !b.from.Less(b.to) {
		return nil, &usage{text: fmt.Sprintf("%s is not newer than %s", b.to, b.from), hint: "promote bump patch"}
	}
	return b, nil
}

// follow finds the version that the commits since the last stable one ask for. What a prerelease has
// announced already is the least.
func (b *bump) follow(ctx context.Context) error {
	var stable semver.Version
	var commits []git.Commit
	for _, r := range b.batch {
		p, err := r.past(ctx)
		if err != nil {
			return err
		}
		if err := r.agrees(r.from, p); err != nil {
			return err
		}
		if v := p.stable().version; stable.Less(v) {
			stable = v
		}
		commits = append(commits, p.commits...)
	}
	if len(b.batch) > 1 {
		commits = distinct(commits)
	}
	b.part, b.because = asked(commits)
	b.commits = len(commits)
	if stable.IsZero() && b.from.Stable() {
		stable = b.from
	}
	b.to = after(stable, b.part)
	if stable.Initial() && b.part != 0 {
		b.part = b.part.InInitial()
	}
	if announced := b.from.Final(); !b.from.Stable() && b.to.Less(announced) {
		b.to, b.part, b.because, b.final = announced, 0, nil, true
	}
	return nil
}

// first is the version of a service that had none.
var first = semver.MustParse("0.1.0")

// after is the version that follows a stable one; zero if nothing is asked for.
func after(stable semver.Version, part semver.Part) semver.Version {
	switch {
	case part == 0:
		return semver.Version{}
	case stable.IsZero():
		return first
	case stable.Initial():
		return stable.Bump(part.InInitial())
	}
	return stable.Bump(part)
}

// prerelease makes the version a prerelease: the first one, or the one after the last, if something
// changed since or a person wants one.
func (b *bump) prerelease(ctx context.Context, how wish) error {
	changed, highest := !how.auto, 0
	for _, r := range b.batch {
		p, err := r.past(ctx)
		if err != nil {
			return err
		}
		newest, number := p.prerelease(b.to, how.pre)
		if n, ok := r.from.PrereleaseNumber(how.pre); ok && number == 0 && r.from.Final() == b.to {
			number = n // of a file, without any tag
		}
		highest = max(highest, number)
		if number == 0 || changed {
			continue
		}
		commits, err := r.since(ctx, newest.rev)
		if err != nil {
			return err
		}
		changed = len(commits) > 0
	}
	if highest > 0 && !changed {
		b.to = semver.Version{}
		return nil
	}
	var err error
	b.to, err = b.to.Prerelease(how.pre, highest+1)
	return err
}

// names are those of the services, where the version alone would not tell.
func (b *bump) names() string {
	if len(b.batch[0].cfg.Services) == 1 {
		return ""
	}
	text := ""
	for _, r := range b.batch {
		text += r.service.Name + " "
	}
	return text
}

// explain says which commit decided, if one did.
func (p *program) explain(b *bump) {
	others := ""
	switch n := b.commits - 1; {
	case b.final:
		p.screen.Say("%s%s: after %s", b.names(), b.to, b.from)
		return
	case b.because == nil:
		return
	case n == 1:
		others = ", and 1 other commit"
	case n > 1:
		others = fmt.Sprintf(", and %d other commits", n)
	}
	p.screen.Say("%s%s (%s): %.7s %s%s", b.names(), b.to, b.part, b.because.Hash, b.because.Subject, others)
}

// unchanged says since when nothing asks for a version.
func (b *bump) unchanged() string {
	switch since := orNone(b.from); b.commits {
	case 0:
		return fmt.Sprintf("%sno change since %s", b.names(), since)
	case 1:
		return fmt.Sprintf("%sno change since %s: 1 commit, which asks for no release", b.names(), since)
	default:
		return fmt.Sprintf("%sno change since %s: %d commits, none of which asks for a release", b.names(), since, b.commits)
	}
}

func orNone(v semver.Version) string {
	if v.IsZero() {
		return "the beginning"
	}
	return v.String()
}

// answer is the bump for programs.
func (b *bump) answer() any {
	var names []string
	for _, r := range b.batch {
		names = append(names, r.service.Name)
	}
	object := map[string]any{
		"schema": promotion.Schema, "service": names[0], "services": names, "from": b.from.String(), "version": b.to.String(),
		"part": b.part.String(), "commits": b.commits,
	}
	if b.because != nil {
		object["commit"] = map[string]string{"hash": b.because.Hash, "subject": b.because.Subject}
	}
	return object
}
