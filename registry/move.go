package registry

import (
	"context"
	"errors"
	"fmt"

	"promote/semver"
)

// latest is the tag that docker takes where none is written.
const latest = "latest"

// MoveLatest is MoveTag for the tag latest, which stands for every stable version.
func (c *Client) MoveLatest(ctx context.Context, repository string, v semver.Version, digest string) (moved bool, from Release, err error) {
	return c.MoveTag(ctx, repository, latest, v, digest, semver.Version.Stable)
}

// MoveTag makes a tag such as latest or 1.5 point to a digest, if v is stable and higher than what the tag
// points to now; from is that, and the zero Release where there was no such tag. When it is at the digest
// already nothing is written and moved is false.
//
// What version the tag points to is what its label says, if a tag of that version points to the same
// digest: an image without a label of its own inherits that of the image it was built from. Where that
// can't be told, the tag moves only if no stable version in the repository is higher than v, of those that
// covers says it may stand for.
func (c *Client) MoveTag(ctx context.Context, repository, tag string, v semver.Version, digest string, covers func(semver.Version) bool) (moved bool, from Release, err error) {
	if !v.Stable() {
		return false, Release{}, nil
	}
	// Most often there is nothing to do, and then this tells.
	switch there, err := c.Digest(ctx, repository, tag); {
	case errors.Is(err, ErrNotFound):
		err = c.Retag(ctx, repository, digest, tag)
		return err == nil, Release{}, err
	case err != nil:
		return false, Release{}, err
	case there == digest:
		return false, Release{Repository: repository, Tag: tag, Digest: there}, nil
	}
	if from, err = c.Release(ctx, repository, tag); err != nil {
		return false, Release{}, err
	}
	higher, err := c.higher(ctx, repository, v, &from, covers)
	if err != nil || !higher {
		return false, from, err
	}
	err = c.Retag(ctx, repository, digest, tag)
	return err == nil, from, err
}

// higher tells whether v is higher than what a tag points to, and corrects the version of that.
func (c *Client) higher(ctx context.Context, repository string, v semver.Version, from *Release, covers func(semver.Version) bool) (bool, error) {
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
	return highest(versions, v, covers), nil
}

func highest(versions []semver.Version, v semver.Version, covers func(semver.Version) bool) bool {
	for _, w := range versions {
		if w.Stable() && covers(w) && v.Less(w) {
			return false
		}
	}
	return true
}

// TakenError says that a tag which never moves points to another digest already.
type TakenError struct {
	Repository, Tag string
	Digest          string // that it points to
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("%s:%s is there already, as %s", e.Repository, e.Tag, short(e.Digest))
}

// AddTag makes a tag point to a digest if there is no such tag yet: it is never moved. When it is at the
// digest already nothing is written and added is false; elsewhere the error is a *TakenError. Registries
// have no way to write only what is not there, so somebody who writes the same tag in the same moment
// is not noticed.
func (c *Client) AddTag(ctx context.Context, repository, tag, digest string) (added bool, err error) {
	there, err := c.Digest(ctx, repository, tag)
	switch {
	case errors.Is(err, ErrNotFound):
		err = c.Retag(ctx, repository, digest, tag)
		return err == nil, err
	case err != nil:
		return false, err
	case there != digest:
		return false, &TakenError{Repository: repository, Tag: tag, Digest: there}
	}
	return false, nil
}
