package release

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"promote/registry"
)

// record gives an image a version, built from HEAD.
func (w *workspace) record(text, digest string) (Publication, error) {
	w.Helper()
	p := w.open()
	image, err := p.FindExternal(p.Config.Services[0], version(text), digest)
	if err == nil {
		err = image.LocateCommit(w.Context(), "")
	}
	if err == nil {
		err = image.Examine(w.Context())
	}
	if err != nil {
		return Publication{}, err
	}
	return image.Record(w.Context())
}

// TestRecord: the highest stable version has latest and the tags that move; an older one moves neither; again is
// no harm; and no version stands for two images.
func TestRecord(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, "services:\n  core: {image: REGISTRY/core, tags: [\"{major}\", \"{major}.{minor}\"]}\n")
	w.commit("First")
	older, newer := w.image("core"), w.image("core")
	if p, err := w.record("v1.5.0", newer); err != nil || !p.New || !p.Latest || !slices.Equal(p.Tags, []string{"1", "1.5"}) || p.GitTag != "v1.5.0" {
		t.Errorf("%+v %v", p, err)
	}
	if p, err := w.record("v1.4.0", older); err != nil || !p.New || p.Latest || !slices.Equal(p.Tags, []string{"1.4"}) {
		t.Errorf("%+v %v", p, err)
	}
	if want := "latest stays at " + registry.ShortDigest(newer) + ", since v1.4.0 is not the newest"; !slices.Contains(w.said, want) {
		t.Errorf("%q", w.said)
	}
	if p, err := w.record("v1.4.0", older); err != nil || p.New {
		t.Errorf("again: %+v %v", p, err)
	}
	_, err := w.record("v1.4.0", newer)
	var taken *TakenError
	if !errors.As(err, &taken) || !taken.Refused || taken.Hint() != "promote versions core" {
		t.Errorf("another image: %v", err)
	}
}

// TestClaimLost: of two who take one number, the slower leaves no tag behind, and the registry as it is.
func TestClaimLost(t *testing.T) {
	t.Parallel()
	ours := newWorkspace(t, tagsOnly)
	ours.commit("First")
	ours.git("push", "-q", "-u", "origin", "main")
	theirs := ours.clone()
	theirs.commit("fix: theirs")
	ours.commit("fix: ours")
	fast, slow := ours.image("core"), ours.image("core")
	p := ours.open()
	image, err := p.FindExternal(p.Config.Services[0], version("v1.0.0"), slow)
	if err == nil {
		err = image.LocateCommit(t.Context(), "")
	}
	if err == nil {
		err = image.Examine(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.record("v1.0.0", fast); err != nil {
		t.Fatal(err)
	}
	_, err = image.Record(t.Context())
	var taken *TakenError
	if !errors.As(err, &taken) || taken.Refused || !strings.Contains(taken.Hint(), "v1.0.1") {
		t.Errorf("%v", err)
	}
	if tags := ours.git("tag"); tags != "" {
		t.Errorf("left behind: %s", tags)
	}
	if digest, err := p.tools.Registry.Digest(t.Context(), ours.registry+"/core", "v1.0.0"); digest != fast || err != nil {
		t.Errorf("the version is %s %v", digest, err)
	}
}

// TestUnfinished: a bump that was committed and not published is found, until its tag and its image are there.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, withFile)
	w.write("version.txt", "1.0.0\n")
	w.commit("First")
	w.git("tag", "v1.0.0")
	b, err := w.next("minor", "")
	if err != nil {
		t.Fatal(err)
	}
	list, err := b.Releases()
	if err == nil {
		err = list.Commit(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	unfinished := func() string {
		p := w.open()
		found, err := p.FindUnfinished(t.Context(), p.Linked(p.Config.Services))
		if err != nil {
			t.Fatal(err)
		}
		if found == nil {
			return ""
		}
		return found.String()
	}
	if got := unfinished(); got != "v1.1.0" {
		t.Errorf("bumped: %q", got)
	}
	w.git("tag", "v1.1.0")
	if got := unfinished(); got != "v1.1.0" {
		t.Errorf("tagged: %q", got)
	}
	if _, err := w.record("v1.1.0", w.image("core")); err != nil {
		t.Fatal(err)
	}
	if got := unfinished(); got != "" {
		t.Errorf("published: %q", got)
	}
	if err := list.RequireFree(t.Context(), false); !errors.As(err, new(*TakenError)) {
		t.Errorf("a version that is published is free: %v", err)
	}
}
