package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/promotion"
	"promote/semver"
)

var (
	preFlag     = &cli.StringFlag{Name: "pre", Usage: "make a prerelease with this `NAME`: --pre rc gives v1.5.0-rc.1, then rc.2"}
	changedFlag = &cli.BoolFlag{DisableDefaultText: true, Name: "changed", Usage: "bump the services whose path has commits since their last version; auto, unless you say more"}
)

func (p *program) bumpCommand() *cli.Command {
	return p.command(entry{
		name: "bump", args: "[SERVICE] auto|major|minor|patch|VERSION", usage: "make a new version: file, changelog, commit, image, git tag, latest",
		examples: []string{
			"promote bump auto                what the commits since the last version ask for",
			"promote bump auto --pre rc       v1.5.0-rc.1, then rc.2; without --pre the final v1.5.0",
			"promote bump minor               1.4.2 → 1.5.0, built and published",
			"promote bump core v2.0.0-rc.1    to an exact version",
			"promote bump --changed           every service that changed: one commit, a tag each",
			"promote bump patch --no-publish  file and commit only; CI publishes",
		},
		flags: []cli.Flag{dryRunFlag, preFlag, changedFlag, exitFlag, &cli.BoolFlag{DisableDefaultText: true, Name: "no-publish", Usage: "stop after the commit; for teams whose CI runs promote publish"}},
		run:   p.bump,
	})
}

func (p *program) bump(ctx context.Context, c *cli.Context) error {
	cfg, err := p.load(c)
	if err != nil {
		return err
	}
	units, how, err := p.bumpArguments(ctx, c, cfg)
	if err != nil {
		return err
	}
	publish := !c.Bool("no-publish")
	if publish && !c.Bool("dry-run") {
		if begun, err := p.begun(ctx, cfg, units); err != nil || len(begun) > 0 {
			return p.goOn(ctx, begun, err)
		}
	}
	bumps, err := cleanBumps(ctx, units, how)
	if err != nil {
		return err
	}
	list, err := p.explained(bumps)
	if err != nil || len(list) == 0 {
		return p.nothing(c, bumps, err)
	}
	if err := list.free(ctx, publish); err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return p.answerBump(list, publish)
	}
	if err := list.write(ctx); err != nil {
		return err
	}
	if publish {
		return list.publish(ctx)
	}
	return p.answerBump(list, false)
}

// cleanBumps are the bumps of a clean tree, which is made sure of while the commits are read. A tree with
// changes is what is told first.
func cleanBumps(ctx context.Context, units []batch, how wish) ([]*bump, error) {
	dirty := make(chan error, 1)
	go func() { dirty <- units[0][0].clean(ctx) }()
	bumps, err := bumpsOf(ctx, units, how)
	return bumps, cmp.Or(<-dirty, err)
}

// goOn takes a bump that was interrupted to its end.
func (p *program) goOn(ctx context.Context, begun batch, err error) error {
	if err == nil {
		err = begun[0].clean(ctx)
	}
	if err != nil {
		return err
	}
	p.screen.Say("going on with %s, which was bumped but not published", begun)
	return begun.publish(ctx)
}

// bumpArguments reads [SERVICE] HOW, in either order, or what --changed says. The services that get a
// version together are a unit.
func (p *program) bumpArguments(ctx context.Context, c *cli.Context, cfg *config.Config) (units []batch, how wish, err error) {
	name, word := serviceFirst(cfg, c.Args().Get(0), c.Args().Get(1))
	switch {
	case c.Bool("changed"):
		how, err = changedWish(c)
	case c.NArg() == 0 || c.NArg() > 2:
		err = wrongArguments(c, "bump what: auto, major, minor, patch, or to which version?")
	case c.NArg() == 1:
		name, word = "", name
		fallthrough
	default:
		how, err = parseWish(word, c.String("pre"))
	}
	if err != nil {
		return nil, how, err
	}
	units, err = p.units(ctx, c, cfg, name, how.changed)
	return units, how, err
}

// changedWish reads [HOW] of --changed.
func changedWish(c *cli.Context) (how wish, err error) {
	if c.NArg() > 1 {
		return how, wrongArguments(c, "--changed finds the services itself; say at most how: auto, major, minor or patch")
	}
	how, err = parseWish(orAuto(c.Args().First()), c.String("pre"))
	how.changed = true
	if err == nil && !how.exact.IsZero() {
		return how, wrongArguments(c, "--changed bumps several services, which have no version in common")
	}
	return how, err
}

func orAuto(word string) string {
	if word == "" {
		return "auto"
	}
	return word
}

// serviceFirst puts the name of a service in front of the other word.
func serviceFirst(cfg *config.Config, first, second string) (string, string) {
	if _, err := cfg.Service(second); second != "" && err == nil {
		return second, first
	}
	return first, second
}

// wish is what the command line wants a version to become.
type wish struct {
	auto    bool           // what the commits ask for
	part    semver.Part    // else this part
	exact   semver.Version // else this
	pre     string         // as a prerelease with this identifier
	changed bool           // only services that changed
}

func parseWish(word, pre string) (w wish, err error) {
	w.pre = pre
	if pre != "" {
		if _, err := semver.MustParse("1.0.0").Prerelease(pre, 1); err != nil {
			return w, &usage{text: err.Error(), hint: "promote bump auto --pre rc"}
		}
	}
	if word == "auto" {
		w.auto = true
		return w, nil
	}
	part, ok := semver.ParsePart(word)
	if w.part = part; ok {
		return w, nil
	}
	if w.exact, err = semver.Parse(word); err != nil {
		return w, &usage{text: fmt.Sprintf("%q is neither auto, major, minor, patch nor a version such as v1.4.2", word), hint: "promote bump --help"}
	}
	if pre != "" {
		return w, &usage{text: "a version and --pre exclude each other", hint: "promote bump auto --pre " + pre}
	}
	return w, nil
}

// explained gives the releases of the bumps, and says why they are what they are.
func (p *program) explained(bumps []*bump) (list batch, err error) {
	for _, b := range bumps {
		if b.to.IsZero() {
			continue
		}
		p.explain(b)
		for _, r := range b.batch {
			if err := r.setVersion(b.to); err != nil {
				return nil, err
			}
			list = append(list, r)
		}
	}
	return list, nil
}

// nothing says that nothing is to be released.
func (p *program) nothing(c *cli.Context, bumps []*bump, err error) error {
	if err != nil {
		return err
	}
	if len(bumps) == 0 {
		err = p.answerChanged([]string{})
	}
	for _, b := range bumps {
		p.screen.Say("%s", b.unchanged())
		if p.screen.JSON {
			err = p.screen.Object(b.answer())
		}
	}
	if c.Bool("exit-code") && err == nil {
		return &quietError{exitPending}
	}
	return err
}

func (p *program) answerBump(list batch, publish bool) error {
	for _, r := range list {
		r.reportRelease()
		if p.screen.JSON {
			if err := p.screen.Object(map[string]any{
				"schema": promotion.Schema, "service": r.service.Name, "from": r.from.String(), "version": r.version.String(),
				"image": r.service.Image + ":" + r.tag, "git_tag": r.gitTag, "published": false,
			}); err != nil {
				return err
			}
			continue
		}
		if publish {
			p.screen.Say("would publish %s:%s and tag %s", r.service.Image, r.tag, r.gitTag)
		}
		if len(list) == 1 {
			p.screen.Answer("%s", r.version)
			continue
		}
		p.screen.Answer("%s %s", r.service.Name, r.version)
	}
	return nil
}
