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

// Edit is a prepared change of one file.
type Edit struct {
	Path          string // relative to the root folder
	Before, After []byte
}

// Edits are prepared changes that belong together.
type Edits []Edit

func (e Edit) same() bool { return bytes.Equal(e.Before, e.After) }

// Apply writes the edit, as Edits.Apply does.
func (e Edit) Apply(dir string) error { return Edits{e}.Apply(dir) }

// Back are the edits that undo these.
func (edits Edits) Back() (back Edits) {
	for _, e := range edits {
		back = append(back, Edit{e.Path, e.After, e.Before})
	}
	return back
}

// Apply writes the edits, all or none. Each file is there whole, old or new, at any moment; owner and
// mode stay, and a symlink is followed. A file that no longer holds Before is left alone: [ErrStale].
// Everything is written beside the files before the first one is replaced, so that little can fail from
// then on; if it does, those replaced are put back.
func (edits Edits) Apply(dir string) error {
	var all []replacement
	for _, e := range edits {
		r, err := e.prepare(dir)
		if err != nil {
			return errors.Join(err, discard(all))
		}
		all = append(all, r)
	}
	return edits.replace(dir, all)
}

// replace puts what is prepared in the place of the files.
func (edits Edits) replace(dir string, all []replacement) (err error) {
	for i, r := range all {
		if err := os.Rename(r.temporary, r.path); err != nil {
			return errors.Join(err, discard(all[i:]), edits[:i].Back().Apply(dir))
		}
	}
	for _, r := range all {
		err = errors.Join(err, syncFolder(filepath.Dir(r.path)))
	}
	return err
}

// replacement is a file, and the temporary one beside it that shall take its place.
type replacement struct{ path, temporary string }

func (e Edit) prepare(dir string) (replacement, error) {
	path, err := filepath.EvalSymlinks(filepath.Join(dir, e.Path))
	if err != nil {
		return replacement{}, err
	}
	now, err := os.ReadFile(path)
	if err != nil {
		return replacement{}, err
	}
	if !bytes.Equal(now, e.Before) {
		return replacement{}, fmt.Errorf("%s: %w", e.Path, ErrStale)
	}
	temporary, err := writeBeside(path, e.After)
	if err != nil {
		return replacement{}, fmt.Errorf("%s can't be rewritten: %w", e.Path, err)
	}
	return replacement{path, temporary}, nil
}

// discard removes what is prepared but shall not be.
func discard(all []replacement) (err error) {
	for _, r := range all {
		err = errors.Join(err, os.Remove(r.temporary))
	}
	return err
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
