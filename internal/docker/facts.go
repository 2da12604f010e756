package docker

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Facts are what an engine says of itself.
type Facts struct {
	Version  string // 28.5.2
	API      string // 1.51
	Platform string // linux/amd64
}

// Facts asks the engine what it is.
func (e *Engine) Facts(ctx context.Context) (Facts, error) {
	v, err := e.API.ServerVersion(ctx)
	if err != nil {
		return Facts{}, fmt.Errorf("docker engine: %w", e.explain(err))
	}
	return Facts{Version: v.Version, API: v.APIVersion, Platform: v.Os + "/" + v.Arch}, nil
}

// Published asks the registry, from where the engine is and with the engine's own network, for which
// platforms an image is there. auth is as for Pull. Nothing is pulled.
func (e *Engine) Published(ctx context.Context, reference, auth string) (platforms []string, err error) {
	found, err := e.API.DistributionInspect(ctx, reference, auth)
	if err != nil {
		return nil, refusal("inspect "+reference, e.explain(err).Error())
	}
	for _, p := range found.Platforms {
		if p.OS != "" && p.OS != "unknown" { // an attestation is no platform
			platforms = append(platforms, strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/"))
		}
	}
	return platforms, nil
}

// ComposeVersion is the version of this machine's docker compose, without a v.
func ComposeVersion(ctx context.Context, environ []string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", "compose", "version", "--short")
	cmd.Env = environ
	out, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", &ComposeMissingError{}
	}
	return strings.TrimPrefix(strings.TrimSpace(string(out)), "v"), nil
}
