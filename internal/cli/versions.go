package cli

import (
	"context"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/promotion"
	"promote/internal/release"
	"promote/registry"
)

func (p *program) versionsCommand() *cli.Command {
	return p.command(entry{
		name: "versions", args: "[SERVICE]", usage: "list the published versions of a service, newest first",
		examples: []string{"promote versions", "promote versions core --limit 5"},
		flags:    []cli.Flag{&cli.IntFlag{Name: "limit", Value: 20, Usage: "list at most so many; 0 for all"}},
		run: func(ctx context.Context, c *cli.Context) error {
			cfg, err := p.load(c)
			if err != nil {
				return err
			}
			service, err := oneService(c, cfg, c.Args().First())
			if err != nil {
				return err
			}
			return p.runVersions(ctx, service, c.Int("limit"))
		},
	})
}

func (p *program) runVersions(ctx context.Context, service *config.Service, limit int) error {
	list, err := release.NewestVersions(ctx, p.registry(), service, limit)
	if err != nil {
		return err
	}
	return p.answerVersions(service.Image, list)
}

func (p *program) answerVersions(image string, list []registry.TaggedVersion) error {
	if p.screen.JSON {
		names := []string{}
		for _, v := range list {
			names = append(names, v.Version.String())
		}
		return p.screen.Object(map[string]any{"schema": promotion.Schema, "image": image, "versions": names})
	}
	for _, v := range list {
		p.screen.Answer("%s", v.Version)
	}
	if len(list) == 0 {
		p.screen.Say("%s has no published version", image)
	}
	return nil
}
