package atomicfile_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"promote/compose/atomicfile"
)

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, ".env")
	if err := errors.Join(os.WriteFile(path, []byte("TAG=v1\n"), 0o640), atomicfile.Write(path, []byte("TAG=v2\n"))); err != nil {
		panic(err)
	}
	data, _ := os.ReadFile(path)
	info, _ := os.Stat(path)
	fmt.Printf("%s%o\n", data, info.Mode().Perm())
	// Output:
	// TAG=v2
	// 640
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// acl is an access control list of Linux: user 4711 may read, the group may not, and the mask lets rw through.
const acl = "\x02\x00\x00\x00" + // version
	"\x01\x00\x06\x00\xff\xff\xff\xff" + // owner rw-
	"\x02\x00\x04\x00\x67\x12\x00\x00" + // user 4711 r--
	"\x04\x00\x00\x00\xff\xff\xff\xff" + // group ---
	"\x10\x00\x06\x00\xff\xff\xff\xff" + // mask rw-
	"\x20\x00\x00\x00\xff\xff\xff\xff" // others ---

// TestAttributes: whom an access control list lets in stays in, and nobody else gets in.
func TestAttributes(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".env")
	check(t, os.WriteFile(path, []byte("a"), 0o640))
	for name, value := range map[string]string{"user.origin": "backup", "system.posix_acl_access": acl} {
		if err := unix.Setxattr(path, name, []byte(value), 0); errors.Is(err, unix.ENOTSUP) {
			t.Skipf("SKIPPED: this file system has no %s", name)
		} else {
			check(t, err)
		}
	}
	check(t, atomicfile.Write(path, []byte("b")))
	for name, want := range map[string]string{"user.origin": "backup", "system.posix_acl_access": acl} {
		value := make([]byte, 256)
		n, err := unix.Getxattr(path, name, value)
		if check(t, err); string(value[:n]) != want {
			t.Errorf("%s is %q, was %q", name, value[:n], want)
		}
	}
}

// TestPending: until it is committed, the old content is there; and nothing is left of what is not.
func TestPending(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	check(t, os.WriteFile(path, []byte("old"), 0o644))
	check(t, os.Symlink("real", link))
	wants := func(text string, files int) {
		t.Helper()
		data, err := os.ReadFile(path)
		list, _ := os.ReadDir(dir)
		if check(t, err); string(data) != text || len(list) != files {
			t.Errorf("it says %q, beside %d files", data, len(list)-1)
		}
	}
	p, err := atomicfile.Create(link)
	check(t, err)
	_, err = p.WriteString("new")
	check(t, err)
	wants("old", 3)
	check(t, p.Discard())
	wants("old", 2)
	check(t, atomicfile.Write(link, []byte("new")))
	wants("new", 2)
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is no link any more: %v", err)
	}
	own := filepath.Join(dir, "own")
	check(t, atomicfile.Write(own, nil))
	if info, err := os.Stat(own); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a new file has mode %v, %v", info.Mode(), err)
	}
	check(t, os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	if err := atomicfile.Write(filepath.Join(dir, "dangling"), nil); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a link to nowhere: %v", err)
	}
}
