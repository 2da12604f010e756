package main

import (
	"errors"
	"os"
	"path/filepath"
)

// tree is a repository's files on disk.
type tree struct {
	root  string // absolute, without symlinks
	files map[string][]byte
}

// plant writes a repository to a temporary folder.
func plant(r repository) (*tree, error) {
	root, err := os.MkdirTemp("", "fidelity-")
	if err != nil {
		return nil, err
	}
	t := &tree{root: root, files: r.files}
	if t.root, err = filepath.EvalSymlinks(root); err == nil {
		err = t.put(r.files)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(root))
	}
	return t, nil
}

func (t *tree) path(name string) string { return filepath.Join(t.root, filepath.FromSlash(name)) }

// put writes files, plainly: syncing a disk is not what is tried here.
func (t *tree) put(files map[string][]byte) error {
	for name, data := range files {
		if err := os.MkdirAll(filepath.Dir(t.path(name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(t.path(name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// restore undoes put.
func (t *tree) restore(files map[string][]byte) error {
	for name := range files {
		data, existed := t.files[name]
		if !existed {
			if err := os.Remove(t.path(name)); err != nil {
				return err
			}
			continue
		}
		if err := os.WriteFile(t.path(name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (t *tree) remove() error { return os.RemoveAll(t.root) }
