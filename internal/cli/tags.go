package cli

import (
	"context"
	"errors"

	"promote/internal/config"
	"promote/internal/promotion"
	"promote/registry"
	"promote/semver"
)

const latestTag = "latest"

// latest moves the tag latest, which costs one manifest, if this is the highest stable version.
func (r *release) latest(ctx context.Context, digest string) (bool, error) {
	return r.move(ctx, latestTag, digest, semver.Version.Stable)
}

// move moves a tag forwards, and reports whether it is at the digest now.
func (r *release) move(ctx context.Context, tag, digest string, covers func(semver.Version) bool) (bool, error) {
	moved, from, err := r.registry.MoveTag(ctx, r.service.Image, tag, r.version, digest, covers)
	if err == nil && !moved && r.version.Stable() && from.Digest != digest {
		r.screen.Say("%s stays at %s, since %s is not the newest", tag, whereabouts(from), r.version)
	}
	return moved || from.Digest == digest, err
}

// whereabouts is what a tag points to: the version if that could be told.
func whereabouts(r registry.Release) string {
	if r.Version.IsZero() {
		return promotion.Short(r.Digest)
	}
	return r.Version.String()
}

// further gives the image the other tags of promote.yaml, and returns those that are at the digest now.
// commit is empty where none is known; tags that name it are left out then.
func (r *release) further(ctx context.Context, commit, digest string) ([]string, error) {
	var at []string
	for _, t := range r.service.Tags {
		if t.Fixed() && commit == "" {
			continue
		}
		tag := t.Format(r.version, commit)
		here, err := r.point(ctx, t, tag, digest)
		if err != nil {
			return nil, err
		}
		if here {
			at = append(at, tag)
		}
	}
	return at, nil
}

// point has one tag point to the digest, by the rule for its kind.
func (r *release) point(ctx context.Context, t config.FurtherTag, tag, digest string) (bool, error) {
	if !t.Fixed() {
		return r.move(ctx, tag, digest, func(w semver.Version) bool { return t.Covers(r.version, w) })
	}
	_, err := r.registry.AddTag(ctx, r.service.Image, tag, digest)
	var taken *registry.TakenError
	if errors.As(err, &taken) { // the same commit under another version
		r.screen.Say("%s stays at %s, which was built from the same commit before", tag, promotion.Short(taken.Digest))
		return false, nil
	}
	return err == nil, err
}
