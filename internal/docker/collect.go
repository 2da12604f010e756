package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
)

// Images lists the images that have a name.
func (e *Engine) Images(ctx context.Context) ([]Image, error) {
	listed, err := e.API.ImageList(ctx, image.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("images: %w", e.explain(err))
	}
	nameless := func(name string) bool { return strings.Contains(name, "<none>") }
	var list []Image
	for _, i := range listed {
		list = append(list, Image{
			ID: i.ID, Labels: i.Labels, Size: i.Size,
			Tags: slices.DeleteFunc(i.RepoTags, nameless), Digests: slices.DeleteFunc(i.RepoDigests, nameless),
		})
	}
	return list, nil
}

// Users are the containers of every kind, running or not, by what they are made from: the image's id, and
// the name that it had then. Of several one is given.
func (e *Engine) Users(ctx context.Context) (map[string]string, error) {
	listed, err := e.API.ContainerList(ctx, container.ListOptions{All: true})
	if err != nil {
		return nil, fmt.Errorf("containers: %w", e.explain(err))
	}
	users := map[string]string{}
	for _, c := range listed {
		name := strings.TrimPrefix(slices.Concat(c.Names, []string{c.ID})[0], "/")
		users[c.ImageID], users[tagged(c.Image)] = name, name
	}
	return users, nil
}

// tagged writes latest where docker thinks it.
func tagged(name string) string {
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return name
	}
	return reference.FamiliarString(reference.TagNameOnly(ref))
}

// RemoveImage takes all names from an image, and with the last one the engine deletes it. A name that is gone
// already is no error. It is never forced: what a container uses by now stays.
func (e *Engine) RemoveImage(ctx context.Context, i Image) error {
	for _, name := range slices.Concat(i.Tags, i.Digests) {
		if _, err := e.API.ImageRemove(ctx, name, image.RemoveOptions{PruneChildren: true}); err != nil && !errdefs.IsNotFound(err) {
			return fmt.Errorf("remove %s: %w", name, e.explain(err))
		}
	}
	return nil
}

// ImageSpace is how many bytes all images take on disk, each layer counted once.
func (e *Engine) ImageSpace(ctx context.Context) (int64, error) {
	usage, err := e.API.DiskUsage(ctx, types.DiskUsageOptions{Types: []types.DiskUsageObject{types.ImageObject}})
	if err != nil {
		return 0, fmt.Errorf("disk usage: %w", e.explain(err))
	}
	return usage.LayersSize, nil
}
