package release

import (
	"testing"

	"promote/internal/git"
	"promote/semver"
)

func historyOf(tags ...string) *versionHistory {
	template, err := semver.ParseTemplate("v{version}")
	if err != nil {
		panic(err)
	}
	return parseTags(template, tags)
}

// TestVersionHistory: versions are ordered as versions, whatever order the tags have, and tags of something
// else are none.
func TestVersionHistory(t *testing.T) {
	h := historyOf("v1.10.0", "v1.9.0", "nightly", "v2.0.0-rc.2", "v2.0.0-rc.10", "web/v3.0.0")
	if got := h.newest().tagName(); got != "v2.0.0-rc.10" {
		t.Errorf("the newest is %s", got)
	}
	if got := h.newestStable().tagName(); got != "v1.10.0" {
		t.Errorf("the newest stable one is %s", got)
	}
	if got := h.sinceVersion(h.newestStable()); len(got) != 3 || got[0].tagName() != "v1.10.0" {
		t.Errorf("since then: %v", got)
	}
	for _, test := range []struct {
		of, identifier, tag string
		number              int
	}{{"v2.0.0", "rc", "v2.0.0-rc.10", 10}, {"v2.0.0", "beta", "", 0}, {"v2.1.0", "rc", "", 0}} {
		if got, number := h.newestPrerelease(version(test.of), test.identifier); got.tagName() != test.tag || number != test.number {
			t.Errorf("%s-%s: %s %d", test.of, test.identifier, got.tagName(), number)
		}
	}
	empty := historyOf()
	if empty.newest() != (taggedVersion{}) || empty.newestStable() != (taggedVersion{}) {
		t.Error("no tag gives a version")
	}
}

// TestBumpedVersions: the trailer of a bump is found wherever a squash put it, and nothing else is taken for one.
func TestBumpedVersions(t *testing.T) {
	for body, want := range map[string]map[string]semver.Version{
		"":                            {},
		"Promote-Bump: core v1.5.0\n": {"core": version("v1.5.0")},
		"* Release\n\nPromote-Bump: core v1.5.0\nPromote-Bump: web v2.0.0\n\n* more\n": {"core": version("v1.5.0"), "web": version("v2.0.0")},
		"see Promote-Bump: core v1.5.0": {},
		"Promote-Bump: core soon\n":     {},
	} {
		got := bumpedVersions(git.Commit{Body: body})
		if len(got) != len(want) {
			t.Errorf("%q: %v", body, got)
		}
		for name, v := range want {
			if got[name] != v {
				t.Errorf("%q: %s is %s", body, name, got[name])
			}
		}
	}
}

// TestHighestPart: the highest part that a commit asks for counts, and of several the newest commit.
func TestHighestPart(t *testing.T) {
	commits := []git.Commit{
		{Hash: "4", Subject: "docs: explain"}, {Hash: "3", Subject: "fix: close it"},
		{Hash: "2", Subject: "feat: search"}, {Hash: "1", Subject: "feat: add"},
	}
	if part, because := highestPart(commits); part != semver.Minor || because.Hash != "2" {
		t.Errorf("%s because of %v", part, because)
	}
	if part, because := highestPart(commits[:1]); part != 0 || because != nil {
		t.Errorf("%s because of %v", part, because)
	}
}
