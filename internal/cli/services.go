package cli

import (
	"strings"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
)

// oneService is the named service, or the only one there is.
func oneService(c *cli.Context, cfg *config.Config, name string) (*config.Service, error) {
	if name != "" {
		return cfg.Service(name)
	}
	if len(cfg.Services) == 1 {
		return cfg.Services[0], nil
	}
	var names []string
	for _, s := range cfg.Services {
		names = append(names, s.Name)
	}
	return nil, wrongArguments(c, "which service? there are %s", strings.Join(names, ", "))
}

// optionalService reads [SERVICE] [WORD], in either order.
func optionalService(c *cli.Context, cfg *config.Config) (name, word string) {
	name, word = serviceFirst(cfg, c.Args().Get(0), c.Args().Get(1))
	if _, err := cfg.Service(name); word == "" && err != nil {
		return "", name
	}
	return name, word
}

// serviceFirst puts the name of a service in front of the other word.
func serviceFirst(cfg *config.Config, first, second string) (string, string) {
	if _, err := cfg.Service(second); second != "" && err == nil {
		return second, first
	}
	return first, second
}
