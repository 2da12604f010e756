package semver

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"

	"github.com/pelletier/go-toml/v2"
)

// cargoFile finds the version of a Cargo.toml: the package's own, else that which the packages of a
// workspace inherit.
func cargoFile(d *document) ([]scalar, error) {
	own, err := byKey(walkTOML, "package", "version")(d)
	own = slices.DeleteFunc(own, func(s scalar) bool { return !s.isString && inherits(d.data) })
	if err != nil || len(own) > 0 {
		return own, err
	}
	return byKey(walkTOML, "workspace", "package", "version")(d)
}

// manifest is what matters here of a Cargo.toml.
type manifest struct {
	Package struct {
		Name    string
		Version any
	}
	Workspace struct{ Members []string }
}

func readManifest(data []byte) (m manifest, err error) {
	return m, toml.Unmarshal(bytes.TrimPrefix(data, []byte(bom)), &m)
}

// inherits reports whether a package takes its version from its workspace: version.workspace = true.
func inherits(data []byte) bool {
	m, err := readManifest(data)
	return err == nil && m.inherits()
}

func (m manifest) inherits() bool {
	table, _ := m.Package.Version.(map[string]any)
	return table["workspace"] == true
}

// cargoLock is the nearest Cargo.lock, in the file's folder or above it. A package in it that comes from
// elsewhere, perhaps of the same name, has a source.
func cargoLock(dir string, d *document) ([]companion, error) {
	names, err := packagesOf(dir, d)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	folder, found, err := nearest(dir, d.path, "Cargo.lock")
	if err != nil || found == nil {
		return nil, err
	}
	find := lockedVersions(func(p lockedPackage) bool { return p["source"].text == "" && slices.Contains(names, p["name"].text) })
	return []companion{{filepath.Join(folder, "Cargo.lock"), find}}, nil
}

// packagesOf are the names of the packages whose version a Cargo.toml decides: its own, or those of the
// workspace's members that inherit it.
func packagesOf(dir string, d *document) ([]string, error) {
	root, err := readManifest(d.data)
	if err != nil {
		return nil, d.malformed(placeTOML(d, err), err)
	}
	if _, own := root.Package.Version.(string); own {
		return []string{root.Package.Name}, nil
	}
	var names []string
	if root.inherits() {
		names = append(names, root.Package.Name)
	}
	for _, pattern := range root.Workspace.Members {
		paths, err := filepath.Glob(filepath.Join(dir, filepath.Dir(d.path), pattern, "Cargo.toml"))
		if err != nil {
			return nil, err
		}
		inheriting, err := inheritingNames(paths)
		if err != nil {
			return nil, err
		}
		names = append(names, inheriting...)
	}
	return names, nil
}

func inheritingNames(paths []string) (names []string, err error) {
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if m, err := readManifest(data); err == nil && m.inherits() {
			names = append(names, m.Package.Name)
		}
	}
	return names, nil
}
