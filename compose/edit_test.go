package compose_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"promote/compose"
)

const digestA, digestB = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

func pin(t testing.TB, text string) compose.Pin {
	t.Helper()
	p, err := compose.ParsePin(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// compare wants these files in a folder, byte for byte.
func compare(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != text {
			t.Errorf("%s is\n%q, want\n%q", name, got, text)
		}
	}
}

func TestSeveralFilesAtOnce(t *testing.T) {
	dir := folder(t, map[string]string{
		"compose.yaml": "services:\n  a: {image: \"a:v1\"}\n  b: {image: b}\n  c: {image: \"c:${TAG}\"}\n",
		".env":         "TAG=v1\n",
	})
	got := edits(t, compose.Options{Dir: dir}, map[string]string{"a": "v20", "b": "v3", "c": "v4"})
	if want := "services:\n  a: {image: \"a:v20\"}\n  b: {image: b:v3}\n  c: {image: \"c:${TAG}\"}\n"; got["compose.yaml"] != want || got[".env"] != "TAG=v4\n" {
		t.Errorf("got %q", got)
	}
}

func TestDiff(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, map[string]string{"compose.yaml": "services:\n  core:\n    image: core:v1"})})
	edit, err := p.Edit(compose.Change{Service: "core", From: compose.Pin{Tag: "v1"}, To: compose.Pin{Tag: "v2"}})
	if err != nil {
		t.Fatal(err)
	}
	want := "--- FILE\n+++ FILE\n@@ -2,2 +2,2 @@\n   core:\n-    image: core:v1\n\\ No newline at end of file\n+    image: core:v2\n\\ No newline at end of file\n"
	if got := strings.ReplaceAll(edit.Diff(), p.Files()[0], "FILE"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNothingToEdit(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, one("core:v1"))})
	same := compose.Change{Service: "core", From: compose.Pin{Tag: "v1"}, To: compose.Pin{Tag: "v1"}}
	for _, changes := range [][]compose.Change{nil, {same}, {same, same}} {
		edit, err := p.Edit(changes...)
		if err != nil || len(edit.Files()) != 0 || edit.Diff() != "" || edit.Apply() != nil || edit.Revert() != nil {
			t.Errorf("%v: got %+v, %v", changes, edit, err)
		}
	}
}

func TestDrift(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, one("core:v1"))})
	_, err := p.Edit(compose.Change{Service: "core", From: compose.Pin{Tag: "v0"}, To: compose.Pin{Tag: "v2"}})
	if err == nil || !strings.HasSuffix(err.Error(), "compose.yaml:3:16: service core: v1 stands there, not v0") {
		t.Errorf("got %v", err)
	}
}

func TestTwoChangesOfOneService(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, one("core:v1"))})
	from := compose.Pin{Tag: "v1"}
	_, err := p.Edit(compose.Change{Service: "core", From: from, To: compose.Pin{Tag: "v2"}}, compose.Change{Service: "core", From: from, To: compose.Pin{Tag: "v3"}})
	if err == nil || !strings.Contains(err.Error(), "two ways at once: to v2 and to v3") {
		t.Errorf("got %v", err)
	}
}

func TestBadTarget(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, one("core:v1"))})
	for _, to := range []compose.Pin{{Tag: "v2 # x"}, {Tag: "v2\n"}, {Tag: "v2", Digest: "sha256:1"}, {Tag: "a@b"}} {
		if edit, err := p.Edit(compose.Change{Service: "core", From: compose.Pin{Tag: "v1"}, To: to}); err == nil {
			t.Errorf("%+v: %s", to, edit.Diff())
		}
	}
}

func TestUnknownServiceNamesTheNearest(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, one("core:v1"))})
	_, err := p.Edit(compose.Change{Service: "cor"})
	var refused *compose.Error
	if !errors.Is(err, compose.ErrNoService) || !errors.As(err, &refused) || refused.Hint() != "did you mean core?" {
		t.Errorf("got %v", err)
	}
}

// TestStale: a file that somebody changed meanwhile is not overwritten.
func TestStale(t *testing.T) {
	p := load(t, compose.Options{Dir: folder(t, file("services: {core: {image: core:1}}\n"))})
	edit, err := p.Edit(compose.Change{Service: "core", From: pin(t, "1"), To: pin(t, "2")})
	if err != nil {
		t.Fatal(err)
	}
	path := p.Files()[0]
	if err := os.WriteFile(path, []byte("services: {core: {image: core:7}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := edit.Apply(); !errors.Is(err, compose.ErrStale) {
		t.Errorf("got %v", err)
	}
	compare(t, p.Dir(), map[string]string{"compose.yaml": "services: {core: {image: core:7}}\n"})
}

// TestKept: mode and symlink stay, and nothing is left beside the file.
func TestKept(t *testing.T) {
	dir := folder(t, map[string]string{"real.yaml": "services: {core: {image: core:1}}\n"})
	link := filepath.Join(dir, "compose.yaml")
	if err := errors.Join(os.Symlink("real.yaml", link), os.Chmod(filepath.Join(dir, "real.yaml"), 0o640)); err != nil {
		t.Fatal(err)
	}
	edits(t, compose.Options{Dir: dir}, map[string]string{"core": "2"})
	compare(t, dir, map[string]string{"real.yaml": "services: {core: {image: core:2}}\n"})
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("there is %v, %v", entries, err)
	}
	if info, err := os.Stat(link); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode is %v, %v", info.Mode(), err)
	}
}

func TestSplitReference(t *testing.T) {
	for image, want := range map[string][2]string{
		"core": {"core", ""}, "core:1": {"core", "1"}, "localhost:5000/core": {"localhost:5000/core", ""},
		"localhost:5000/a/core:1": {"localhost:5000/a/core", "1"}, "core@" + digestA: {"core", "@" + digestA},
		"a.b/core:1@" + digestA: {"a.b/core", "1@" + digestA},
	} {
		repository, p, err := compose.SplitReference(image)
		if err != nil || repository != want[0] || p.String() != want[1] || p.Join(repository) != image {
			t.Errorf("%s: %q %q %v", image, repository, p, err)
		}
	}
	for _, image := range []string{"", "core:", "core:-1", "core@sha256:1", ":1", "a/"} {
		if _, p, err := compose.SplitReference(image); err == nil {
			t.Errorf("%q was taken, as %v", image, p)
		}
	}
}

func TestSameRepository(t *testing.T) {
	same := []string{"core", "library/core", "docker.io/core", "docker.io/library/core", "index.docker.io/library/core"}
	for _, a := range same {
		for _, b := range same {
			if !compose.SameRepository(a, b) {
				t.Errorf("%s and %s are one", a, b)
			}
		}
		if compose.SameRepository(a, "aegee/core") || compose.SameRepository(a, "localhost:5000/core") {
			t.Errorf("%s is another", a)
		}
	}
}
