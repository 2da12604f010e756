package semver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"promote/compose/atomicfile"
	"syscall"
	"testing"
)

func TestApply(t *testing.T) {
	dir := write(t, map[string]string{"real/VERSION": "1.4.2\n"})
	link, real := filepath.Join(dir, "VERSION"), filepath.Join(dir, "real", "VERSION")
	if err := errors.Join(os.Symlink("real/VERSION", link), os.Chmod(real, 0o640)); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(real, 1234, 4321); err != nil {
			t.Fatal(err)
		}
	}
	before := stat(t, real)
	e := Edit{"VERSION", []byte("1.4.2\n"), []byte("1.5.0\n")}
	if err := e.Apply(dir); err != nil {
		t.Fatal(err)
	}
	after := stat(t, real)
	if after.Mode != before.Mode || after.Uid != before.Uid || after.Gid != before.Gid {
		t.Errorf("mode %o owner %d:%d became %o %d:%d", before.Mode, before.Uid, before.Gid, after.Mode, after.Uid, after.Gid)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if err := e.Apply(dir); !errors.Is(err, ErrStale) {
		t.Errorf("stale: %v", err)
	}
	if data, err := os.ReadFile(link); err != nil || string(data) != "1.5.0\n" {
		t.Errorf("%q, %v", data, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "real", ".promote-*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func stat(t *testing.T, path string) (s syscall.Stat_t) {
	t.Helper()
	if err := syscall.Stat(path, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestApplyMissing(t *testing.T) {
	if err := (Edit{Path: "VERSION"}).Apply(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestApplyAllOrNone(t *testing.T) {
	edits := Edits{{"a", []byte("1"), []byte("2")}, {"b", []byte("1"), []byte("2")}, {"c", []byte("1"), []byte("2")}}
	files := map[string]string{"a": "1", "b": "1", "c": "1"}
	t.Run("stale", func(t *testing.T) {
		dir := write(t, map[string]string{"a": "1", "b": "1", "c": "3"})
		if err := edits.Apply(dir); !errors.Is(err, ErrStale) {
			t.Errorf("%v", err)
		}
		holds(t, dir, map[string]string{"a": "1", "b": "1", "c": "3"})
	})
	t.Run("in the middle", func(t *testing.T) {
		dir := write(t, files)
		var all []*atomicfile.Pending
		for _, e := range edits {
			r, err := e.prepare(dir)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
		}
		if err := os.Remove(all[1].Name()); err != nil {
			t.Fatal(err)
		}
		if err := edits.commit(dir, all); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v", err)
		}
		holds(t, dir, files)
	})
	t.Run("and back", func(t *testing.T) {
		dir := write(t, files)
		if err := edits.Apply(dir); err != nil {
			t.Fatal(err)
		}
		holds(t, dir, map[string]string{"a": "2", "b": "2", "c": "2"})
		if err := edits.Back().Apply(dir); err != nil {
			t.Fatal(err)
		}
		holds(t, dir, files)
	})
}

// holds makes sure that a folder holds these files and no other.
func holds(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(files) {
		t.Errorf("%v, %v", entries, err)
	}
	for name, want := range files {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
}
