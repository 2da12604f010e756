package release

import (
	"slices"
	"strings"

	"promote/internal/git"
	"promote/semver"
)

// taggedVersion is a version of a service, and the revision that it was made from.
type taggedVersion struct {
	version semver.Version
	rev     string // refs/tags/…, or the hash of a bump that is not tagged yet; empty for the beginning
}

const tagPrefix = "refs/tags/"

func (t taggedVersion) tagName() string { return strings.TrimPrefix(t.rev, tagPrefix) }

// versionHistory is what happened to a service since its last stable version, up to HEAD.
type versionHistory struct {
	versions []taggedVersion // that version and those after it, lowest first
	commits  []git.Commit    // since the last stable one, newest first
}

// parseTags are the versions among the tags, by the service's template.
func parseTags(template semver.Template, tags []string) *versionHistory {
	h := &versionHistory{}
	for _, tag := range tags {
		if v, ok := template.Parse(tag); ok {
			h.versions = append(h.versions, taggedVersion{v, tagPrefix + tag})
		}
	}
	h.sortVersions()
	return h
}

func (h *versionHistory) sortVersions() {
	slices.SortStableFunc(h.versions, func(a, b taggedVersion) int { return a.version.Compare(b.version) })
}

// newest is the zero taggedVersion, if there is no version.
func (h *versionHistory) newest() taggedVersion {
	if len(h.versions) == 0 {
		return taggedVersion{}
	}
	return h.versions[len(h.versions)-1]
}

// newestStable is the newest final version.
func (h *versionHistory) newestStable() taggedVersion {
	for _, t := range slices.Backward(h.versions) {
		if t.version.Stable() {
			return t
		}
	}
	return taggedVersion{}
}

// sinceVersion are a version and all that are higher.
func (h *versionHistory) sinceVersion(first taggedVersion) []taggedVersion {
	return slices.DeleteFunc(slices.Clone(h.versions), func(t taggedVersion) bool { return t.version.Less(first.version) })
}

// newestPrerelease is the newest prerelease of a version with the identifier, and its number.
func (h *versionHistory) newestPrerelease(of semver.Version, identifier string) (newest taggedVersion, number int) {
	for _, t := range h.versions {
		if n, ok := t.version.PrereleaseNumber(identifier); ok && t.version.Final() == of {
			newest, number = t, n
		}
	}
	return newest, number
}
