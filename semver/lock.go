package semver

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// nearest is the first folder, beside a file or above it, that has files of a pattern, and their names.
func nearest(dir, beside, pattern string) (folder string, names []string, err error) {
	for folder = filepath.Dir(beside); ; folder = filepath.Dir(folder) {
		names, err := fs.Glob(os.DirFS(filepath.Join(dir, folder)), pattern)
		if err != nil || len(names) > 0 || folder == filepath.Dir(folder) {
			return folder, names, err
		}
	}
}

// lockedPackage is a [[package]] of a Cargo.lock or uv.lock: its values by their dotted keys.
type lockedPackage map[string]scalar

// lockedVersions finds the versions of the packages that are wanted.
func lockedVersions(wanted func(lockedPackage) bool) finder {
	return func(d *document) (found []scalar, err error) {
		list, err := lockedPackages(d)
		for _, p := range list {
			if p["version"].text != "" && wanted(p) {
				found = append(found, p["version"])
			}
		}
		return found, err
	}
}

func lockedPackages(d *document) (list []lockedPackage, err error) {
	last := ""
	err = walkTOML(d, func(path []string, s scalar) {
		if len(path) < 3 || path[0] != "package" {
			return
		}
		if len(list) == 0 || path[1] != last {
			list, last = append(list, lockedPackage{}), path[1]
		}
		list[len(list)-1][strings.Join(path[2:], ".")] = s
	})
	return list, err
}
