package compose

import (
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"
)

// Key finds where a key of a service is written: in the last file that has it, through aliases, merges,
// extends and includes. Keys below keys are separated by dots, and a star stands for any one:
// networks.*.ipv4_address. Where no file has it, found is false and the place is the service's own
// key; for a service that is nowhere, the place is zero.
func (p *Project) Key(service, key string) (at Place, found bool) {
	if s, n := p.keyOf(p.group, service, strings.Split(key, "."), 0); n != nil {
		return Place{File: s.path, Line: n.Line, Column: n.Column, In: key}, true
	}
	if s, n := p.keyOf(p.group, service, nil, 0); n != nil {
		return Place{File: s.path, Line: n.Line, Column: n.Column}, false
	}
	return Place{}, false
}

// keyOf looks in the files of a group; with no keys it is the service's own that is looked for.
func (p *Project) keyOf(g *group, service string, keys []string, depth int) (*source, *yaml.Node) {
	for _, s := range slices.Backward(g.sources) {
		if in, n := p.keyIn(g, s, service, keys, depth); n != nil {
			return in, n
		}
	}
	return nil, nil
}

// keyIn looks in one file, in what it includes, and in what the service extends, as origin does for
// images. A file that can't be followed has no keys: what it says about a service is then told at the
// service itself.
func (p *Project) keyIn(g *group, s *source, service string, keys []string, depth int) (*source, *yaml.Node) {
	if depth > deepest {
		return nil, nil
	}
	if n := s.keyNode(s.root, slices.Concat([]string{"services", service}, keys)); n != nil {
		return s, n
	}
	if g.kind != ofExtends {
		groups, _ := p.includes(g, s, service, depth)
		for _, included := range groups {
			if in, n := p.keyOf(included, service, keys, depth+1); n != nil {
				return in, n
			}
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	return p.keyExtended(g, s, service, keys, depth)
}

// keyExtended looks in the service that a service extends.
func (p *Project) keyExtended(g *group, s *source, service string, keys []string, depth int) (*source, *yaml.Node) {
	node := s.find(s.find(s.root, "services"), service)
	base, file := s.base(node), resolved(s.find(s.find(node, "extends"), "file"))
	switch {
	case base == "":
		return nil, nil
	case file == nil:
		return p.keyIn(g, s, base, keys, depth+1)
	}
	extended, err := p.open(s, g.dir, file, service)
	if err != nil {
		return nil, nil
	}
	return p.keyIn(&group{sources: []*source{extended}, dir: g.dir, kind: ofExtends}, extended, base, keys, depth+1)
}

// keyNode follows keys from a mapping down, and returns the last key's own node. A key of the mapping
// itself hides one that is merged in.
func (s *source) keyNode(mapping *yaml.Node, keys []string) *yaml.Node {
	mapping = resolved(mapping)
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	key, rest := keys[0], keys[1:]
	if own := s.child(mapping, key); own != nil && len(rest) > 0 {
		return s.keyNode(own, rest)
	}
	for pair := range slices.Chunk(mapping.Content, 2) {
		switch {
		case key != "*" && pair[0].Value != key:
		case len(rest) == 0:
			return pair[0]
		default:
			if n := s.keyNode(pair[1], rest); n != nil {
				return n
			}
		}
	}
	for _, merged := range s.merges(mapping) {
		if n := s.keyNode(merged, keys); n != nil {
			return n
		}
	}
	return nil
}

// Variable is one that the image of a service is written with.
type Variable struct {
	Name    string
	Place   Place  // where the image uses it
	Pin     bool   // it holds the version, alone or with the repository
	Default string // what stands behind :- or -
	// Optional: it has a default, though that may be empty, so that it need not be set. Defaulted: that
	// is what counts now.
	Optional, Defaulted bool
	// Value is what it is set to, Set whether it is: in the environment, which wins over every file, or
	// in the env file that Assigned is in.
	Value       string
	Set         bool
	Environment bool
	Assigned    Place
}

// Variables are those of a service's image in the order in which they stand there. There are none
// where the image is written in a way that can't be taken apart; such a service can't be changed
// either, and says why.
func (p *Project) Variables(service string) []Variable {
	o, err := p.origin(p.group, service, 0)
	if err != nil || o == nil || o.node.Kind != yaml.ScalarNode {
		return nil
	}
	list, err := tokens(o.node.Value)
	if err != nil {
		return nil
	}
	held, _ := holder(o.node.Value) // the pin may be of several parts, and none of the variables its holder
	var variables []Variable
	for _, t := range list {
		if t.variable == "" {
			continue
		}
		v := p.variable(o, t.variable)
		v.Place = o.at(t.start)
		v.Pin = held.variable != nil && held.variable.start == t.start
		v.Optional, v.Default = t.hasDefault, o.node.Value[t.defaultSpan.start:t.defaultSpan.end]
		v.Defaulted = t.hasDefault && (!v.Set || v.Value == "" && t.defaultEmpty)
		variables = append(variables, v)
	}
	return variables
}

// variable says whether a variable is set, and where.
func (p *Project) variable(o *origin, name string) Variable {
	v := Variable{Name: name}
	v.Value, v.Set = p.model.Environment[name]
	if _, v.Environment = p.environ[name]; v.Environment {
		return v
	}
	for _, f := range slices.Backward(slices.Concat(o.group.envFiles, p.envFiles)) {
		if assigned := f.of(name); len(assigned) > 0 {
			last := assigned[len(assigned)-1]
			line, column := f.position(last.value.start)
			v.Assigned = Place{File: f.path, Line: line, Column: column, In: "variable " + name}
			if !v.Set && !slices.Contains(p.envFiles, f) { // an include's own, which the project does not have
				v.Value, v.Set = f.at(last.value), true
			}
			return v
		}
	}
	return v
}

// at is where an offset of the image's value stands in the file.
func (o *origin) at(offset int) Place {
	if scalar, ok := o.source.scalar(o.node); ok {
		line, column := o.source.position(scalar.start + offset)
		return Place{File: o.source.path, Line: line, Column: column, In: "image"}
	}
	return Place{File: o.source.path, Line: o.node.Line, Column: o.node.Column, In: "image"}
}

// Labels are the labels that a service's containers get from the files, those that docker compose adds left out.
func (p *Project) Labels(service string) map[string]string {
	return all(p.model)[service].Labels
}

// Awaited are the services that others wait for to do their work and end
// (depends_on: condition: service_completed_successfully): tasks, not meant to stay up.
func (p *Project) Awaited() map[string]bool {
	awaited := map[string]bool{}
	for _, waiting := range all(p.model) {
		for name, dependency := range waiting.DependsOn {
			if dependency.Condition == types.ServiceConditionCompletedSuccessfully {
				awaited[name] = true
			}
		}
	}
	return awaited
}
