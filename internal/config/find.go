package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ErrNotFound is what [Find] returns, wrapped with where it looked, when there is no promote.yaml.
var ErrNotFound = errors.New("no promote.yaml")

// notFound carries the advice that belongs to ErrNotFound.
type notFound struct{ dir string }

func (e *notFound) Error() string {
	return fmt.Sprintf("%v in %s or a parent of it", ErrNotFound, e.dir)
}
func (e *notFound) Unwrap() error { return ErrNotFound }
func (e *notFound) Hint() string  { return "promote init" }

// Find looks for promote.yaml (or promote.yml) in dir and then in each parent, as git does. A file in
// dir itself is returned relative to dir as dir was given, one in a parent with its absolute path. It is
// an error for one directory to hold both names, and for a parent's file to belong to another user than this one
// and root: it names commands that run here.
func Find(dir string) (path string, err error) {
	if path, err = configIn(dir); path != "" || err != nil {
		return path, err
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for parent := filepath.Dir(abs); parent != abs; abs, parent = parent, filepath.Dir(parent) {
		if path, err = configIn(parent); path != "" && err == nil {
			err = checkOwner(path)
		}
		if path != "" || err != nil {
			return path, err
		}
	}
	return "", &notFound{dir}
}

// checkOwner refuses what somebody else may have put where this user would find it.
func checkOwner(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	owner, known := info.Sys().(*syscall.Stat_t)
	if !known || owner.Uid == 0 || int(owner.Uid) == os.Geteuid() {
		return nil
	}
	return &ownerError{path}
}

// ownerError is a file that somebody else put in a parent directory.
type ownerError struct{ path string }

func (e *ownerError) Error() string {
	return e.path + " belongs to another user, so it is not used without being named"
}

// Hint names it.
func (e *ownerError) Hint() string { return "promote --config " + e.path + " …, if you trust it" }

// configIn gives the configuration file that lies in dir, "" if none does.
func configIn(dir string) (string, error) {
	var found []string
	for _, name := range []string{"promote.yaml", "promote.yml"} {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		switch {
		case err == nil && !info.IsDir():
			found = append(found, path)
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return "", err
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	}
	return "", fmt.Errorf("%s and %s both exist; remove one", found[0], found[1])
}
