package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
)

// Image is an image that the engine has.
type Image struct {
	ID      string   // sha256:… of its configuration, or of its manifest with the containerd store
	Digests []string // where it is known from: repository@sha256:…
	Tags    []string // repository:tag
	Labels  map[string]string
	Created time.Time
	Size    int64 // bytes on disk, shared layers included
}

// Image looks up an image by tag, digest or id. The second result is false when the engine does not
// have it.
func (e *Engine) Image(ctx context.Context, ref string) (Image, bool, error) {
	found, err := e.API.ImageInspect(ctx, ref)
	if errdefs.IsNotFound(err) {
		return Image{}, false, nil
	}
	if err != nil {
		return Image{}, false, fmt.Errorf("image %s: %w", ref, e.explain(err))
	}
	created, _ := time.Parse(time.RFC3339Nano, found.Created) // some images have none
	image := Image{ID: found.ID, Digests: found.RepoDigests, Tags: found.RepoTags, Created: created, Size: found.Size}
	if found.Config != nil {
		image.Labels = found.Config.Labels
	}
	return image, true, nil
}

// Tag gives an image one more name. A name that another image had moves to this one.
func (e *Engine) Tag(ctx context.Context, source, target string) error {
	if err := e.API.ImageTag(ctx, source, target); err != nil {
		return fmt.Errorf("tag %s as %s: %w", source, target, e.explain(err))
	}
	return nil
}

// Known tells whether the image is known from a repository under a digest.
func (i Image) Known(repository, digest string) bool {
	return slices.ContainsFunc(i.Digests, func(d string) bool {
		name, of, _ := strings.Cut(d, "@")
		return of == digest && sameRepository(name, repository)
	})
}

// sameRepository compares names as docker does: core is docker.io/library/core.
func sameRepository(a, b string) bool {
	x, err := reference.ParseNormalizedNamed(a)
	if err != nil {
		return a == b
	}
	y, err := reference.ParseNormalizedNamed(b)
	return err == nil && x.Name() == y.Name()
}
