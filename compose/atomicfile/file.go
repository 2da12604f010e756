// Package atomicfile replaces files whole: at any moment, also in a power cut, the old content is there or the new.
//
// A file that takes the place of another one keeps its owner, group, mode, access control lists and extended
// attributes, or is not written; a symlink is followed. Other hard links of the file keep the old content, and so does
// a container that has the file alone mounted: both hold on to the file that was replaced.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Prefix is how the name of a file begins that is not in its place yet. What is left of such ones after a crash may
// be removed.
const Prefix = ".promote-"

// Pending is new content on its way, in a file beside the one that it is for. Write to it, then Commit or Discard it.
type Pending struct {
	*os.File
	path string // that it is to have
}

// Create begins to replace a file, or to make one that is for its owner alone.
func Create(path string) (*Pending, error) {
	path, err := resolve(path)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), Prefix+"*") // made with mode 0600
	if err != nil {
		return nil, err
	}
	p := &Pending{f, path}
	if err := p.resemble(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s can't be rewritten: %w", path, err), p.Discard())
	}
	return p, nil
}

// resolve follows a symlink. One that leads nowhere is an error, what is not there yet is none.
func resolve(path string) (string, error) {
	resolved, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return resolved, err
	}
	if _, link := os.Lstat(path); link == nil {
		return "", err
	}
	return path, nil
}

// resemble gives the new file what the one in its place has. Mostly the owner is the same already; only root may
// give files away.
func (p *Pending) resemble() error {
	old, err := os.Stat(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	own, err := p.Stat()
	if err != nil {
		return err
	}
	was, known := old.Sys().(*syscall.Stat_t)
	is, same := own.Sys().(*syscall.Stat_t)
	if known && same && (was.Uid != is.Uid || was.Gid != is.Gid) {
		if err := p.Chown(int(was.Uid), int(was.Gid)); err != nil {
			return err
		}
	}
	if err := p.Chmod(old.Mode().Perm()); err != nil {
		return err
	}
	return p.copyAttributes()
}

// copyAttributes takes over the extended attributes, among which Linux has access control lists. Those that the
// system itself gives to files are taken over as far as it allows.
func (p *Pending) copyAttributes() error {
	names, err := attributes(p.path)
	for _, name := range names {
		value, err := attribute(p.path, name)
		if err == nil {
			err = unix.Fsetxattr(int(p.Fd()), name, value, 0)
		}
		own := strings.HasPrefix(name, "user.") || strings.HasPrefix(name, "system.posix_acl_")
		if err != nil && own {
			return fmt.Errorf("its attribute %s can't be kept: %w", name, err)
		}
	}
	return err
}

// attributes are the names of a file's extended attributes; none where the file system knows none.
func attributes(path string) ([]string, error) {
	size, err := unix.Listxattr(path, nil)
	if errors.Is(err, unix.ENOTSUP) || err == nil && size == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list := make([]byte, size)
	if size, err = unix.Listxattr(path, list); err != nil {
		return nil, err
	}
	return strings.FieldsFunc(string(list[:size]), func(r rune) bool { return r == 0 }), nil
}

func attribute(path, name string) ([]byte, error) {
	size, err := unix.Getxattr(path, name, nil)
	if err != nil || size == 0 {
		return nil, err
	}
	value := make([]byte, size)
	size, err = unix.Getxattr(path, name, value)
	return value[:max(size, 0)], err
}

// Commit puts the content in its place, and returns when that is on disk. When it can't, nothing is left.
func (p *Pending) Commit() error {
	err := errors.Join(p.Sync(), p.Close())
	if err == nil {
		err = os.Rename(p.Name(), p.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(p.Name()))
	}
	return syncFolder(filepath.Dir(p.path))
}

// Discard removes what was written.
func (p *Pending) Discard() error { return errors.Join(p.Close(), os.Remove(p.Name())) }

// Write replaces the content of a file, or makes one that is for its owner alone.
func Write(path string, data []byte) error {
	p, err := Create(path)
	if err != nil {
		return err
	}
	if _, err := p.Write(data); err != nil {
		return errors.Join(fmt.Errorf("%s can't be rewritten: %w", path, err), p.Discard())
	}
	return p.Commit()
}

// syncFolder brings the names in a folder to disk; syncing a file brings only what is in it.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
