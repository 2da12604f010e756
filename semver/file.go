package semver

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// File says where a version is written: in which file, and where in it. With neither Key nor Regex, the
// file's name says it; see [Detect] for the names.
type File struct {
	Path  string // relative to a root folder
	Key   string // dotted path in a JSON, TOML or YAML file; items of lists by number, from 0
	Regex string // Go regular expression with one group, the version; it must match exactly once
}

// kind is a sort of file that is known by its name.
type kind struct {
	name       string
	find       finder
	advice     string // how to write a version into one that has none
	companions func(dir string, d *document) ([]companion, error)
}

// companion is a file that repeats the version of another one.
type companion struct {
	path string
	find finder
}

// kinds are in the order of Detect.
var kinds = []kind{
	{"package.json", byKey(walkJSON, "version"), "npm pkg set version=0.1.0", npmLocks},
	{"Cargo.toml", cargoFile, `write version = "0.1.0" under [package]; where a workspace decides it, name the workspace's Cargo.toml`, cargoLock},
	{"mix.exs", mixFile, `write version: "0.1.0" in project`, nil},
	{"pyproject.toml", each(byKey(walkTOML, "project", "version"), byKey(walkTOML, "tool", "poetry", "version")), `write version = "0.1.0" under [project]; where it is dynamic, name its file with regex`, nil},
	{"composer.json", byKey(walkJSON, "version"), "composer config version 0.1.0", nil},
	{"VERSION", wholeFile, "echo 0.1.0 > VERSION", nil},
	{"version.txt", wholeFile, "echo 0.1.0 > version.txt", nil},
}

// Detect looks for version files in a folder, most specific first: package.json, Cargo.toml, mix.exs,
// pyproject.toml, composer.json, VERSION, version.txt. A file that holds no version (see
// [ErrNoVersion]) is none; one that can't be read or is not well-formed is an error.
func Detect(dir string) (files []File, err error) {
	for _, k := range kinds {
		f := File{Path: k.name}
		info, err := os.Stat(filepath.Join(dir, k.name))
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		if err == nil {
			_, err = f.Read(dir)
		}
		if errors.Is(err, ErrNoVersion) {
			continue
		}
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// Read reads the version that the file holds. What is wrong in the file is an [*Error].
func (f File) Read(dir string) (Version, error) {
	_, _, v, err := f.read(dir)
	return v, err
}

func (f File) read(dir string) (k kind, d *document, v Version, err error) {
	if k, err = f.kind(); err != nil {
		return k, nil, Version{}, err
	}
	if d, err = readDocument(dir, f.Path); err != nil {
		return k, nil, Version{}, err
	}
	places, err := k.find(d)
	if err != nil {
		return k, d, Version{}, err
	}
	v, err = d.one(places, k.advice)
	return k, d, v, err
}

// Edit prepares the change to another version, in the file and in its companions: package-lock.json and
// npm-shrinkwrap.json beside a package.json, the Cargo.lock of a Cargo.toml. A companion that does not
// hold the version is left out, as is a file that holds the new one already. Nothing is written.
func (f File) Edit(dir string, to Version) ([]Edit, error) {
	if to.IsZero() {
		return nil, fmt.Errorf("%s: there is no version to write", f.Path)
	}
	k, d, _, err := f.read(dir)
	if err != nil {
		return nil, err
	}
	own, err := d.edit(k.find, to)
	if err != nil || k.companions == nil {
		return changed(own), err
	}
	edits := []Edit{own}
	companions, err := k.companions(dir, d)
	if err != nil {
		return nil, err
	}
	for _, c := range companions {
		e, err := c.edit(dir, to)
		if err != nil {
			return nil, err
		}
		edits = append(edits, e)
	}
	return changed(edits...), nil
}

func (c companion) edit(dir string, to Version) (Edit, error) {
	d, err := readDocument(dir, c.path)
	if err != nil {
		return Edit{}, err
	}
	return d.edit(c.find, to)
}

func changed(edits ...Edit) []Edit {
	return slices.DeleteFunc(edits, func(e Edit) bool { return bytes.Equal(e.Before, e.After) })
}

// kind is how the file is read.
func (f File) kind() (kind, error) {
	switch {
	case f.Key != "" && f.Regex != "":
		return kind{}, fmt.Errorf("%s: key and regex exclude each other", f.Path)
	case f.Regex != "":
		find, err := byRegex(f.Regex)
		if err != nil {
			return kind{}, fmt.Errorf("%s: %w", f.Path, err)
		}
		return kind{find: find, advice: "write the regex so that it matches the version once"}, nil
	case f.Key != "":
		return f.keyed()
	}
	return f.named()
}

// keyed is the kind of a file with a key. It keeps the companions that its name has.
func (f File) keyed() (kind, error) {
	walk, known := walkerOf(f.Path)
	if !known {
		return kind{}, &kindError{f.Path, "a key needs a file whose name ends in .json, .toml, .yaml or .yml", "name the place with regex"}
	}
	k, err := f.named()
	if err != nil {
		k = kind{}
	}
	if f.Key != "version" {
		k.companions = nil
	}
	k.find = byKey(walk, strings.Split(f.Key, ".")...)
	k.advice = "write the version at " + f.Key + ", or name another key"
	return k, nil
}

func (f File) named() (kind, error) {
	name := filepath.Base(f.Path)
	for _, k := range kinds {
		if k.name == name {
			return k, nil
		}
	}
	return kind{}, &kindError{f.Path, "it is not known where a file of this name holds its version", "name the place with key or regex"}
}

// kindError is a file of which it is not known how to read it.
type kindError struct{ path, reason, advice string }

func (e *kindError) Error() string { return e.path + ": " + e.reason }

func (e *kindError) Hint() string { return e.advice }
