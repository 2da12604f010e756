package compose

import (
	"errors"
	"slices"
	"strings"

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
	text
	at        span
	separated bool // the span begins with the pin's separator, and may be empty
	pin       Pin  // that stands there
	in        string
	node      *yaml.Node // the scalar that it is in; nil in an env file
	offset    int        // of the span in that scalar
	group     *group     // that the scalar belongs to
}

type placeKey struct {
	path  string
	start int
}

func (p place) key() placeKey { return placeKey{p.path, p.at.start} }

// written is how a pin is written at the place.
func (p place) written(pin Pin) string {
	if p.separated {
		return pin.suffix()
	}
	return pin.String()
}

func (p place) refuse(service, reason, advice string) *Error {
	line, column := p.position(p.at.start)
	return &Error{File: p.path, Line: line, Column: column, Service: service, Reason: reason, Advice: advice}
}

// locate finds the place of every service.
func (p *Project) locate() {
	for _, name := range p.serviceNames() {
		found, err := p.locateService(name)
		p.located[name] = located{found, err}
		if err == nil {
			p.sharers[found.key()] = append(p.sharers[found.key()], name)
		}
	}
	for _, names := range p.sharers {
		slices.Sort(names)
	}
}

// serviceNames are those of all services: of the loaded ones, and of those that were cut out.
func (p *Project) serviceNames() []string {
	list := names(p.model)
	if p.kept == nil {
		return list
	}
	for _, s := range p.group.sources {
		if services := s.child(s.root, "services"); services != nil {
			for pair := range slices.Chunk(services.Content, 2) {
				list = append(list, pair[0].Value)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (p *Project) locateService(name string) (place, error) {
	o, err := p.origin(p.group, name, 0)
	switch {
	case err != nil:
		return place{}, err
	case o == nil:
		return place{}, p.imageless(name)
	}
	return p.inImage(o, name)
}

// imageless is the refusal of a service that no file gives an image.
func (p *Project) imageless(name string) error {
	e := &Error{Service: name, Reason: "it has no image", Advice: "give it an image: with a tag"}
	for _, s := range slices.Backward(p.group.sources) {
		e.File = s.path
		if service := resolved(s.find(s.find(s.root, "services"), name)); service != nil {
			return s.refuse(name, service, e.Reason, e.Advice)
		}
	}
	return e
}

const (
	plainAdvice = "write it on one line: image: repository:tag"
	mixedAdvice = "put the whole tag into one variable, or write it out"
)

// inImage finds the pin in an image scalar.
func (p *Project) inImage(o *origin, name string) (place, error) {
	n, s := o.node, o.source
	switch {
	case special(n):
		return place{}, s.refuse(name, n, n.Tag+" changes how files are merged", plainAdvice)
	case n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str":
		return place{}, s.refuse(name, n, "its image is not a string", plainAdvice)
	}
	at, ok := s.scalar(n)
	if !ok {
		return place{}, s.refuse(name, n, "its image is not written plainly on one line", plainAdvice)
	}
	held, err := holder(n.Value)
	if err != nil {
		return place{}, s.refuse(name, n, err.Error(), mixedAdvice)
	}
	if held.variable != nil {
		return p.inVariable(o, name, at, held)
	}
	found := place{text: s.text, node: n, group: o.group, in: "image", separated: true}
	found.at = span{at.start + held.literal.start, at.start + held.literal.end}
	return found.complete(at, name)
}

// complete reads the pin that stands in the place.
func (p place) complete(scalar span, name string) (place, error) {
	p.offset = p.at.start - scalar.start
	text := p.text.at(p.at)
	pin, err := ParsePin(text)
	switch {
	case p.separated && strings.HasPrefix(text, ":"):
		pin, err = ParsePin(text[1:])
		if text == ":" {
			err = errors.New("no tag stands there")
		}
	case !p.separated && text == "":
		err = errors.New("no tag stands there")
	}
	if err != nil {
		return place{}, p.refuse(name, p.in+": "+err.Error(), "write a tag there, such as v1.4.2")
	}
	p.pin = pin
	return p, nil
}

// inVariable finds the pin in the variable that holds it: in the env file that defines it, or in its
// default.
func (p *Project) inVariable(o *origin, name string, scalar span, h hold) (place, error) {
	variable := h.variable.variable
	if _, set := p.environ[variable]; set {
		return place{}, o.source.refuse(name, o.node, variable+" is set in the environment, which wins over every file", "unset "+variable)
	}
	file, a, err := p.assignment(o.group, name, variable)
	if err != nil {
		return place{}, err
	}
	found := place{group: o.group, separated: h.whole}
	switch {
	case file != nil && (a.value.start < a.value.end || !h.variable.defaultEmpty):
		found.text, found.at, found.in = file.text, a.value, "variable "+variable
	case h.variable.hasDefault:
		found.text, found.node, found.in = o.source.text, o.node, "default of "+variable
		found.at = span{scalar.start + h.variable.defaultSpan.start, scalar.start + h.variable.defaultSpan.end}
	default:
		return place{}, o.source.refuse(name, o.node, variable+" is set nowhere", "give "+variable+" a value in .env")
	}
	if h.whole {
		repository, _, err := SplitReference(found.text.at(found.at))
		if err != nil {
			return place{}, found.refuse(name, found.in+": "+err.Error(), "write it as repository:tag")
		}
		found.at.start += len(repository)
	}
	return found.complete(scalar, name)
}

// assignment is the one line of the env files that gives a variable its value: in the last file that
// has it, once, and as a literal. No file means that none sets it.
func (p *Project) assignment(g *group, name, variable string) (*envFile, assignment, error) {
	plain := "give it one plain value: " + variable + "=…"
	for _, f := range slices.Backward(p.envFiles) {
		switch list := f.of(variable); {
		case len(list) == 0:
			continue
		case len(list) > 1:
			return nil, assignment{}, f.refuse(list[1], name, "is set more than once", plain)
		case !list[0].plain || f.at(list[0].value) != p.model.Environment[variable]:
			return nil, assignment{}, f.refuse(list[0], name, "is not a plain value", plain)
		default:
			return f, list[0], nil
		}
	}
	for _, f := range g.envFiles {
		if list := f.of(variable); len(list) > 0 {
			return nil, assignment{}, f.refuse(list[0], name, "is set in the env file of an include", "set it in the .env of the project directory instead")
		}
	}
	return nil, assignment{}, nil
}
