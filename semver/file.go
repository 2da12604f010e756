package semver

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// File says where a version is written: in which file, and where in it. With neither Key nor Regex, the
// file's name says it; see [Detect] for the names.
type File struct {
	Path  string // relative to a root folder
	Key   string // dotted path in a JSON, TOML, YAML, XML, INI or properties file; items of lists by number, from 0
	Regex string // Go regular expression with one group, the version; it must match exactly once
}

// String is the path, with the key or the expression behind a colon.
func (f File) String() string {
	if where := f.Key + f.Regex; where != "" {
		return f.Path + ":" + where
	}
	return f.Path
}

// Detect looks for version files in a folder, in the order in which the package lists them; several of
// one kind by path. A file that holds no version (see [ErrNoVersion]) is none; one that can't be read or
// is not well-formed is an error.
func Detect(dir string) (files []File, err error) {
	for _, k := range kinds {
		paths, err := k.in(dir)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			f := File{Path: path}
			_, err := f.Read(dir)
			if err == nil {
				files = append(files, f)
			} else if !errors.Is(err, ErrNoVersion) {
				return nil, err
			}
		}
	}
	return files, nil
}

// Read reads the version that the file holds. What is wrong in the file is an [*Error].
func (f File) Read(dir string) (Version, error) {
	k, err := f.kind()
	if err != nil {
		return Version{}, err
	}
	d, err := readDocument(dir, f.Path)
	if err != nil {
		return Version{}, err
	}
	return k.read(d)
}

// Edit prepares the change to another version, in the file and in its companions:
//
//   - package-lock.json and npm-shrinkwrap.json of a package.json, also those of its workspace;
//   - Cargo.lock of a Cargo.toml, uv.lock of a pyproject.toml, Gemfile.lock of a version.rb or gemspec;
//   - the modules of a pom.xml, which repeat it as their parent's version.
//
// No version of the project itself is in pnpm-lock.yaml, yarn.lock, poetry.lock, composer.lock, mix.lock,
// gradle.lockfile, packages.lock.json or go.sum: these stay as they are. A companion that does not hold
// the version is left out, as is a file that holds the new one already. Nothing is written.
func (f File) Edit(dir string, to Version) (Edits, error) {
	s := stage{dir: dir}
	if err := s.edit(f, to); err != nil {
		return nil, err
	}
	return s.changed(), nil
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

// keyed is the kind of a file with a key. Where the key is the one that its name stands for, it keeps the
// rest of what its name says.
func (f File) keyed() (kind, error) {
	walk, known := walkerOf(f.Path)
	if !known {
		return kind{}, &kindError{f.Path, "a key needs a file whose name ends in " + strings.Join(slices.Sorted(maps.Keys(walkers)), ", "), "name the place with regex"}
	}
	k, err := f.named()
	if err != nil || !slices.Contains(k.keys, f.Key) {
		k = kind{}
	}
	k.find, k.inStep = byKey(walk, strings.Split(f.Key, ".")...), nil
	k.advice = "write the version at " + f.Key + ", or name another key"
	return k, nil
}

func (f File) named() (kind, error) {
	name := filepath.Base(f.Path)
	for _, k := range kinds {
		if matched, _ := path.Match(k.name, name); !matched {
			continue
		}
		if k.find == nil {
			k.find = byKeys(name, k.keys)
		}
		return k, nil
	}
	return kind{}, &kindError{f.Path, "it is not known where a file of this name holds its version", "name the place with key or regex"}
}

// kindError is a file of which it is not known how to read it.
type kindError struct{ path, reason, advice string }

func (e *kindError) Error() string { return e.path + ": " + e.reason }

func (e *kindError) Hint() string { return e.advice }
