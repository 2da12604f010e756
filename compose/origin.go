package compose

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// group is compose files that are merged into one model: those of the project, those of an include
// entry, or the one that an extends names.
type group struct {
	sources  []*source
	dir      string     // where relative paths of the files begin
	envFiles []*envFile // that includes add, behind those of the project
	kind     kind
	included map[*source][]*group
}

type kind int

const (
	ofProject kind = iota
	ofInclude
	ofExtends
)

// origin is the scalar that gives a service its image.
type origin struct {
	node   *yaml.Node
	source *source
	group  *group
}

// deepest is how many includes and extends are followed before they are taken for a circle.
const deepest = 50

// origin finds where a service gets its image from: from the last file of the group that sets it. It
// is nil where none does.
func (p *Project) origin(g *group, name string, depth int) (*origin, error) {
	for _, s := range slices.Backward(g.sources) {
		if o, err := p.originIn(g, s, name, depth); o != nil || err != nil {
			return o, err
		}
	}
	return nil, nil
}

// originIn looks in one file. As in compose, what the file includes is part of it, and only what is
// still missing then is taken over by extends.
func (p *Project) originIn(g *group, s *source, name string, depth int) (*origin, error) {
	if depth > deepest {
		return nil, &Error{File: s.path, Service: name, Reason: "its includes or extends go in a circle", Advice: "docker compose config"}
	}
	if s.refusal != nil {
		refusal := *s.refusal
		refusal.Service = name
		return nil, &refusal
	}
	services := resolved(s.find(s.root, "services"))
	service := resolved(s.find(services, name))
	for _, n := range []*yaml.Node{services, service} {
		if service != nil && special(n) {
			return nil, s.refuse(name, n, n.Tag+" changes how files are merged", "give the service an image: in a file without it")
		}
	}
	if image := s.find(service, "image"); image != nil {
		return &origin{resolved(image), s, g}, nil
	}
	if o, err := p.originIncluded(g, s, name, depth); o != nil || err != nil {
		return o, err
	}
	return p.originExtended(g, s, service, name, depth)
}

// originIncluded looks in the files that a file includes; the first entry that has the service wins.
func (p *Project) originIncluded(g *group, s *source, name string, depth int) (*origin, error) {
	if g.kind == ofExtends { // compose ignores the includes of a file that is only extended
		return nil, nil
	}
	groups, err := p.includes(g, s, name, depth)
	if err != nil {
		return nil, err
	}
	for _, included := range groups {
		if o, err := p.origin(included, name, depth+1); o != nil || err != nil {
			return o, err
		}
	}
	return nil, nil
}

// originExtended looks in the service that a service extends.
func (p *Project) originExtended(g *group, s *source, service *yaml.Node, name string, depth int) (*origin, error) {
	extends := resolved(s.find(service, "extends"))
	if extends == nil {
		return nil, nil
	}
	base, file := extends, (*yaml.Node)(nil)
	if extends.Kind == yaml.MappingNode {
		base, file = resolved(s.find(extends, "service")), resolved(s.find(extends, "file"))
	}
	const advice = "give the service an image: of its own here"
	switch {
	case special(extends), base == nil, base.Kind != yaml.ScalarNode, strings.Contains(base.Value, "$"):
		return nil, s.refuse(name, extends, "its extends is not a plain name", advice)
	case file == nil:
		o, err := p.originIn(g, s, base.Value, depth+1)
		return o, named(err, name)
	case g.kind == ofInclude:
		return nil, s.refuse(name, file, "its image comes by extends from a file that an included file names", advice)
	}
	extended, err := p.open(s, g.dir, file, name)
	if err != nil {
		return nil, err
	}
	p.extended[extended.path] = true
	from := &group{sources: []*source{extended}, dir: filepath.Dir(extended.path), envFiles: g.envFiles, kind: ofExtends}
	o, err := p.originIn(from, extended, base.Value, depth+1)
	return o, named(err, name)
}

// named makes a refusal one of the service that was asked for, not of its base.
func named(err error, name string) error {
	if refusal := (*Error)(nil); errors.As(err, &refusal) {
		refusal.Service = name
	}
	return err
}

// includes are the groups that a file includes.
func (p *Project) includes(g *group, s *source, name string, depth int) ([]*group, error) {
	if groups, known := g.included[s]; known {
		return groups, nil
	}
	var groups []*group
	for _, entry := range items(s.find(s.root, "include")) {
		included, err := p.include(g, s, resolved(entry), name)
		if err != nil {
			return nil, err
		}
		groups = append(groups, included)
	}
	if g.included == nil {
		g.included = map[*source][]*group{}
	}
	g.included[s] = groups
	return groups, nil
}

// include is the group of one include entry. Its paths begin in the directory of its first file unless
// project_directory says otherwise.
func (p *Project) include(g *group, s *source, entry *yaml.Node, name string) (*group, error) {
	paths := entry
	if entry.Kind == yaml.MappingNode {
		paths = s.find(entry, "path")
	}
	included := &group{kind: ofInclude}
	for _, path := range items(paths) {
		file, err := p.open(s, g.dir, resolved(path), name)
		if err != nil {
			return nil, err
		}
		included.sources = append(included.sources, file)
	}
	if len(included.sources) == 0 {
		return nil, s.refuse(name, entry, "the include names no file", "docker compose config")
	}
	included.dir = filepath.Dir(included.sources[0].path)
	if dir := resolved(s.find(entry, "project_directory")); dir != nil {
		included.dir = join(g.dir, dir.Value)
	}
	envFiles, err := includeEnv(s, entry, g.dir, included.dir, name)
	included.envFiles = slices.Concat(g.envFiles, envFiles)
	return included, err
}

// includeEnv reads the env files of an include entry, by default the .env of its directory. They give
// the variables that the project leaves undefined.
func includeEnv(s *source, entry *yaml.Node, dir, own, name string) ([]*envFile, error) {
	var paths []string
	configured := items(s.find(entry, "env_file"))
	for _, n := range configured {
		if path := resolved(n).Value; path != os.DevNull {
			paths = append(paths, join(dir, path))
		}
	}
	if standard := filepath.Join(own, ".env"); len(configured) == 0 && isFile(standard) {
		paths = append(paths, standard)
	}
	var files []*envFile
	for _, path := range paths {
		f, err := readEnvFile(path)
		if err != nil {
			return nil, s.refuse(name, entry, "the env file of the include can't be read: "+err.Error(), "docker compose config").because(err)
		}
		files = append(files, f)
	}
	return files, nil
}

// open reads a file that another one names. It is edited only inside the project directory: what lies
// outside belongs to others as well.
func (p *Project) open(s *source, dir string, n *yaml.Node, name string) (*source, error) {
	if n.Kind != yaml.ScalarNode || strings.Contains(n.Value, "$") || special(n) {
		return nil, s.refuse(name, n, "its image comes from a file whose name is not plain", "write the file's path out")
	}
	path := join(dir, n.Value)
	if i := slices.IndexFunc(p.group.sources, func(s *source) bool { return s.path == path }); i >= 0 {
		return p.group.sources[i], nil
	}
	if opened, known := p.opened[path]; known {
		return opened, nil
	}
	if !inside(p.root, path) && !inside(p.dir, path) {
		return nil, s.refuse(name, n, "its image comes from "+path+", outside the project directory", "give the service an image: of its own here")
	}
	opened, err := readSource(path)
	if err != nil {
		return nil, s.refuse(name, n, "its image comes from a file that can't be read: "+err.Error(), "docker compose config").because(err)
	}
	p.opened[path] = opened
	return opened, nil
}

// inside reports whether a file lies in a directory, symlinks followed.
func inside(dir, path string) bool {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	dir, err = filepath.EvalSymlinks(dir)
	if err != nil {
		return false
	}
	relative, err := filepath.Rel(dir, path)
	return err == nil && filepath.IsLocal(relative)
}

func join(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}
