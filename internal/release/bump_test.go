package release

import (
	"errors"
	"os"
	"strings"
	"testing"
)

const (
	tagsOnly  = "services:\n  core: {image: REGISTRY/core}\n"
	withFile  = "services:\n  core: {image: REGISTRY/core, version: version.txt}\n"
	withLinks = "services:\n  core: {image: REGISTRY/core, path: core}\n  web: {image: REGISTRY/web, path: web}\nlinked: [[core, web]]\n"
)

// TestNextBump: one commit after the other, and what each makes of the next version.
func TestNextBump(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, tagsOnly)
	for _, step := range []struct{ commit, tag, word, prerelease, want string }{
		{"First", "", "auto", "", ""},
		{"feat: begin", "", "auto", "", "v0.1.0"},
		{"docs: explain", "v1.0.0", "auto", "", ""},
		{"fix: close it", "", "auto", "", "v1.0.1"},
		{"feat: search", "", "auto", "", "v1.1.0"},
		{"feat!: other names", "", "auto", "rc", "v2.0.0-rc.1"},
		{"docs: of rc.1", "v2.0.0-rc.1", "auto", "rc", ""}, // the tag is at this commit
		{"docs: more", "", "auto", "rc", "v2.0.0-rc.2"},
		{"docs: and more", "", "auto", "", "v2.0.0"},
		{"docs: still", "v2.0.0", "minor", "beta", "v2.1.0-beta.1"},
		{"docs: yet", "", "v3.0.0", "", "v3.0.0"},
	} {
		w.commit(step.commit)
		if step.tag != "" {
			w.git("tag", step.tag)
		}
		b, err := w.next(step.word, step.prerelease)
		if err != nil {
			t.Fatalf("%s: %v", step.commit, err)
		}
		if want := step.want; want == "" != b.To.IsZero() || want != "" && b.To != version(want) {
			t.Errorf("after %q, %s %s makes %s of %s, want %s", step.commit, step.word, step.prerelease, b.To, b.From, want)
		}
	}
	if _, err := w.next("v1.0.0", ""); err == nil || !strings.Contains(err.Error(), "not newer") {
		t.Errorf("back: %v", err)
	}
}

// TestNextBumpOnBranch: what follows on a branch of older releases is not told by the newest tag of all.
func TestNextBumpOnBranch(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, tagsOnly)
	w.commit("First")
	w.git("tag", "v1.4.0")
	w.commit("feat!: other names")
	w.git("tag", "v2.0.0")
	w.git("switch", "-q", "-c", "1.4", "v1.4.0")
	w.commit("fix: close it")
	if b, err := w.next("auto", ""); err != nil || b.To != version("v1.4.1") {
		t.Errorf("%+v %v", b, err)
	}
}

// TestNextBumpLinked: linked services take the highest version of all, and a commit that touches both counts once.
func TestNextBumpLinked(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, withLinks)
	w.write("core/a", "1")
	w.write("web/a", "1")
	w.commit("First")
	w.git("tag", "core/v1.2.0")
	w.git("tag", "web/v1.0.0")
	w.write("core/a", "2")
	w.write("web/a", "2")
	w.commit("feat: search")
	b, err := w.next("auto", "")
	if err != nil {
		t.Fatal(err)
	}
	if b.From != version("v1.2.0") || b.To != version("v1.3.0") || b.Commits != 1 || strings.Join(b.Services.Names(), " ") != "core web" {
		t.Errorf("%+v", b)
	}
	list, err := b.Releases()
	if err != nil || len(list) != 2 || list[1].GitTag != "web/v1.3.0" || list[1].From != version("v1.0.0") {
		t.Errorf("%v %v", list, err)
	}
}

// TestDisagreement: nothing follows from the commits where the file and the tags tell different versions.
func TestDisagreement(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, withFile)
	w.write("version.txt", "1.0.0\n")
	w.commit("First")
	w.git("tag", "v1.1.0")
	_, err := w.next("auto", "")
	var fixable *fixableError
	if !errors.As(err, &fixable) || fixable.hint != "promote bump core v1.1.1" {
		t.Errorf("%v", err)
	}
}

// TestCommitFails: where git refuses the commit, every file is as it was.
func TestCommitFails(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, withFile)
	const changelog = "# Changelog\n\n## Unreleased\n\n- It closes.\n"
	w.write("version.txt", "1.0.0\n")
	w.write("CHANGELOG.md", changelog)
	w.commit("First")
	w.git("tag", "v1.0.0")
	w.write(".git/hooks/pre-commit", "#!/bin/sh\necho not today; exit 1\n")
	if err := os.Chmod(w.dir+"/.git/hooks/pre-commit", 0o755); err != nil {
		t.Fatal(err)
	}
	b, err := w.next("minor", "")
	if err != nil {
		t.Fatal(err)
	}
	list, err := b.Releases()
	if err != nil {
		t.Fatal(err)
	}
	if err := list.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), "not today") {
		t.Errorf("%v", err)
	}
	if w.read("version.txt") != "1.0.0\n" || w.read("CHANGELOG.md") != changelog || w.git("status", "--porcelain") != "" || len(w.said) > 0 {
		t.Errorf("%s%s%q", w.read("version.txt"), w.git("status"), w.said)
	}
}
