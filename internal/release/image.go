package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"promote/internal/docker"
	"promote/registry"
)

// buildInEngine builds the image in the engine of this machine.
func (p *publisher) buildInEngine(ctx context.Context) error {
	engine, err := p.tools.Engine(ctx)
	if err != nil {
		return err
	}
	defer engine.Close()
	return p.buildImage(ctx, func(o docker.BuildOptions, d docker.Display) error {
		_, err := engine.Build(ctx, o, d)
		return err
	})
}

// buildElsewhere has a buildkitd build the image, and push it without a name.
func (p *publisher) buildElsewhere(ctx context.Context) (digest string, err error) {
	service := p.release.Service
	builder, err := docker.ConnectBuilder(ctx, service.Build.Builder)
	if err != nil {
		return "", err
	}
	defer builder.Close()
	err = p.buildImage(ctx, func(o docker.BuildOptions, d docker.Display) error {
		digest, err = builder.Build(ctx, o, service.Image, d)
		return err
	})
	return digest, err
}

// buildImage has the image built with labels that tell what it was made from.
func (p *publisher) buildImage(ctx context.Context, build func(docker.BuildOptions, docker.Display) error) error {
	labels, err := p.imageLabels(ctx)
	if err != nil {
		return err
	}
	options := buildOptions(p.release.Service)
	options.Labels, options.Tags = labels, []string{p.release.Reference()}
	display, err := p.tools.Progress.ShowBuild()
	if err != nil {
		return err
	}
	if err := build(options, display); err != nil {
		return fmt.Errorf("%s: %w", p.release.Service.Name, err)
	}
	return nil
}

func (p *publisher) imageLabels(ctx context.Context) (map[string]string, error) {
	source, err := p.release.Service.project.repo.SourceURL(ctx)
	labels := map[string]string{
		registry.LabelVersion:  p.release.Version.Number(),
		registry.LabelRevision: p.publication.Revision,
		registry.LabelCreated:  time.Now().UTC().Format(time.RFC3339),
	}
	if source != "" {
		labels[registry.LabelSource] = source
	}
	return labels, err
}

// buildOptions is what promote.yaml says of how the service is built.
func buildOptions(s *Service) docker.BuildOptions {
	b, dir := s.Build, s.project.Config.Dir
	o := docker.BuildOptions{
		Context: filepath.Join(dir, b.Context), Dockerfile: b.Dockerfile, Target: b.Target, Args: b.Args, SSH: b.SSH,
		Platform: strings.Join(b.Platforms, ","), CacheFrom: b.Cache.From, CacheTo: b.Cache.To, Provenance: b.Provenance, SBOM: b.SBOM,
	}
	for _, configured := range b.Secrets {
		secret := docker.Secret{ID: configured.ID, Env: configured.Env}
		if configured.File != "" {
			secret.File = filepath.Join(dir, configured.File)
		}
		o.Secrets = append(o.Secrets, secret)
	}
	return o
}

// requireDockerfile makes sure that there is something to build before a number is taken.
func requireDockerfile(s *Service) error {
	if s.Build == nil {
		return &fixableError{text: s.Name + " has no build: in promote.yaml, so its image can't be built", hint: "add build: . to it, or bump with --no-publish"}
	}
	o := buildOptions(s)
	path := o.Dockerfile
	if !filepath.IsAbs(path) {
		path = filepath.Join(o.Context, path)
	}
	if _, err := os.Stat(path); err != nil {
		return &fixableError{text: fmt.Sprintf("%s can't be built: %v", s.Name, err), hint: "say where the Dockerfile is under build: in promote.yaml"}
	}
	return nil
}
