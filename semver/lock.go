package semver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// nearest is the folder of the nearest file of a name, beside another file or above it.
func nearest(dir, beside, name string) (folder string, found bool, err error) {
	for folder = filepath.Dir(beside); ; folder = filepath.Dir(folder) {
		found, err := exists(filepath.Join(dir, folder, name))
		if err != nil || found {
			return folder, found, err
		}
		if folder == filepath.Dir(folder) {
			return "", false, nil
		}
	}
}

func exists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
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
