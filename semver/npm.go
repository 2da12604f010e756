package semver

import (
	"path/filepath"
)

// npmLocks are the lock files beside a package.json, or those of the workspace that it belongs to. Those
// of pnpm and Yarn hold no version of the package itself.
func npmLocks(dir string, d *document) (list []companion, err error) {
	for _, name := range []string{"package-lock.json", "npm-shrinkwrap.json"} {
		folder, found, err := nearest(dir, d.path, name)
		if err != nil {
			return nil, err
		}
		if found == nil {
			continue
		}
		member, err := filepath.Rel(folder, filepath.Dir(d.path))
		if err != nil {
			return nil, err
		}
		list = append(list, companion{filepath.Join(folder, name), npmLock(filepath.ToSlash(member))})
	}
	return list, nil
}

// npmLock finds the places where npm repeats the version of a package in a folder: as old and as new npm
// do it.
func npmLock(folder string) finder {
	if folder == "." {
		return each(byKey(walkJSON, "version"), byKey(walkJSON, "packages", "", "version"))
	}
	return byKey(walkJSON, "packages", folder, "version")
}
