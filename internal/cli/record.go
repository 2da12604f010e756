package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/git"
	"promote/internal/promotion"
	"promote/registry"
	"promote/semver"
)

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
		run: p.record,
	})
}

func (p *program) record(ctx context.Context, c *cli.Context) error {
	cfg, err := p.load(c)
	if err != nil {
		return err
	}
	service, v, err := recordArguments(c, cfg)
	if err != nil {
		return err
	}
	f := &finding{
		release: &release{program: p, cfg: cfg, service: service, registry: p.registry()},
		digest:  c.String("digest"),
	}
	if err := f.setVersion(v); err != nil {
		return err
	}
	if !c.Bool("no-git") {
		if err := f.locate(ctx, c.String("revision")); err != nil {
			return err
		}
	}
	if err := f.examine(ctx); err != nil {
		return err
	}
	if c.Bool("dry-run") {
		return f.preview()
	}
	return f.record(ctx)
}

func recordArguments(c *cli.Context, cfg *config.Config) (*config.Service, semver.Version, error) {
	name, text := c.Args().Get(0), c.Args().Get(1)
	if c.NArg() == 1 {
		name, text = "", name
	}
	if c.NArg() == 0 || c.NArg() > 2 || c.String("digest") == "" {
		return nil, semver.Version{}, wrongArguments(c, "record needs a version, and the digest of the image")
	}
	if c.Bool("no-git") && c.String("revision") != "" {
		return nil, semver.Version{}, wrongArguments(c, "a revision is of git: --no-git and --revision exclude each other")
	}
	v, err := semver.Parse(text)
	if err != nil {
		return nil, v, wrongArguments(c, "%q is not a version such as v1.4.2", text)
	}
	service, err := oneService(c, cfg, name)
	return service, v, err
}

// finding is an image that is in the registry already and is to become a version.
type finding struct {
	*release
	digest   string
	revision string // that it was built from; empty without git
	branch   string // that is pushed along; empty where another commit than its tip was meant
}

// locate finds the commit. Where there is no repository there is none.
func (f *finding) locate(ctx context.Context, revision string) (err error) {
	f.repo, err = git.Open(ctx, f.cfg.Dir)
	if errors.Is(err, git.ErrNotRepository) && revision == "" {
		return nil
	}
	if err != nil {
		return err
	}
	if revision != "" {
		f.revision, err = f.repo.Revision(ctx, revision)
		return err
	}
	if f.revision, err = f.repo.Head(ctx); err != nil {
		return err
	}
	f.branch, err = f.repo.Branch(ctx)
	return err
}

// examine makes sure that the image is there and that the version is nobody else's, before anything is
// changed.
func (f *finding) examine(ctx context.Context) error {
	there, err := f.registry.Release(ctx, f.service.Image, f.digest)
	if errors.Is(err, registry.ErrNotFound) {
		return &usage{text: err.Error(), hint: "push it to " + f.service.Image + " first, under any tag"}
	}
	if err != nil {
		return err
	}
	if there.Revision != "" && f.revision != "" && there.Revision != f.revision {
		f.screen.Say("the image says that it was built from %.12s, and is recorded as %.12s", there.Revision, f.revision)
	}
	digest, err := f.registry.Digest(ctx, f.service.Image, f.tag)
	if err == nil && digest != f.digest {
		return f.other(digest)
	}
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	if f.revision == "" {
		return nil
	}
	return f.tagMine(ctx, f.revision)
}

// other is the version standing for another image.
func (f *finding) other(digest string) error {
	return &takenError{
		what:    fmt.Sprintf("%s is %s, not %s", f.reference(), promotion.Short(digest), promotion.Short(f.digest)),
		version: f.version, hint: "promote versions " + f.service.Name, refused: true,
	}
}

// record claims the version in git, as publishing does, then writes its tag.
func (f *finding) record(ctx context.Context) error {
	answer := f.answer()
	if f.revision != "" {
		if err := (batch{f.release}).claim(ctx, f.revision, f.branch); err != nil {
			return err
		}
	}
	added, err := f.registry.AddTag(ctx, f.service.Image, f.tag, f.digest)
	var taken *registry.TakenError
	if errors.As(err, &taken) {
		return f.other(taken.Digest)
	}
	if err != nil {
		return err
	}
	if !added {
		f.screen.Say("%s is this image already", f.reference())
	}
	answer.New = added
	return f.finish(ctx, answer)
}

func (f *finding) answer() publication {
	a := publication{
		Schema: promotion.Schema, Service: f.service.Name, Version: f.version.String(),
		Image: f.reference(), Digest: f.digest, Revision: f.revision,
	}
	if f.revision != "" {
		a.GitTag = f.gitTag
	}
	return a
}

func (f *finding) preview() error {
	if f.screen.JSON {
		return f.screen.Object(f.answer())
	}
	if f.revision != "" {
		f.screen.Say("would tag %.12s as %s", f.revision, f.gitTag)
	}
	f.screen.Say("would make %s stand for %s", f.reference(), promotion.Short(f.digest))
	f.screen.Answer("%s", f.version)
	return nil
}
