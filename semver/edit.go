package semver

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Edit is a prepared change of one file. Before and After swapped are the way back.
type Edit struct {
	Path          string // relative to the root folder
	Before, After []byte
}

// Apply writes the edit. The file is there whole, old or new, at any moment; owner and mode stay, and a
// symlink is followed. A file that no longer holds Before is left alone: [ErrStale].
func (e Edit) Apply(dir string) error {
	path, err := filepath.EvalSymlinks(filepath.Join(dir, e.Path))
	if err != nil {
		return err
	}
	now, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(now, e.Before) {
		return fmt.Errorf("%s: %w", e.Path, ErrStale)
	}
	temporary, err := writeBeside(path, e.After)
	if err != nil {
		return fmt.Errorf("%s can't be rewritten: %w", e.Path, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return syncFolder(filepath.Dir(path))
}

// writeBeside writes a temporary file with the owner and mode of the one that it shall replace.
func writeBeside(path string, data []byte) (name string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".promote-*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(data)
	if err == nil {
		err = keepOwner(f, info)
	}
	if err == nil {
		err = f.Chmod(info.Mode().Perm())
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// keepOwner gives a new file the owner of the old one. Mostly it has it already; only root may give
// files away.
func keepOwner(f *os.File, old fs.FileInfo) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	was, known := old.Sys().(*syscall.Stat_t)
	is, same := info.Sys().(*syscall.Stat_t)
	if !known || !same || was.Uid == is.Uid && was.Gid == is.Gid {
		return nil
	}
	return f.Chown(int(was.Uid), int(was.Gid))
}

func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
