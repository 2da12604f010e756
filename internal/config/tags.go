package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"promote/semver"
)

// FurtherTag is how a tag beside the version's own is written: {major}, {minor}, {commit} (the whole
// hash) and {short_commit} (12 digits of it) are filled in. The zero value is of no use.
type FurtherTag struct{ text string }

var inBraces = regexp.MustCompile(`\{[^{}]*\}`)

// placeholders are what a further tag may have in it. A patch is not among them: with it, the tag would
// be a second name of a version.
var placeholders = []string{"{major}", "{minor}", "{commit}", "{short_commit}"}

// Format writes the tag for a version that was built from a commit.
func (t FurtherTag) Format(v semver.Version, commit string) string {
	major, minor := parts(v)
	return strings.NewReplacer(
		"{major}", major, "{minor}", minor, "{commit}", commit, "{short_commit}", commit[:min(12, len(commit))],
	).Replace(t.text)
}

// parts are the first two numbers of a version.
func parts(v semver.Version) (major, minor string) {
	major, rest, _ := strings.Cut(v.Number(), ".")
	minor, _, _ = strings.Cut(rest, ".")
	return major, minor
}

// Fixed reports whether the tag stands for one commit, and so never moves.
func (t FurtherTag) Fixed() bool { return strings.Contains(t.text, "commit}") }

// Covers reports whether the tag that v has is the one that w would have: 1.5 is for v1.5.0 and v1.5.3,
// not for v1.6.0.
func (t FurtherTag) Covers(v, w semver.Version) bool { return t.Format(v, "") == t.Format(w, "") }

// String is the template as it was written.
func (t FurtherTag) String() string { return t.text }

// MarshalText is String.
func (t FurtherTag) MarshalText() ([]byte, error) { return []byte(t.text), nil }

// furtherTags are checked as a whole: each is a text, and none stands twice.
var furtherTags = converted(either(single(furtherTag), set(furtherTag)), func(texts []string) ([]FurtherTag, error) {
	var tags []FurtherTag
	for _, text := range texts {
		tags = append(tags, FurtherTag{text})
	}
	return tags, nil
})

var furtherTag = parsed("a tag such as {major}.{minor}", textSchema, parseFurtherTag)

func parseFurtherTag(s string) (string, error) {
	for _, found := range inBraces.FindAllString(s, -1) {
		if found == "{version}" {
			return "", fmt.Errorf("%q names one version: that is what tag is for", s)
		}
		if !slices.Contains(placeholders, found) {
			return "", fmt.Errorf("%s is not one of %s", strconv.Quote(found), strings.Join(placeholders, ", "))
		}
	}
	if strings.Contains(s, "{minor}") && !strings.Contains(s, "{major}") {
		return "", fmt.Errorf("%q has {minor} without {major}: v1.5.0 and v2.5.0 would share it", s)
	}
	example := FurtherTag{s}.Format(semver.MustParse(example), strings.Repeat("0", 40))
	if example == "latest" {
		return "", errors.New("latest is moved anyway")
	}
	if _, ok := semver.FromTag(example); ok {
		return "", fmt.Errorf("%q would be taken for a version", s)
	}
	return s, semver.ValidTag(example)
}
