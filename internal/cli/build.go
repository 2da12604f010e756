package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"promote/internal/docker"
	"promote/internal/promotion"
	"promote/registry"
)

// build builds the release's image, labelled with what it was made from.
func (r *release) build(ctx context.Context, head string, with func(docker.BuildOptions, docker.Display) error) error {
	labels, err := r.labels(ctx, head)
	if err != nil {
		return err
	}
	o := r.buildOptions()
	o.Labels, o.Tags = labels, []string{r.reference()}
	display, err := docker.NewDisplay(r.buildOutput())
	if err != nil {
		return err
	}
	if err := with(o, display); err != nil {
		return fmt.Errorf("%s: %w", r.service.Name, err)
	}
	return nil
}

// byEngine builds in the engine.
func (r *release) byEngine(ctx context.Context, head string) error {
	engine, err := r.engine(ctx)
	if err != nil {
		return err
	}
	defer engine.Close()
	return r.build(ctx, head, func(o docker.BuildOptions, d docker.Display) error {
		_, err := engine.Build(ctx, o, d)
		return err
	})
}

// byBuilder has a buildkitd build and push the image without a name.
func (r *release) byBuilder(ctx context.Context, head string) (digest string, err error) {
	builder, err := docker.ConnectBuilder(ctx, r.service.Build.Builder)
	if err != nil {
		return "", err
	}
	defer builder.Close()
	err = r.build(ctx, head, func(o docker.BuildOptions, d docker.Display) error {
		digest, err = builder.Build(ctx, o, r.service.Image, d)
		return err
	})
	return digest, err
}

// addTag gives an image that a builder pushed its version.
func (r *release) addTag(ctx context.Context, digest string) error {
	_, err := r.registry.AddTag(ctx, r.service.Image, r.tag, digest)
	var taken *registry.TakenError
	if errors.As(err, &taken) {
		return r.overtaken(taken.Digest, digest)
	}
	return err
}

// overtaken is somebody who pushed the version without asking git.
func (r *release) overtaken(there, ours string) error {
	return &takenError{
		what:    fmt.Sprintf("somebody else pushed %s while we did: it is %s, ours was %s", r.reference(), promotion.Short(there), promotion.Short(ours)),
		version: r.version, hint: "promote bump patch", refused: true,
	}
}

// buildOutput is where BuildKit's own progress goes, and in which form.
func (r *release) buildOutput() (out io.Writer, mode string) {
	switch {
	case r.screen.Quiet || r.screen.JSON:
		return r.err, "quiet"
	case r.screen.Live:
		return r.err, "auto"
	}
	return r.err, "plain"
}

func (r *release) buildOptions() docker.BuildOptions {
	b := r.service.Build
	o := docker.BuildOptions{
		Context: filepath.Join(r.cfg.Dir, b.Context), Dockerfile: b.Dockerfile, Target: b.Target, Args: b.Args, SSH: b.SSH,
		Platform: strings.Join(b.Platforms, ","), CacheFrom: b.Cache.From, CacheTo: b.Cache.To, Provenance: b.Provenance, SBOM: b.SBOM,
	}
	for _, s := range b.Secrets {
		secret := docker.Secret{ID: s.ID, Env: s.Env}
		if s.File != "" {
			secret.File = filepath.Join(r.cfg.Dir, s.File)
		}
		o.Secrets = append(o.Secrets, secret)
	}
	return o
}
