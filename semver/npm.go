package semver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// npmLock finds the places where npm repeats the version of a package: as old and as new npm do it.
var npmLock = each(byKey(walkJSON, "version"), byKey(walkJSON, "packages", "", "version"))

// npmLocks are the lock files beside a package.json.
func npmLocks(dir string, d *document) (list []companion, err error) {
	for _, name := range []string{"package-lock.json", "npm-shrinkwrap.json"} {
		path := filepath.Join(filepath.Dir(d.path), name)
		_, err := os.Stat(filepath.Join(dir, path))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, companion{path, npmLock})
	}
	return list, nil
}
