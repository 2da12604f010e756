package cli

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/promotion"
	"promote/internal/release"
)

type publishOptions struct {
	cfg     *config.Config
	service *config.Service
	dryRun  bool
}

func (p *program) publishCommand() *cli.Command {
	return p.command(entry{
		name: "publish", args: "[SERVICE]", usage: "build and push the version that the repository is on, tag it, move latest; can be run again",
		examples: []string{"promote publish             in CI, after the merge of a bump", "promote publish core --json"},
		flags:    []cli.Flag{dryRunFlag},
		run: func(ctx context.Context, c *cli.Context) error {
			cfg, err := p.load(c)
			if err != nil {
				return err
			}
			service, err := oneService(c, cfg, c.Args().First())
			if err != nil {
				return err
			}
			return p.runPublish(ctx, publishOptions{cfg: cfg, service: service, dryRun: c.Bool("dry-run")})
		},
	})
}

func (p *program) runPublish(ctx context.Context, o publishOptions) error {
	project, err := p.openProject(ctx, o.cfg)
	if err != nil {
		return err
	}
	if err := project.RequireCleanTree(ctx); err != nil {
		return err
	}
	r, err := project.Service(o.service).CurrentRelease(ctx)
	if err != nil {
		return err
	}
	if o.dryRun {
		return p.answerBump(release.Releases{r}, true)
	}
	return release.Releases{r}.Publish(ctx, p.answerPublished)
}

// publication is the answer of bump, publish and record for programs.
type publication struct {
	Schema int `json:"schema"`
	release.Publication
}

func publicationObject(published release.Publication) publication {
	return publication{promotion.Schema, published}
}

// answerPublished tells that a release is in the registry.
func (p *program) answerPublished(published release.Publication) error {
	p.reportPublished(published)
	if p.screen.JSON {
		return p.screen.Object(publicationObject(published))
	}
	var names []string
	if published.Latest {
		names = append(names, release.LatestTag)
	}
	besides := strings.Join(append(names, published.Tags...), ", ")
	if besides != "" {
		besides = " and " + besides
	}
	p.screen.Answer("%s%s  %s", published.Image, besides, promotion.Short(published.Digest))
	return nil
}
