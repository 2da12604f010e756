package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"promote/internal/docker"
)

// build builds the release's image on the engine, labelled with what it was made from.
func (r *release) build(ctx context.Context, engine *docker.Engine, head string) error {
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
	if _, err := engine.Build(ctx, o, display); err != nil {
		return fmt.Errorf("%s: %w", r.service.Name, err)
	}
	return nil
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
		CacheFrom: b.Cache.From,
	}
	if len(b.Platforms) > 0 {
		o.Platform = b.Platforms[0] // promote.yaml can't have more yet
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
