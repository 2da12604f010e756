package main

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// repository is files that belong together, by their path in it.
type repository struct {
	name  string
	files map[string][]byte
}

// composeFiles are the paths of those that may be compose files, sorted.
func (r repository) composeFiles() []string {
	var paths []string
	for path := range r.files {
		if isCompose(path) {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// readCorpus reads the compose files and env files of a folder, the repositories with the most files
// first, so that none is left over when the others are done.
func readCorpus(dir string) ([]repository, error) {
	index, err := readIndex(filepath.Join(dir, "INDEX.tsv"))
	if err != nil {
		return nil, err
	}
	found := map[string]repository{}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !isCompose(path) && !isEnv(path) {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, inside := origin(dir, path, index)
		if found[name].files == nil {
			found[name] = repository{name, map[string][]byte{}}
		}
		found[name].files[inside] = data
		return nil
	})
	var list []repository
	for _, r := range found {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b repository) int {
		return cmp.Or(cmp.Compare(len(b.files), len(a.files)), strings.Compare(a.name, b.name))
	})
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%s: no compose files", dir)
	}
	return list, err
}

// origin is the repository that a file comes from, and its path there.
func origin(dir, path string, index map[string]string) (repository, inside string) {
	relative, err := filepath.Rel(dir, path)
	if err != nil {
		return filepath.Base(dir), filepath.Base(path)
	}
	relative = filepath.ToSlash(relative)
	repository, inside, below := strings.Cut(relative, "/")
	if !below {
		return filepath.Base(dir), relative
	}
	if indexed := index[relative]; filepath.IsLocal(indexed) {
		inside = indexed
	}
	return repository, inside
}

// readIndex reads where the files of a corpus lay: file → path. There may be no index.
func readIndex(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	table := csv.NewReader(f)
	table.Comma, table.LazyQuotes = '\t', true
	rows, err := table.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s: it is empty", path)
	}
	file, inside := slices.Index(rows[0], "file"), slices.Index(rows[0], "path")
	if file < 0 || inside < 0 {
		return nil, fmt.Errorf("%s: it has no columns file and path", path)
	}
	paths := map[string]string{}
	for _, row := range rows[1:] {
		paths[row[file]] = row[inside]
	}
	return paths, nil
}

func isCompose(path string) bool {
	extension := filepath.Ext(path)
	return extension == ".yml" || extension == ".yaml"
}

func isEnv(path string) bool {
	return strings.HasPrefix(filepath.Base(path), ".env") || filepath.Ext(path) == ".env"
}
