package compose

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Place is where the version of a service is written.
type Place struct {
	File     string   `json:"file,omitempty"`     // absolute
	Line     int      `json:"line,omitempty"`     // from 1
	Column   int      `json:"column,omitempty"`   // from 1, in characters
	In       string   `json:"in,omitempty"`       // image, variable TAG, default of TAG
	Services []string `json:"services,omitempty"` // every service whose image these bytes decide, by name
}

// located is a service's place as an edit needs it, or why there is none.
type located struct {
	place
	err error
}

// place is a span of a file that is a pin.
type place struct {
	path      string
	data      []byte // of the file
	at        span
	separated bool   // the span begins with the pin's separator, and may be empty
	pin       Pin    // that stands there
	in        string // image, variable …, default of …
	line, col int
	node      *yaml.Node // the scalar it is in; nil in an env file
	variable  string     // that it is the value of, in an env file
}

func (p place) key() string { return fmt.Sprintf("%s:%d", p.path, p.at.start) }

// text is how a pin is written at the place.
func (p place) text(pin Pin) string {
	if p.separated {
		return pin.suffix()
	}
	return pin.String()
}

// locate finds the place of every service.
func (p *Project) locate() {
	sharers := map[string][]string{}
	for name := range all(p.model) {
		found, err := p.locateService(name)
		p.services[name] = located{found, err}
		if err == nil {
			sharers[found.key()] = append(sharers[found.key()], name)
		}
	}
	for _, names := range sharers {
		slices.Sort(names)
	}
	p.sharers = sharers
}

// locateService finds the image of a service, in the last file that sets it, and in the image its pin.
func (p *Project) locateService(name string) (place, error) {
	for _, s := range slices.Backward(p.sources) {
		image, err := s.image(name, 0)
		if err != nil {
			return place{}, err
		}
		if image != nil {
			return p.inImage(s, name, image)
		}
	}
	for _, s := range p.sources {
		if include := s.child(s.root, "include"); include != nil {
			return place{}, s.refuse(name, include, "its image comes from an included file", "add that file under compose: in promote.yaml instead")
		}
	}
	return place{}, &Error{File: p.sources[0].path, Service: name, Reason: "it has no image", Advice: "give it an image: with a tag"}
}

// deepest is how many `extends` are followed before they are taken for a circle.
const deepest = 20

// image is the scalar that gives a service its image in this file, or nil.
func (s *source) image(name string, depth int) (*yaml.Node, error) {
	service := s.service(name)
	if service == nil {
		return nil, nil
	}
	for _, n := range []*yaml.Node{s.find(s.root, "services"), service} {
		if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
			return nil, s.refuse(name, n, n.Tag+" changes how files are merged", "remove it, or pin the service in a file of its own")
		}
	}
	if image := s.find(service, "image"); image != nil {
		return image, nil
	}
	extends := resolved(s.find(service, "extends"))
	if extends == nil || depth > deepest {
		return nil, nil
	}
	if extends.Kind == yaml.ScalarNode {
		return s.image(extends.Value, depth+1)
	}
	if file := s.find(extends, "file"); file != nil {
		return nil, s.refuse(name, file, "its image comes from another file by extends", "give the service an image: of its own here")
	}
	base := s.find(extends, "service")
	if base == nil {
		return nil, nil
	}
	return s.image(base.Value, depth+1)
}

func (s *source) refuse(service string, n *yaml.Node, reason, advice string) error {
	return &Error{File: s.path, Line: n.Line, Column: n.Column, Service: service, Reason: reason, Advice: advice}
}

const plainAdvice = "write it on one line: image: repository:tag"

// inImage finds the pin in an image scalar.
func (p *Project) inImage(s *source, name string, image *yaml.Node) (place, error) {
	n := resolved(image)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		return place{}, s.refuse(name, n, "its image is not a string", plainAdvice)
	}
	at, ok := s.scalar(n)
	if !ok {
		return place{}, s.refuse(name, n, "its image is not written plainly on one line", plainAdvice)
	}
	list, err := tokens(n.Value)
	if err != nil {
		return place{}, s.refuse(name, n, err.Error(), plainAdvice)
	}
	held, err := holder(list)
	if err != nil {
		return place{}, s.refuse(name, n, err.Error(), "put the tag into one variable, or write it out")
	}
	found := place{path: s.path, data: s.data, line: n.Line, col: n.Column, node: n, in: "image", separated: true}
	if held.variable != nil {
		return p.inVariable(s, name, found, at, held)
	}
	found.at = span{at.start + held.literal.start, at.start + held.literal.end}
	return found.complete(s, name)
}

// complete reads the pin that stands in the place, and counts where it is.
func (f place) complete(s *source, name string) (place, error) {
	text := string(f.data[f.at.start:f.at.end])
	if f.separated {
		text = strings.TrimPrefix(text, ":")
	}
	pin, err := ParsePin(text)
	if err == nil && text == "" && !f.separated {
		err = errors.New("it is empty")
	}
	f.pin = pin
	f.line, f.col = position(f.data, f.at.start)
	if err != nil {
		return place{}, &Error{File: f.path, Line: f.line, Column: f.col, Service: name, Reason: f.in + ": " + err.Error(), Advice: "write a tag there, such as v1.4.2"}
	}
	return f, nil
}

// inVariable finds the pin in the variable that holds it: in the env file that defines it, or in its
// default.
func (p *Project) inVariable(s *source, name string, f place, image span, h hold) (place, error) {
	variable := h.variable.variable
	if _, set := p.environ[variable]; set {
		return place{}, s.refuse(name, f.node, variable+" is set in the environment, which wins over every file", "unset "+variable)
	}
	found, a, err := p.assignment(s, name, f.node, variable)
	if err != nil {
		return place{}, err
	}
	value := image
	switch {
	case found && (a.text() != "" || !h.variable.defaultEmpty):
		f.path, f.data, f.node, f.in, f.variable = a.file.path, a.file.data, nil, "variable "+variable, variable
		value = a.value
	case h.variable.hasDefault:
		f.in = "default of " + variable
		value = span{image.start + h.variable.defaultSpan.start, image.start + h.variable.defaultSpan.end}
	default:
		return place{}, s.refuse(name, f.node, variable+" is set nowhere", "add "+variable+"=TAG to .env")
	}
	f.at, f.separated = value, h.whole
	if h.whole {
		text := string(f.data[value.start:value.end])
		repository, _, err := SplitReference(text)
		if err != nil {
			return place{}, s.refuse(name, h.nodeOf(f), variable+" holds no image reference", "write it as repository:tag")
		}
		f.at.start += len(repository)
	}
	return f.complete(s, name)
}

// nodeOf is a node to point at where the value itself has none.
func (h hold) nodeOf(f place) *yaml.Node {
	if f.node != nil {
		return f.node
	}
	line, column := position(f.data, f.at.start)
	return &yaml.Node{Line: line, Column: column}
}

// assignment is the one line of the env files that gives a variable its value: in the last file that
// has it, once, and as a literal.
func (p *Project) assignment(s *source, name string, n *yaml.Node, variable string) (bool, assignment, error) {
	for _, f := range slices.Backward(p.envFiles) {
		list := f.assignments(variable)
		if len(list) == 0 {
			continue
		}
		refuse := func(a assignment, reason string) error {
			return &Error{File: f.path, Line: a.line, Column: a.column(), Service: name, Reason: variable + " " + reason, Advice: "give it one plain value: " + variable + "=TAG"}
		}
		if len(list) > 1 {
			return false, assignment{}, refuse(list[1], "is set more than once")
		}
		a, ok := list[0].literal()
		if !ok {
			return false, assignment{}, refuse(list[0], "is not a plain value")
		}
		return true, a, nil
	}
	return false, assignment{}, nil
}

// position counts line and column of an offset as editors do.
func position(data []byte, offset int) (line, column int) {
	before := data[:offset]
	begin := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[begin:]) + 1
}
