package docker

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/image"
)

// Pull gets a release by its digest, whatever its tag points to by now, and gives it locally the tag
// that the compose file has; without a tag the digest alone names it. A digest that the engine has from that repository is not asked for again,
// so this works with no registry in reach. auth and progress are as for Push.
func (e *Engine) Pull(ctx context.Context, repository, digest, tag, auth string, progress func(Progress)) (Image, error) {
	pinned := repository + "@" + digest
	found, have, err := e.Image(ctx, pinned)
	if err != nil {
		return Image{}, err
	}
	if !have || !found.Known(repository, digest) {
		if err := e.fetch(ctx, pinned, auth, progress); err != nil {
			return Image{}, err
		}
	}
	if tag != "" {
		if err := e.Tag(ctx, pinned, repository+":"+tag); err != nil {
			return Image{}, err
		}
	}
	found, have, err = e.Image(ctx, pinned)
	if err == nil && !have {
		err = fmt.Errorf("pull %s: the engine lost it again", pinned)
	}
	return found, err
}

func (e *Engine) fetch(ctx context.Context, reference, auth string, progress func(Progress)) error {
	subject := "pull " + reference
	stream, err := e.API.ImagePull(ctx, reference, image.PullOptions{RegistryAuth: auth})
	if err != nil {
		return e.failed(ctx, subject, err)
	}
	defer stream.Close()
	if err := follow(stream, subject, progress, func(message) {}); err != nil {
		return e.failed(ctx, subject, err)
	}
	return nil
}
