package cli

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/promotion"
	"promote/semver"
)

func (p *program) bumpCommand() *cli.Command {
	return p.command(entry{
		name: "bump", args: "[SERVICE] major|minor|patch|VERSION", usage: "make a new version: file, commit, image, git tag, latest",
		examples: []string{
			"promote bump minor               1.4.2 → 1.5.0, built and published",
			"promote bump core v2.0.0-rc.1    to an exact version",
			"promote bump patch --no-publish  file and commit only; CI publishes",
		},
		flags: []cli.Flag{dryRunFlag, &cli.BoolFlag{DisableDefaultText: true, Name: "no-publish", Usage: "stop after the commit; for teams whose CI runs promote publish"}},
		run:   p.bump,
	})
}

func (p *program) bump(ctx context.Context, c *cli.Context) error {
	cfg, err := p.load(c)
	if err != nil {
		return err
	}
	service, how, err := bumpArguments(c, cfg)
	if err != nil {
		return err
	}
	r, err := p.release(ctx, cfg, service)
	if err != nil {
		return err
	}
	if err := r.clean(ctx); err != nil {
		return err
	}
	current, err := r.current(ctx)
	if err != nil {
		return err
	}
	publish := !c.Bool("no-publish")
	if again, err := r.begun(ctx, current); err != nil {
		return err
	} else if again && publish && !c.Bool("dry-run") {
		p.screen.Say("going on with %s, which was bumped but not published", current)
		return r.publish(ctx, current)
	}
	next, err := bumped(current, how)
	if err != nil {
		return err
	}
	if err := r.setVersion(next); err != nil {
		return err
	}
	if err := r.free(ctx, publish); err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return p.answerBump(r, current, publish)
	}
	if err := r.write(ctx, current); err != nil {
		return err
	}
	if publish {
		return r.publish(ctx, next)
	}
	return p.answerBump(r, current, false)
}

// bumpArguments reads [SERVICE] HOW, in either order.
func bumpArguments(c *cli.Context, cfg *config.Config) (*config.Service, string, error) {
	first, second := c.Args().Get(0), c.Args().Get(1)
	if c.NArg() == 0 || c.NArg() > 2 {
		return nil, "", wrongArguments(c, "bump what: major, minor, patch, or to which version?")
	}
	if _, err := cfg.Service(second); c.NArg() == 2 && err == nil {
		first, second = second, first
	}
	if c.NArg() == 1 {
		first, second = "", first
	}
	service, err := oneService(c, cfg, first)
	return service, second, err
}

// bumped is the version after the present one.
func bumped(current semver.Version, how string) (semver.Version, error) {
	if part, ok := semver.ParsePart(how); ok {
		return current.Bump(part), nil
	}
	next, err := semver.Parse(how)
	if err != nil {
		return next, &usage{text: fmt.Sprintf("%q is neither major, minor, patch nor a version such as v1.4.2", how), hint: "promote bump --help"}
	}
	if !current.IsZero() && !current.Less(next) {
		return next, &usage{text: fmt.Sprintf("%s is not newer than %s", next, current), hint: "promote bump patch"}
	}
	return next, nil
}

func (p *program) answerBump(r *release, from semver.Version, publish bool) error {
	r.reportRelease()
	if p.screen.JSON {
		return p.screen.Object(map[string]any{
			"schema": promotion.Schema, "service": r.service.Name, "from": from.String(), "version": r.version.String(),
			"image": r.service.Image + ":" + r.tag, "git_tag": r.gitTag, "published": false,
		})
	}
	if publish {
		p.screen.Say("would publish %s:%s and tag %s", r.service.Image, r.tag, r.gitTag)
	}
	p.screen.Answer("%s", r.version)
	return nil
}
