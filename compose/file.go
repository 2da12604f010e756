package compose

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Apply writes the edit, and loads the project once more to confirm it. Each file is there whole, old or
// new, at any moment; when a later one can't be written, or the project then is not what was planned,
// all are put back. A file that changed since it was read is refused with [ErrStale].
func (e *Edit) Apply() error {
	forward := func(f FileEdit) (expected, data []byte) { return f.Before, f.After }
	if err := writeAll(e.files, forward); err != nil {
		return err
	}
	if err := e.confirm(); err != nil {
		return errors.Join(fmt.Errorf("put back: %w", err), putBack(e.files, forward))
	}
	return nil
}

// Revert writes back what Apply replaced.
func (e *Edit) Revert() error {
	return writeAll(e.files, func(f FileEdit) (expected, data []byte) { return f.After, f.Before })
}

func writeAll(files []FileEdit, what func(FileEdit) (expected, data []byte)) error {
	for i, f := range files {
		expected, data := what(f)
		if err := replace(f.Path, expected, data); err != nil {
			return errors.Join(err, putBack(files[:i], what))
		}
	}
	return nil
}

func putBack(files []FileEdit, what func(FileEdit) (expected, data []byte)) error {
	var failures []error
	for _, f := range files {
		expected, data := what(f)
		failures = append(failures, replace(f.Path, data, expected))
	}
	return errors.Join(failures...)
}

// replace gives a file new content in one step: a temporary file beside it, synced, renamed over it,
// and the folder synced. Owner and mode stay; a symlink is followed.
func replace(path string, expected, data []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if now, err := os.ReadFile(path); err != nil {
		return err
	} else if !bytes.Equal(now, expected) {
		return fmt.Errorf("%s: %w", path, ErrStale)
	}
	temporary, err := temporary(path, info, data)
	if err != nil {
		return fmt.Errorf("%s can't be rewritten: %w", path, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return syncFolder(filepath.Dir(path))
}

// temporary writes the new content beside the file, with its owner and mode.
func temporary(path string, info fs.FileInfo, data []byte) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".promote-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(info.Mode().Perm())
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && err == nil && !owned(f, owner) {
		err = f.Chown(int(owner.Uid), int(owner.Gid))
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// owned reports whether the new file has the owner already, which it mostly has.
func owned(f *os.File, owner *syscall.Stat_t) bool {
	info, err := f.Stat()
	if err != nil {
		return false
	}
	now, ok := info.Sys().(*syscall.Stat_t)
	return ok && now.Uid == owner.Uid && now.Gid == owner.Gid
}

func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
