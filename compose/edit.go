package compose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/pmezard/go-difflib/difflib"
	"go.yaml.in/yaml/v4"
)

// Change takes a service from one pin to another.
type Change struct {
	Service string `json:"service"`
	From    Pin    `json:"from"` // what must stand there now
	To      Pin    `json:"to"`
}

// Inverse is the change back.
func (c Change) Inverse() Change { return Change{c.Service, c.To, c.From} }

// FileEdit is one file's part of an edit.
type FileEdit struct {
	Path          string
	Before, After []byte
}

// Edit is a verified change of a project's files that is not written yet.
type Edit struct{ files []FileEdit }

// Files are the files that the edit changes, in the order that they are written.
func (e *Edit) Files() []FileEdit { return e.files }

// Edit prepares changes of the project's files and verifies them; nothing is written. Changes of
// services whose versions stand in one place must agree, and none of the place's services may be
// missing. What can't be edited is refused with an *Error.
func (p *Project) Edit(changes ...Change) (*Edit, error) {
	planned := map[string]Change{}
	for _, c := range changes {
		planned[c.Service] = c
	}
	splices := map[string]splice{}
	for _, c := range changes {
		s, err := p.splice(c, planned)
		if err != nil {
			return nil, err
		}
		splices[s.key()] = s
	}
	e := assemble(splices)
	if len(e.files) == 0 {
		return e, nil
	}
	return e, p.verify(e, splices, planned)
}

// splice is a place with what shall stand there.
type splice struct {
	place
	to string
}

func (p *Project) splice(c Change, planned map[string]Change) (splice, error) {
	found, known := p.services[c.Service]
	if !known {
		return splice{}, p.unknown(c.Service)
	}
	if found.err != nil {
		return splice{}, found.err
	}
	refuse := func(reason, advice string) error {
		return &Error{File: found.path, Line: found.line, Column: found.col, Service: c.Service, Reason: reason, Advice: advice}
	}
	if found.pin != c.From {
		return splice{}, refuse(fmt.Sprintf("%s stands there, not %s", shown(found.pin), shown(c.From)), "promote status")
	}
	for _, other := range p.sharers[found.key()] {
		change, included := planned[other]
		if !included || change.To != c.To {
			return splice{}, refuse("this place also decides the version of "+other, "change both to the same version, or give "+other+" a version of its own")
		}
	}
	if c.To == (Pin{}) && !found.separated {
		return splice{}, refuse(found.in+" can't be left empty", "write a tag there")
	}
	if _, err := ParsePin(c.To.String()); err != nil {
		return splice{}, refuse(err.Error(), "")
	}
	return splice{found.place, found.text(c.To)}, nil
}

func shown(p Pin) string {
	if p == (Pin{}) {
		return "no tag"
	}
	return p.String()
}

// unknown lists the services there are, the nearest name first.
func (p *Project) unknown(name string) error {
	names := slices.Sorted(maps.Keys(p.services))
	return fmt.Errorf("%w: %s in %s; there are %s", ErrNoService, name, p.dir, strings.Join(names, ", "))
}

// assemble splices every file from its end to its beginning, so that offsets stay true.
func assemble(splices map[string]splice) *Edit {
	byFile := map[string][]splice{}
	for _, s := range splices {
		byFile[s.path] = append(byFile[s.path], s)
	}
	e := &Edit{}
	for _, path := range slices.Sorted(maps.Keys(byFile)) {
		list := byFile[path]
		slices.SortFunc(list, func(a, b splice) int { return b.at.start - a.at.start })
		after := slices.Clone(list[0].data)
		for _, s := range list {
			after = slices.Concat(after[:s.at.start], []byte(s.to), after[s.at.end:])
		}
		if !bytes.Equal(after, list[0].data) {
			e.files = append(e.files, FileEdit{path, list[0].data, after})
		}
	}
	return e
}

// verify makes sure that the edit does what was planned and nothing else, in the files and in what
// compose makes of them.
func (p *Project) verify(e *Edit, splices map[string]splice, planned map[string]Change) error {
	contents := map[string][]byte{}
	for _, s := range p.sources {
		contents[s.path] = s.data
	}
	for _, f := range e.files {
		contents[f.Path] = f.After
	}
	if err := p.verifyTrees(contents, splices); err != nil {
		return err
	}
	model, err := p.load(context.Background(), contents)
	if err != nil {
		return fmt.Errorf("after the change the project would not load: %w", err)
	}
	return p.verifyModel(model, planned)
}

// verifyTrees parses every changed compose file again: only the planned scalars may differ.
func (p *Project) verifyTrees(contents map[string][]byte, splices map[string]splice) error {
	expected := map[*yaml.Node]string{}
	for _, s := range splices {
		if s.node == nil {
			continue
		}
		value := s.node.Value
		if changed, ok := expected[s.node]; ok {
			value = changed
		}
		at := strings.LastIndex(value, s.text(s.pin)+tail(s))
		expected[s.node] = value[:at] + s.to + tail(s)
	}
	for _, source := range p.sources {
		if bytes.Equal(contents[source.path], source.data) {
			continue
		}
		after, err := parseSource(source.path, contents[source.path])
		if err != nil {
			return err
		}
		if difference := differ(source.root, after.root, expected); difference != nil {
			return source.refuse("", difference, "the change would alter something else here", "change it by hand, and please report the file")
		}
	}
	return nil
}

// tail is what stands behind the pin in its scalar: the brace of a variable's default.
func tail(s splice) string {
	if strings.HasPrefix(s.in, "default") {
		return s.node.Value[strings.LastIndexByte(s.node.Value, '}'):]
	}
	return ""
}

// differ finds the first node in which two trees differ against expectation.
func differ(a, b *yaml.Node, expected map[*yaml.Node]string) *yaml.Node {
	if a == nil || b == nil {
		if a == b {
			return nil
		}
		return cmpOr(a, b)
	}
	value := a.Value
	if changed, planned := expected[a]; planned {
		value = changed
	}
	if a.Kind != b.Kind || a.Style != b.Style || a.Tag != b.Tag || a.Anchor != b.Anchor || value != b.Value || len(a.Content) != len(b.Content) {
		return a
	}
	for i := range a.Content {
		if found := differ(a.Content[i], b.Content[i], expected); found != nil {
			return found
		}
	}
	return nil
}

func cmpOr(a, b *yaml.Node) *yaml.Node {
	if a != nil {
		return a
	}
	return b
}

// verifyModel compares the project as compose loads it before and after: the planned images, and
// nothing else, may differ.
func (p *Project) verifyModel(after *types.Project, planned map[string]Change) error {
	before, now := all(p.model), all(after)
	for name, old := range before {
		changed, there := now[name]
		if !there {
			return &Error{Service: name, Reason: "it would disappear with the change"}
		}
		image := old.Image
		if c, ok := planned[name]; ok {
			repository, _, err := SplitReference(old.Image)
			if err != nil {
				return err
			}
			image = c.To.Join(repository)
		}
		if changed.Image != image {
			return p.sideEffect(name, fmt.Sprintf("its image would become %s", changed.Image))
		}
		changed.Image = old.Image
		if !reflect.DeepEqual(old, changed) {
			return p.sideEffect(name, "more than its image would change; a variable is used elsewhere too")
		}
	}
	if len(now) != len(before) || !sameRest(p.model, after) {
		return errors.New("the change would alter more of the project than images")
	}
	return nil
}

func (p *Project) sideEffect(service, reason string) error {
	found := p.services[service]
	return &Error{File: found.path, Line: found.line, Column: found.col, Service: service, Reason: reason, Advice: "include it in the change, or give it a version of its own"}
}

// sameRest compares what is not services. Extensions (x-…) mean nothing to compose, and the scalar that an
// anchor gives to a service often stands in one; the trees have been compared already.
func sameRest(a, b *types.Project) bool {
	return a.Name == b.Name && reflect.DeepEqual(a.Networks, b.Networks) && reflect.DeepEqual(a.Volumes, b.Volumes) &&
		reflect.DeepEqual(a.Secrets, b.Secrets) && reflect.DeepEqual(a.Configs, b.Configs)
}

// environment is what variables are taken from: the process's, then env files, the later one winning.
func (p *Project) environment(contents map[string][]byte) (types.Mapping, error) {
	environment := types.Mapping{}
	for _, f := range p.envFiles {
		data, changed := contents[f.path]
		if !changed {
			data = f.data
		}
		values, err := dotenv.ParseWithLookup(bytes.NewReader(data), func(name string) (string, bool) {
			value, ok := p.environ[name]
			if !ok {
				value, ok = environment[name]
			}
			return value, ok
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
		maps.Copy(environment, values)
	}
	maps.Copy(environment, p.environ)
	return environment, nil
}

// Diff shows the edit as a unified diff.
func (e *Edit) Diff() string {
	var b strings.Builder
	for _, f := range e.files {
		text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
			A: difflib.SplitLines(string(f.Before)), B: difflib.SplitLines(string(f.After)),
			FromFile: f.Path, ToFile: f.Path, Context: 1,
		})
		if err == nil { // a strings.Builder inside never fails
			b.WriteString(text)
		}
	}
	return b.String()
}
