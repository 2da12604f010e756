package semver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mavenProperty is a version that a property holds: ${revision}.
var mavenProperty = lazily(`^\$\{([^${}]+)\}$`)

// pomFile finds the version of a pom.xml: the project's own, or that of the property in the same file
// which it names.
func pomFile(d *document) ([]scalar, error) {
	found, err := byKey(walkXML, "project", "version")(d)
	if err != nil || len(found) == 0 || !strings.Contains(found[0].text, "${") {
		return found, err
	}
	m := mavenProperty().FindStringSubmatch(found[0].text)
	if m == nil {
		return nil, d.fail(found[0].start, "name the property that decides with key: project.properties.revision", "the version is put together: %s", found[0].text)
	}
	places, err := byKey(walkXML, "project", "properties", m[1])(d)
	if err == nil && len(places) == 0 {
		return nil, d.fail(found[0].start, "write "+m[1]+" under properties, or name the pom.xml that has it", "the version is %s, and this file has no such property", found[0].text)
	}
	return places, err
}

// pom is what matters here of a pom.xml.
type pom struct {
	Artifact string   `xml:"artifactId"`
	Version  string   `xml:"version"`
	Modules  []string `xml:"modules>module"`
	Parent   struct {
		Artifact string `xml:"artifactId"`
		Version  string `xml:"version"`
	} `xml:"parent"`
}

func readPOM(d *document) (p pom, err error) {
	decoder := newXML(d)
	if err := decoder.Decode(&p); err != nil {
		return p, d.badXML(decoder, err)
	}
	for _, text := range []*string{&p.Artifact, &p.Version, &p.Parent.Artifact, &p.Parent.Version} {
		*text = strings.Trim(*text, xmlBlanks)
	}
	return p, nil
}

// pomModules are the modules of a pom.xml, and theirs, which repeat the version as that of their parent.
func pomModules(dir string, d *document) ([]companion, error) {
	root, err := readPOM(d)
	if err != nil || root.Version == "" || strings.Contains(root.Version, "${") {
		return nil, err // modules repeat the name of a property, not the version
	}
	r := reactor{dir: dir, version: root.Version}
	err = r.add(d, root)
	return r.modules, err
}

// reactor collects modules of a version, as Maven calls it.
type reactor struct {
	dir, version string
	modules      []companion
}

func (r *reactor) add(d *document, parent pom) error {
	for _, name := range parent.Modules {
		module, err := readModule(r.dir, filepath.Join(filepath.Dir(d.path), strings.Trim(name, xmlBlanks)))
		if err != nil {
			return err
		}
		if module == nil || slices.ContainsFunc(r.modules, func(c companion) bool { return c.path == module.path }) {
			continue
		}
		p, err := readPOM(module)
		if err != nil {
			return err
		}
		if p.Parent.Artifact != parent.Artifact || p.Parent.Version != r.version {
			continue
		}
		r.modules = append(r.modules, companion{module.path, byKey(walkXML, "project", "parent", "version")})
		if p.Version != "" {
			continue
		}
		if err := r.add(module, p); err != nil {
			return err
		}
	}
	return nil
}

// readModule reads a module, which is a folder or a file; nil if it is missing.
func readModule(dir, path string) (*document, error) {
	info, err := os.Stat(filepath.Join(dir, path))
	if err == nil && info.IsDir() {
		path = filepath.Join(path, "pom.xml")
	}
	d, err := readDocument(dir, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return d, err
}
