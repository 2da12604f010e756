package cli

import (
	"context"
	"path/filepath"

	"promote/internal/config"
	"promote/internal/docker"
	"promote/internal/foreign"
	"promote/internal/release"
	"promote/registry"
)

// registry is the client for all registries, with what docker knows of them here: certificates also where
// an engine without root has them.
func (p *program) registry() *registry.Client {
	home := p.env("XDG_CONFIG_HOME")
	if home == "" {
		home = filepath.Join(p.env("HOME"), ".config")
	}
	options := []registry.Option{
		registry.WithUserAgent("promote/" + shownVersion()), registry.WithCertificates(filepath.Join(home, "docker", "certs.d")),
		registry.WithInsecure(p.registries.Insecure...),
	}
	if p.registries.Patience > 0 {
		options = append(options, registry.WithPatience(p.registries.Patience))
	}
	return registry.New(options...)
}

// releaseTools are this machine's registry client and engine, and the screen.
func (p *program) releaseTools() release.Tools {
	return release.Tools{Registry: p.registry(), Engine: p.engine, Progress: releaseProgress{p}}
}

// openProject opens the repository that promote.yaml lies in.
func (p *program) openProject(ctx context.Context, cfg *config.Config) (*release.Project, error) {
	return release.OpenProject(ctx, cfg, p.releaseTools())
}

// releaseProgress shows on the screen how releases are made.
type releaseProgress struct{ program *program }

// Say tells something that is worth knowing, on one line.
func (r releaseProgress) Say(format string, args ...any) { r.program.screen.Say(format, args...) }

// ShowBuild has BuildKit show a build as docker does.
func (r releaseProgress) ShowBuild() (docker.Display, error) {
	screen := r.program.screen
	switch {
	case screen.Quiet || screen.JSON:
		return docker.NewDisplay(r.program.err, "quiet")
	case screen.Live:
		return docker.NewDisplay(r.program.err, "auto")
	}
	return docker.NewDisplay(foreign.LogWriter(r.program.err), "plain")
}

// ShowPush shows the layers of an image.
func (r releaseProgress) ShowPush(image string) (update func(docker.Progress), done func()) {
	layers := r.program.screen.Layers("push " + image)
	return layers.Update, layers.Close
}
