package cli

import (
	"context"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/promotion"
	"promote/internal/release"
	"promote/semver"
)

type recordOptions struct {
	cfg      *config.Config
	service  *config.Service
	version  semver.Version
	digest   string
	revision string // empty for HEAD
	noGit    bool
	dryRun   bool
}

func (p *program) recordCommand() *cli.Command {
	return p.command(entry{
		name: "record", args: "[SERVICE] VERSION", usage: "give an image that something else built and pushed its version, git tag and latest; can be run again",
		examples: []string{
			"promote record core v1.5.0 --digest sha256:…  the commit that is checked out",
			"promote record v1.5.0 --digest sha256:… --revision 4f2a91c",
			"promote record v1.5.0 --digest sha256:… --no-git",
		},
		flags: []cli.Flag{
			dryRunFlag,
			&cli.StringFlag{Name: "digest", Usage: "of the image, in the service's repository"},
			&cli.StringFlag{Name: "revision", Usage: "the commit that it was built from", DefaultText: "HEAD"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "no-git", Usage: "tag the image only, no commit"},
		},
		run: func(ctx context.Context, c *cli.Context) error {
			o, err := p.recordOptions(c)
			if err != nil {
				return err
			}
			return p.runRecord(ctx, o)
		},
	})
}

func (p *program) recordOptions(c *cli.Context) (o recordOptions, err error) {
	o = recordOptions{digest: c.String("digest"), revision: c.String("revision"), noGit: c.Bool("no-git"), dryRun: c.Bool("dry-run")}
	if o.cfg, err = p.load(c); err != nil {
		return o, err
	}
	name, text := c.Args().Get(0), c.Args().Get(1)
	if c.NArg() == 1 {
		name, text = "", name
	}
	if c.NArg() == 0 || c.NArg() > 2 || o.digest == "" {
		return o, wrongArguments(c, "record needs a version, and the digest of the image")
	}
	if o.noGit && o.revision != "" {
		return o, wrongArguments(c, "a revision is of git: --no-git and --revision exclude each other")
	}
	if o.version, err = semver.Parse(text); err != nil {
		return o, wrongArguments(c, "%q is not a version such as v1.4.2", text)
	}
	o.service, err = oneService(c, o.cfg, name)
	return o, err
}

func (p *program) runRecord(ctx context.Context, o recordOptions) error {
	project := release.NewProject(o.cfg, p.releaseTools())
	image, err := project.FindExternal(o.service, o.version, o.digest)
	if err != nil {
		return err
	}
	if !o.noGit {
		if err := image.LocateCommit(ctx, o.revision); err != nil {
			return err
		}
	}
	if err := image.Examine(ctx); err != nil {
		return err
	}
	if o.dryRun {
		return p.previewRecord(image)
	}
	published, err := image.Record(ctx)
	if err != nil {
		return err
	}
	return p.answerPublished(published)
}

// previewRecord tells what would be done.
func (p *program) previewRecord(image *release.ExternalImage) error {
	if p.screen.JSON {
		return p.screen.Object(publicationObject(image.Publication()))
	}
	if image.Revision != "" {
		p.screen.Say("would tag %.12s as %s", image.Revision, image.Release.GitTag)
	}
	p.screen.Say("would make %s stand for %s", image.Release.Reference(), promotion.Short(image.Digest))
	p.screen.Answer("%s", image.Release.Version)
	return nil
}
