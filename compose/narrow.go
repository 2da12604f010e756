package compose

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v4"
)

// A project of thousands of services takes compose-go seconds to load, twice for an edit. Where only
// some of them matter, the others are cut out of what it is given. That proves as much: trees of files
// are compared whole, and a scalar that no anchor, no extends and no variable leads to can only matter
// to the service that it stands in.

// narrow decides which services compose-go is given; nil is all of them.
func (p *Project) narrow() map[string]bool {
	if len(p.options.Services) == 0 {
		return nil
	}
	kept := map[string]bool{}
	for _, name := range p.options.Services {
		kept[name] = true
	}
	for _, s := range p.group.sources {
		services := s.child(s.root, "services")
		if services == nil {
			continue
		}
		if !s.cuttable(services) {
			return nil
		}
		for pair := range slices.Chunk(services.Content, 2) {
			if s.entangled(pair[1]) {
				kept[pair[0].Value] = true
			}
			if base := s.base(pair[1]); base != "" {
				kept[base] = true
			}
		}
	}
	for _, s := range p.group.sources { // a mapping without any service would be another error
		if services := s.child(s.root, "services"); services != nil && !hasAny(services, kept) && len(services.Content) > 0 {
			kept[services.Content[0].Value] = true
		}
	}
	return kept
}

// cuttable reports whether each service begins on a line of its own, so that it can be left out.
func (s *source) cuttable(services *yaml.Node) bool {
	if s.refusal != nil || s.root.Anchor != "" || s.root.Style&yaml.FlowStyle != 0 || services.Style&yaml.FlowStyle != 0 ||
		services.Kind != yaml.MappingNode || services.Anchor != "" || special(services) {
		return false
	}
	for i := 0; i < len(services.Content); i += 2 {
		key := services.Content[i]
		at, ok := s.offset(key.Line, key.Column)
		if !ok || key.Kind != yaml.ScalarNode || key.Value == "<<" ||
			len(bytes.TrimSpace(s.data[s.lines[key.Line-1]:at])) > 0 || i > 0 && key.Line <= services.Content[i-2].Line {
			return false
		}
	}
	return true
}

// entangled reports whether other services may depend on what stands in this one, or it on theirs.
func (s *source) entangled(service *yaml.Node) bool {
	if anchored(service) || special(service) || s.find(service, "extends") != nil {
		return true
	}
	for _, key := range []string{"network_mode", "ipc", "pid"} {
		if mode := resolved(s.find(service, key)); mode != nil && strings.ContainsAny(mode.Value, ":$") {
			return true
		}
	}
	return s.awaitsCompletion(resolved(s.find(service, "depends_on")))
}

// awaitsCompletion reports whether something is waited for to end well, which says what kind of service that is.
func (s *source) awaitsCompletion(dependencies *yaml.Node) bool {
	if dependencies == nil || dependencies.Kind != yaml.MappingNode {
		return false
	}
	for pair := range slices.Chunk(dependencies.Content, 2) {
		condition := resolved(s.find(resolved(pair[1]), "condition"))
		if condition != nil && (condition.Value == types.ServiceConditionCompletedSuccessfully || strings.Contains(condition.Value, "$")) {
			return true
		}
	}
	return false
}

func anchored(n *yaml.Node) bool { return n.Anchor != "" || slices.ContainsFunc(n.Content, anchored) }

// base is the service that a service extends.
func (s *source) base(service *yaml.Node) string {
	extends := resolved(s.find(service, "extends"))
	if extends != nil && extends.Kind == yaml.MappingNode {
		extends = resolved(s.find(extends, "service"))
	}
	if extends == nil {
		return ""
	}
	return extends.Value
}

func hasAny(services *yaml.Node, names map[string]bool) bool {
	for pair := range slices.Chunk(services.Content, 2) {
		if names[pair[0].Value] {
			return true
		}
	}
	return false
}

// cut is the file without the services that are not kept.
func (s *source) cut(kept map[string]bool) []byte {
	services := s.child(s.root, "services")
	if services == nil {
		return s.data
	}
	var left []byte
	at := 0
	for i := 0; i < len(services.Content); i += 2 {
		key := services.Content[i]
		if kept[key.Value] {
			continue
		}
		left = append(left, s.data[at:s.lines[key.Line-1]]...)
		if i+2 < len(services.Content) {
			at = s.lines[services.Content[i+2].Line-1]
		} else {
			at = s.after(services)
		}
	}
	return append(left, s.data[at:]...)
}

// after is where the key behind a value of the root begins.
func (s *source) after(value *yaml.Node) int {
	i := slices.Index(s.root.Content, value)
	if i+1 == len(s.root.Content) {
		return len(s.data)
	}
	return s.lines[s.root.Content[i+1].Line-1]
}

// whole is the project with all of its services loaded.
func (p *Project) whole(ctx context.Context) (*Project, error) {
	if p.kept == nil {
		return p, nil
	}
	all := *p
	all.kept = nil
	var err error
	all.model, err = all.load(ctx, nil)
	return &all, err
}

// alone reports whether nothing but its own service can depend on what stands in a place.
func (p *Project) alone(found place) bool {
	if found.node == nil || found.group != p.group {
		return false
	}
	for _, s := range p.group.sources {
		if s.path != found.path {
			continue
		}
		services := s.child(s.root, "services")
		for pair := range slices.Chunk(services.Content, 2) {
			if s.child(pair[1], "image") == found.node {
				return !anchored(pair[1])
			}
		}
	}
	return false
}
