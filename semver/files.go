package semver

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Files are version files that go in step: all hold the same version. The first one speaks for them.
type Files []File

// Read reads the version that all files hold. Where they disagree, the error shows what each holds; what
// is wrong in one of them is an [*Error].
func (files Files) Read(dir string) (Version, error) {
	if len(files) == 0 {
		return Version{}, errors.New("there is no version file")
	}
	var held []Version
	for _, f := range files {
		v, err := f.Read(dir)
		if err != nil {
			return Version{}, err
		}
		held = append(held, v)
	}
	if slices.ContainsFunc(held, func(v Version) bool { return v != held[0] }) {
		return Version{}, &disagreement{files, held}
	}
	return held[0], nil
}

// Edit prepares the change to another version in all files and their companions, as [File.Edit] does.
// Files that disagree are refused. Nothing is written.
func (files Files) Edit(dir string, to Version) (Edits, error) {
	if _, err := files.Read(dir); err != nil {
		return nil, err
	}
	s := stage{dir: dir}
	for _, f := range files {
		if err := s.edit(f, to); err != nil {
			return nil, err
		}
	}
	return s.changed(), nil
}

// disagreement is what several files hold that should hold the same.
type disagreement struct {
	files Files
	held  []Version
}

func (e *disagreement) Error() string {
	var list []string
	for i, f := range e.files {
		list = append(list, f.String()+" "+e.held[i].String())
	}
	return "the version files disagree: " + strings.Join(list, ", ")
}

// Hint is the way out.
func (e *disagreement) Hint() string {
	return "write the version of " + e.files[0].String() + " into the others"
}

// stage collects edits of files that are not written yet. What is read through it has them already, so
// that two files may share a companion.
type stage struct {
	dir   string
	edits Edits
}

func (s *stage) read(path string) (*document, error) {
	if i := s.index(path); i >= 0 {
		return &document{path, s.edits[i].After}, nil
	}
	return readDocument(s.dir, path)
}

// index is which edit is a file's, however its path is written.
func (s *stage) index(path string) int {
	return slices.IndexFunc(s.edits, func(e Edit) bool { return filepath.Clean(e.Path) == filepath.Clean(path) })
}

// edit changes a file and its companions.
func (s *stage) edit(f File, to Version) error {
	if to.IsZero() {
		return fmt.Errorf("%s: there is no version to write", f.Path)
	}
	k, err := f.kind()
	if err != nil {
		return err
	}
	d, err := s.read(f.Path)
	if err != nil {
		return err
	}
	if _, err := k.read(d); err != nil {
		return err
	}
	if err := s.change(companion{f.Path, k.places()}, to); err != nil || k.companions == nil {
		return err
	}
	companions, err := k.companions(s.dir, d)
	if err != nil {
		return err
	}
	for _, c := range companions {
		if err := s.change(c, to); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) change(c companion, to Version) error {
	d, err := s.read(c.path)
	if err != nil {
		return err
	}
	e, err := d.edit(c.find, to)
	if err != nil {
		return err
	}
	if i := s.index(c.path); i >= 0 {
		s.edits[i].After = e.After
	} else {
		s.edits = append(s.edits, e)
	}
	return nil
}

// changed are the edits that change anything.
func (s *stage) changed() Edits {
	return slices.DeleteFunc(s.edits, Edit.same)
}
