package registry

import (
	"context"
	"errors"

	"promote/semver"
)

// latest is the tag that docker takes where none is written.
const latest = "latest"

// MoveLatest makes the tag latest point to a digest, if v is stable and higher than what latest points
// to now; from is that, and the zero Release where there was no latest. When latest is at the digest
// already nothing is written and moved is false.
//
// What version latest points to is what its label says, if a tag of that version points to the same
// digest: an image without a label of its own inherits that of the image it was built from. Where that
// can't be told, latest moves only if no stable version in the repository is higher than v.
func (c *Client) MoveLatest(ctx context.Context, repository string, v semver.Version, digest string) (moved bool, from Release, err error) {
	if !v.Stable() {
		return false, Release{}, nil
	}
	from, err = c.Release(ctx, repository, latest)
	switch {
	case errors.Is(err, ErrNotFound):
		err = c.Retag(ctx, repository, digest, latest)
		return err == nil, Release{}, err
	case err != nil:
		return false, Release{}, err
	case from.Digest == digest:
		return false, from, nil
	}
	higher, err := c.higher(ctx, repository, v, &from)
	if err != nil || !higher {
		return false, from, err
	}
	err = c.Retag(ctx, repository, digest, latest)
	return err == nil, from, err
}

// higher tells whether v is higher than what latest points to, and corrects the version of that.
func (c *Client) higher(ctx context.Context, repository string, v semver.Version, from *Release) (bool, error) {
	tags, err := c.Tags(ctx, repository)
	if err != nil {
		return false, err
	}
	var versions []semver.Version
	for _, tag := range tags {
		w, ok := semver.FromTag(tag)
		if !ok {
			continue
		}
		versions = append(versions, w)
		if w.Compare(from.Version) != 0 {
			continue
		}
		at, err := c.Digest(ctx, repository, tag)
		if err != nil {
			return false, err
		}
		if at == from.Digest {
			return from.Version.Less(v), nil
		}
	}
	if len(versions) == 0 && !from.Version.IsZero() { // the tags are written otherwise
		return from.Version.Less(v), nil
	}
	from.Version = semver.Version{}
	return highest(versions, v), nil
}

func highest(versions []semver.Version, v semver.Version) bool {
	for _, w := range versions {
		if w.Stable() && v.Less(w) {
			return false
		}
	}
	return true
}
