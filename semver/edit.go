package semver

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"promote/compose/atomicfile"
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
	var all []*atomicfile.Pending
	for _, e := range edits {
		p, err := e.prepare(dir)
		if err != nil {
			return errors.Join(err, discard(all))
		}
		all = append(all, p)
	}
	return edits.commit(dir, all)
}

// commit puts what is prepared in the place of the files.
func (edits Edits) commit(dir string, all []*atomicfile.Pending) error {
	for i, p := range all {
		if err := p.Commit(); err != nil {
			return errors.Join(err, discard(all[i+1:]), edits[:i].Back().Apply(dir))
		}
	}
	return nil
}

func (e Edit) prepare(dir string) (*atomicfile.Pending, error) {
	path := filepath.Join(dir, e.Path)
	now, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(now, e.Before) {
		return nil, fmt.Errorf("%s: %w", e.Path, ErrStale)
	}
	p, err := atomicfile.Create(path)
	if err != nil {
		return nil, err
	}
	if _, err = p.Write(e.After); err == nil {
		err = p.Sync()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s can't be rewritten: %w", e.Path, err), p.Discard())
	}
	return p, nil
}

// discard removes what is prepared but shall not be.
func discard(all []*atomicfile.Pending) (err error) {
	for _, p := range all {
		err = errors.Join(err, p.Discard())
	}
	return err
}
