package config

import (
	"strings"
	"testing"

	"promote/semver"
)

func TestFurtherTags(t *testing.T) {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	for template, want := range map[string]string{
		"{major}": "1", "{major}.{minor}": "1.5", "v{major}": "v1", "stable": "stable", "{commit}": commit,
		"sha-{short_commit}": "sha-0123456789ab", "{major}-{minor}-{short_commit}": "1-5-0123456789ab",
	} {
		text, err := parseFurtherTag(template)
		if err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		tag := FurtherTag{text}
		if got := tag.Format(semver.MustParse("v1.5.3"), commit); got != want {
			t.Errorf("%s is %s, want %s", template, got, want)
		}
		if fixed := strings.Contains(template, "commit"); tag.Fixed() != fixed {
			t.Errorf("%s: fixed is %v", template, !fixed)
		}
	}
}

func TestFurtherTagCovers(t *testing.T) {
	for _, test := range []struct {
		template, version string
		covers            bool
	}{
		{"{major}.{minor}", "v1.5.9", true}, {"{major}.{minor}", "v1.6.0", false}, {"{major}.{minor}", "v2.5.0", false},
		{"{major}", "v1.6.0", true}, {"{major}", "v2.0.0", false}, {"stable", "v2.0.0", true},
	} {
		if got := (FurtherTag{test.template}).Covers(semver.MustParse("v1.5.0"), semver.MustParse(test.version)); got != test.covers {
			t.Errorf("%s of v1.5.0 covers %s: %v", test.template, test.version, got)
		}
	}
}

func TestWrongFurtherTags(t *testing.T) {
	for tags, want := range map[string]string{
		`"{version}"`:                        "that is what tag is for",
		`"{patch}"`:                          `"{patch}" is not one of {major}`,
		`"{minor}"`:                          "{minor} without {major}",
		`latest`:                             "latest is moved anyway",
		`"{major}.{minor}.0"`:                "would be taken for a version",
		`"v{major}.{minor}.1"`:               "would be taken for a version",
		`".{major}"`:                         "can't be an image tag",
		`"{major}+x"`:                        "can't be an image tag",
		`"{major"`:                           "can't be an image tag",
		`["{major}", "{major}"]`:             "stands twice",
		`[]`:                                 "found an empty list",
		`1`:                                  "expected a tag such as {major}.{minor} or a list",
		`"{commit}{commit}{commit}{commit}"`: "can't be an image tag",
	} {
		_, err := Parse("promote.yaml", []byte("services: {core: {image: a, tags: "+tags+"}}"), variables())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", tags, err, want)
		}
	}
}
