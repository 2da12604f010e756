package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	root := t.TempDir()
	write := func(path string) {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a/promote.yaml")
	write("a/b/promote.yml")
	write("a/b/c/d/file")
	write("both/promote.yaml")
	write("both/promote.yml")
	write("a/e/promote.yaml/file") // a directory of that name is none
	for dir, want := range map[string]string{
		"a":       "a/promote.yaml",
		"a/b":     "a/b/promote.yml",
		"a/b/c/d": "a/b/promote.yml",
		"a/e":     "a/promote.yaml",
	} {
		got, err := Find(filepath.Join(root, dir))
		if err != nil || got != filepath.Join(root, want) {
			t.Errorf("%s: got %s, %v", dir, got, err)
		}
	}
	if _, err := Find(filepath.Join(root, "both")); err == nil || !strings.Contains(err.Error(), "both exist") {
		t.Errorf("both: got %v", err)
	}
}

func TestFindIsRelativeHereAndAbsoluteAbove(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, "promote.yaml")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	if got, err := Find("."); got != "promote.yaml" || err != nil {
		t.Errorf("here: got %s, %v", got, err)
	}
	t.Chdir("sub")
	if got, err := Find("."); got != file || err != nil {
		t.Errorf("above: got %s, %v", got, err)
	}
}

func TestFindNothing(t *testing.T) {
	_, err := Find(t.TempDir())
	var hint interface{ Hint() string }
	if !errors.Is(err, ErrNotFound) || !errors.As(err, &hint) || hint.Hint() != "promote init" {
		t.Errorf("got %v", err)
	}
}

// TestFindOfOthers: what another user put into a parent directory is not used unasked.
func TestFindOfOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root can give a file away")
	}
	dir := t.TempDir()
	below := filepath.Join(dir, "below")
	path := filepath.Join(dir, "promote.yaml")
	for _, err := range []error{os.Mkdir(below, 0o755), os.WriteFile(path, nil, 0o644), os.Chown(path, 4711, 4711)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := Find(below)
	var hint interface{ Hint() string }
	if !errors.As(err, &hint) || hint.Hint() != "promote --config "+path+" …, if you trust it" {
		t.Errorf("got %v", err)
	}
	if _, err := Find(dir); err != nil {
		t.Errorf("in its own directory: %v", err)
	}
}
