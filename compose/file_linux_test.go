package compose_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"promote/compose"
)

// root skips loudly where the test can't be root, and fails in CI, where it must be.
func root(t *testing.T) {
	t.Helper()
	switch {
	case os.Getuid() == 0:
	case os.Getenv("CI") == "true":
		t.Fatal("this test needs root")
	default:
		t.Skip("SKIPPED: needs root")
	}
}

// mount mounts until the test ends.
func mount(t *testing.T, source, dir, kind string, flags uintptr, data string) {
	t.Helper()
	if err := syscall.Mount(source, dir, kind, flags, data); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

// TestFullDisk: where the new content does not fit, the edit fails, and the file stays as it was with
// nothing beside it.
func TestFullDisk(t *testing.T) {
	root(t)
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "tmpfs", 0, "size=64k")
	text := "services:\n  core:\n    image: core:v1\n" + strings.Repeat("# a comment of forty characters or so...\n", 1000)
	if err := os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	edit, err := load(t, compose.Options{Dir: dir}).Edit(toV2("core"))
	if err != nil {
		t.Fatal(err)
	}
	if err := edit.Apply(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
	compare(t, dir, map[string]string{"compose.yaml": text})
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("there is %v, %v", entries, err)
	}
}

// TestUnwritableSecondFile: the compose file lies on a read-only file system, the .env before it does
// not. What was written first is put back.
func TestUnwritableSecondFile(t *testing.T) {
	root(t)
	dir := folder(t, map[string]string{"app/.env": "TAG=v1\n", "infra/compose.yaml": "services:\n  a: {image: \"a:v1\"}\n  b: {image: \"b:${TAG}\"}\n"})
	infra := filepath.Join(dir, "infra")
	edit, err := load(t, compose.Options{Dir: filepath.Join(dir, "app"), Files: []string{"../infra/compose.yaml"}}).Edit(toV2("a"), toV2("b"))
	if err != nil {
		t.Fatal(err)
	}
	mount(t, infra, infra, "", syscall.MS_BIND, "") // over itself, so that it can be made read-only: not even root writes there
	if err := syscall.Mount("", infra, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if first := edit.Files()[0].Path; filepath.Base(first) != ".env" {
		t.Fatalf("%s would be written first", first)
	}
	if err := edit.Apply(); !errors.Is(err, syscall.EROFS) {
		t.Errorf("got %v", err)
	}
	compare(t, dir, map[string]string{"app/.env": "TAG=v1\n"})
}

// TestOwnerIsKept: promote often runs as root in a directory of somebody else.
func TestOwnerIsKept(t *testing.T) {
	root(t)
	dir := folder(t, map[string]string{"compose.yaml": oneService})
	path := filepath.Join(dir, "compose.yaml")
	if err := errors.Join(os.Chown(path, 1234, 5678), os.Chmod(path, 0o640)); err != nil {
		t.Fatal(err)
	}
	edits(t, compose.Options{Dir: dir}, core)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	if got := fmt.Sprintf("%d:%d %v", owner.Uid, owner.Gid, info.Mode()); got != "1234:5678 -rw-r-----" {
		t.Errorf("it has become %s", got)
	}
}

func toV2(service string) compose.Change {
	return compose.Change{Service: service, From: compose.Pin{Tag: "v1"}, To: compose.Pin{Tag: "v2"}}
}
