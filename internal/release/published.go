package release

import (
	"context"
	"errors"
	"slices"

	"promote/internal/config"
	"promote/registry"
)

// PublishedVersions are the versions of a service that the registry has. A repository that nobody has pushed
// to yet has none.
func PublishedVersions(ctx context.Context, client *registry.Client, service *config.Service) ([]registry.TaggedVersion, error) {
	list, err := client.Versions(ctx, service.Image, service.Tag)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	return list, err
}

// NewestVersions are the published versions of a service, newest first; at most so many, unless limit is 0.
func NewestVersions(ctx context.Context, client *registry.Client, service *config.Service, limit int) ([]registry.TaggedVersion, error) {
	list, err := PublishedVersions(ctx, client, service)
	slices.SortFunc(list, func(a, b registry.TaggedVersion) int { return b.Version.Compare(a.Version) })
	if limit > 0 && len(list) > limit {
		list = list[:limit]
	}
	return list, err
}
