package cli

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"promote/internal/deploy"
	"promote/internal/promotion"
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
			list, err := deploy.PublishedVersions(ctx, p.registry(), service)
			if err != nil {
				return err
			}
			slices.SortFunc(list, func(a, b registry.TaggedVersion) int { return b.Version.Compare(a.Version) })
			if limit := c.Int("limit"); limit > 0 && len(list) > limit {
				list = list[:limit]
			}
			return p.answerVersions(service.Image, list)
		},
	})
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

// registry is the client for all registries, with what docker knows of them here: certificates also where
// an engine without root has them.
func (p *program) registry() *registry.Client {
	home := p.env("XDG_CONFIG_HOME")
	if home == "" {
		home = filepath.Join(p.env("HOME"), ".config")
	}
	options := []registry.Option{
		registry.WithUserAgent("promote/" + shownVersion()), registry.WithCertificates(filepath.Join(home, "docker", "certs.d")),
	}
	if p.patience > 0 {
		options = append(options, registry.WithPatience(p.patience))
	}
	return registry.New(options...)
}
