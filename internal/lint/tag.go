package lint

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// moving are the first words of tags that follow a branch, a channel or a base image.
var moving = []string{
	"latest", "stable", "mainline", "lts", "current", "release", "rolling", "main", "master", "trunk", "head", "edge", "nightly",
	"dev", "devel", "develop", "development", "next", "canary", "preview", "snapshot", "unstable", "testing", "test", "staging",
	"prod", "production", "alpine", "slim", "management", "apache", "fpm", "bullseye", "bookworm", "trixie", "jammy", "noble",
}

var (
	// partial is the beginning of a version, 1 or v1.5, perhaps with a variant behind it. Longer numbers
	// are build numbers, dates and years.
	partial = regexp.MustCompile(`^v?[0-9]{1,2}(?:\.(?:[0-9]{1,3}|x))?(?:-(.+))?$`)

	// wholePostgres: since 10, PostgreSQL's versions have two parts.
	wholePostgres = regexp.MustCompile(`^[1-9][0-9]\.[0-9]+(?:-.+)?$`)

	// fixing is what makes a tag one image's own: a commit, a number, a prerelease.
	fixing = regexp.MustCompile(`^(?:[0-9a-f]{7,40}|(?:rc|beta|alpha|pre|build|b|r|p)\.?[0-9]+.*|[0-9].*)$`)
)

// floating reports whether a tag is one that publishers move from image to image. A number or a commit
// behind the word, as in main-1a2b3c4, makes it one image's own.
func floating(repository, tag string) bool {
	tag = strings.ToLower(tag)
	switch {
	case tag == "":
		return true
	case path.Base(repository) == "postgres" && wholePostgres.MatchString(tag):
		return false
	}
	if m := partial.FindStringSubmatch(tag); m != nil {
		return m[1] == "" || !fixed(m[1])
	}
	word, variant, more := strings.Cut(tag, "-")
	return slices.Contains(moving, word) && (!more || !fixed(variant))
}

// fixed reports whether what stands behind the first word of a tag belongs to one image.
func fixed(variant string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(variant, func(r rune) bool { return r == '-' || r == '_' }), fixing.MatchString)
}
