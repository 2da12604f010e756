package release

import (
	"context"
	"errors"

	"promote/internal/config"
	"promote/registry"
	"promote/semver"
)

// LatestTag is the tag of the highest stable version.
const LatestTag = "latest"

// tagMover makes the other tags of a version's image point to it.
type tagMover struct {
	release  *Release
	tools    Tools
	revision string // that the image was built from; empty where that is not known
	digest   string
}

// moveTags moves the other tags to a version that is in the registry.
func moveTags(ctx context.Context, p *Publication) (err error) {
	m := &tagMover{release: p.Release, tools: p.Release.Service.project.tools, revision: p.Revision, digest: p.Digest}
	if p.Latest, err = m.moveTag(ctx, LatestTag, semver.Version.Stable); err != nil {
		return err
	}
	p.Tags, err = m.moveFurtherTags(ctx)
	return err
}

// moveTag moves a tag forwards, among the versions that it covers, and reports whether it is at the digest
// now. That costs one manifest.
func (m *tagMover) moveTag(ctx context.Context, tag string, covers func(semver.Version) bool) (bool, error) {
	v := m.release.Version
	moved, from, err := m.tools.Registry.MoveTag(ctx, m.release.Service.Image, tag, v, m.digest, covers)
	if err == nil && !moved && v.Stable() && from.Digest != m.digest {
		m.tools.Progress.Say("%s stays at %s, since %s is not the newest", tag, releaseName(from), v)
	}
	return moved || from.Digest == m.digest, err
}

// releaseName is what a tag points to: the version if that could be told.
func releaseName(r registry.Release) string {
	if r.Version.IsZero() {
		return registry.ShortDigest(r.Digest)
	}
	return r.Version.String()
}

// moveFurtherTags gives the image the tags of promote.yaml, and returns those that are at the digest now.
// Tags that name the commit are left out where none is known.
func (m *tagMover) moveFurtherTags(ctx context.Context) (moved []string, err error) {
	for _, t := range m.release.Service.Tags {
		if t.Fixed() && m.revision == "" {
			continue
		}
		tag := t.Format(m.release.Version, m.revision)
		there, err := m.pointTag(ctx, t, tag)
		if err != nil {
			return nil, err
		}
		if there {
			moved = append(moved, tag)
		}
	}
	return moved, nil
}

// pointTag makes one tag point to the digest, by the rule for its kind.
func (m *tagMover) pointTag(ctx context.Context, t config.FurtherTag, tag string) (bool, error) {
	if !t.Fixed() {
		return m.moveTag(ctx, tag, func(other semver.Version) bool { return t.Covers(m.release.Version, other) })
	}
	_, err := m.tools.Registry.AddTag(ctx, m.release.Service.Image, tag, m.digest)
	var taken *registry.TakenError
	if errors.As(err, &taken) { // the same commit under another version
		m.tools.Progress.Say("%s stays at %s, which was built from the same commit before", tag, registry.ShortDigest(taken.Digest))
		return false, nil
	}
	return err == nil, err
}
