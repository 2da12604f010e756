package cli

import (
	"cmp"
	"context"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/promotion"
	"promote/internal/release"
)

var (
	preFlag     = &cli.StringFlag{Name: "pre", Usage: "make a prerelease with this `NAME`: --pre rc gives v1.5.0-rc.1, then rc.2"}
	changedFlag = &cli.BoolFlag{DisableDefaultText: true, Name: "changed", Usage: "bump the services whose path has commits since their last version; auto, unless you say more"}
)

// autoWord asks for what the commits ask for.
const autoWord = "auto"

type bumpOptions struct {
	cfg      *config.Config
	services []*config.Service // that are asked for
	request  release.BumpRequest
	publish  bool
	dryRun   bool
	exitCode bool
}

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
		run: func(ctx context.Context, c *cli.Context) error {
			o, err := p.bumpOptions(c)
			if err != nil {
				return err
			}
			return p.runBump(ctx, o)
		},
	})
}

func (p *program) bumpOptions(c *cli.Context) (o bumpOptions, err error) {
	o.publish, o.dryRun, o.exitCode = !c.Bool("no-publish"), c.Bool("dry-run"), c.Bool("exit-code")
	if o.cfg, err = p.load(c); err != nil {
		return o, err
	}
	if c.Bool("changed") {
		o.services = o.cfg.Services
		o.request, err = changedRequest(c)
		return o, err
	}
	name, word := serviceFirst(o.cfg, c.Args().Get(0), c.Args().Get(1))
	switch c.NArg() {
	case 1:
		name, word = "", name
	case 2:
	default:
		return o, wrongArguments(c, "bump what: auto, major, minor, patch, or to which version?")
	}
	if o.request, err = release.ParseBump(word, c.String("pre")); err != nil {
		return o, err
	}
	service, err := oneService(c, o.cfg, name)
	o.services = []*config.Service{service}
	return o, err
}

// changedRequest reads [HOW] of --changed.
func changedRequest(c *cli.Context) (request release.BumpRequest, err error) {
	if c.NArg() > 1 {
		return request, wrongArguments(c, "--changed finds the services itself; say at most how: auto, major, minor or patch")
	}
	request, err = release.ParseBump(cmp.Or(c.Args().First(), autoWord), c.String("pre"))
	request.Changed = true
	if err == nil && !request.Exact.IsZero() {
		return request, wrongArguments(c, "--changed bumps several services, which have no version in common")
	}
	return request, err
}

func (p *program) runBump(ctx context.Context, o bumpOptions) error {
	project, err := p.openProject(ctx, o.cfg)
	if err != nil {
		return err
	}
	linked := project.Linked(o.services)
	if o.publish && !o.dryRun {
		unfinished, err := project.FindUnfinished(ctx, linked)
		if err != nil {
			return err
		}
		if len(unfinished) > 0 {
			return p.finishBump(ctx, project, unfinished)
		}
	}
	bumps, err := project.PlanCleanBumps(ctx, linked, o.request)
	if err != nil {
		return err
	}
	list, err := p.explainBumps(bumps)
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return p.answerUnchanged(bumps, o.exitCode)
	}
	return p.makeReleases(ctx, list, o)
}

// makeReleases commits and publishes the releases, as far as the options want it.
func (p *program) makeReleases(ctx context.Context, list release.Releases, o bumpOptions) error {
	if err := list.RequireFree(ctx, o.publish); err != nil {
		return err
	}
	if o.dryRun {
		return p.answerBump(list, o.publish)
	}
	if err := list.Commit(ctx); err != nil {
		return err
	}
	if o.publish {
		return list.Publish(ctx, p.answerPublished)
	}
	return p.answerBump(list, false)
}

// finishBump takes a bump that was interrupted to its end.
func (p *program) finishBump(ctx context.Context, project *release.Project, unfinished release.Releases) error {
	if err := project.RequireCleanTree(ctx); err != nil {
		return err
	}
	p.screen.Say("going on with %s, which was bumped but not published", unfinished)
	return unfinished.Publish(ctx, p.answerPublished)
}

// explainBumps gives the releases of the bumps, and says why they are what they are.
func (p *program) explainBumps(bumps []*release.Bump) (list release.Releases, err error) {
	for _, b := range bumps {
		if b.To.IsZero() {
			continue
		}
		p.explainBump(b)
		releases, err := b.Releases()
		if err != nil {
			return nil, err
		}
		list = append(list, releases...)
	}
	return list, nil
}

// answerBump tells the versions of releases that are not published, or would be.
func (p *program) answerBump(list release.Releases, publish bool) error {
	for _, r := range list {
		p.reportRelease(r)
		if p.screen.JSON {
			if err := p.screen.Object(map[string]any{
				"schema": promotion.Schema, "service": r.Service.Name, "from": r.From.String(), "version": r.Version.String(),
				"image": r.Reference(), "git_tag": r.GitTag, "published": false,
			}); err != nil {
				return err
			}
			continue
		}
		if publish {
			p.screen.Say("would publish %s and tag %s", r.Reference(), r.GitTag)
		}
		if len(list) == 1 {
			p.screen.Answer("%s", r.Version)
			continue
		}
		p.screen.Answer("%s %s", r.Service.Name, r.Version)
	}
	return nil
}
