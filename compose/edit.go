package compose

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
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
	Path          string // absolute
	Before, After []byte
}

// Edit is a verified change of a project's files that is not written yet.
type Edit struct {
	files   []FileEdit
	project *Project
	planned map[string]Change
}

// Files are the files that the edit changes, in the order that they are written.
func (e *Edit) Files() []FileEdit { return e.files }

// Edit prepares changes of the project's files and verifies them; no file of the project is written.
// Changes of services whose versions stand in one place must agree, and none of the place's services
// may be missing. What can't be edited is refused with an [*Error]: a service that is not there wraps
// [ErrNoService], and a From that does not stand in the file says what does.
func (p *Project) Edit(changes ...Change) (*Edit, error) {
	planned := map[string]Change{}
	for _, c := range changes {
		if earlier, twice := planned[c.Service]; twice && earlier != c {
			return nil, &Error{File: p.dir, Service: c.Service, Reason: "it is to change in two ways at once: to " + shown(earlier.To) + " and to " + shown(c.To), Advice: "name the service once"}
		}
		planned[c.Service] = c
	}
	splices := map[placeKey]splice{}
	for _, c := range changes {
		s, err := p.splice(c, planned)
		if err != nil {
			return nil, err
		}
		splices[s.key()] = s
	}
	e := &Edit{files: assemble(splices), project: p, planned: planned}
	if len(e.files) == 0 {
		return e, nil
	}
	var err error
	if e.project, err = p.proving(splices); err != nil {
		return nil, err
	}
	if err := e.project.verify(e, splices); err != nil {
		return nil, err
	}
	return e, nil
}

// splice is a place with what shall stand there.
type splice struct {
	place
	to string
}

// splice checks a change against what stands in the service's place.
func (p *Project) splice(c Change, planned map[string]Change) (splice, error) {
	found, known := p.located[c.Service]
	switch {
	case !known:
		return splice{}, unknown(c.Service, p.dir, slices.Sorted(maps.Keys(p.located)))
	case found.err != nil:
		return splice{}, found.err
	case found.pin != c.From:
		return splice{}, found.refuse(c.Service, shown(found.pin)+" stands there, not "+shown(c.From), "promote status")
	}
	if _, err := ParsePin(c.To.String()); err != nil {
		return splice{}, found.refuse(c.Service, err.Error(), "choose another version")
	}
	if c.To.Tag == "" && !found.separated {
		return splice{}, found.refuse(c.Service, found.in+" stands behind a colon and can't be without a tag", "write the tag into the image itself")
	}
	var missing []string
	for _, other := range p.sharers[found.key()] {
		if change, included := planned[other]; !included || change.To != c.To {
			missing = append(missing, other)
		}
	}
	if len(missing) > 0 {
		return splice{}, found.refuse(c.Service, "this place also decides the version of "+strings.Join(missing, ", "), "change them together, or give each an image: of its own")
	}
	return splice{found.place, found.written(c.To)}, nil
}

// proving is the project with as many of its services loaded as verifying the splices needs.
func (p *Project) proving(splices map[placeKey]splice) (*Project, error) {
	for _, s := range splices {
		if !p.alone(s.place) {
			return p.whole(context.Background())
		}
	}
	return p, nil
}

func shown(p Pin) string {
	if p == (Pin{}) {
		return "no tag"
	}
	return p.String()
}

// assemble splices every file from its end to its beginning, so that offsets stay true.
func assemble(splices map[placeKey]splice) []FileEdit {
	byFile := map[string][]splice{}
	for _, s := range splices {
		byFile[s.path] = append(byFile[s.path], s)
	}
	var files []FileEdit
	for _, path := range slices.Sorted(maps.Keys(byFile)) {
		list := byFile[path]
		slices.SortFunc(list, func(a, b splice) int { return b.at.start - a.at.start })
		before := list[0].data
		after := before
		for _, s := range list {
			after = slices.Concat(after[:s.at.start], []byte(s.to), after[s.at.end:])
		}
		if !bytes.Equal(after, before) {
			files = append(files, FileEdit{path, before, after})
		}
	}
	return files
}

// Diff shows the edit as a unified diff.
func (e *Edit) Diff() string {
	var b strings.Builder
	for _, f := range e.files {
		// WriteUnifiedDiff fails only when its writer does, and a strings.Builder never does.
		_ = difflib.WriteUnifiedDiff(&b, difflib.UnifiedDiff{
			A: lines(f.Before), B: lines(f.After),
			FromFile: f.Path, ToFile: f.Path, Context: 1,
		})
	}
	return b.String()
}

// lines are the lines of a file with their ends; difflib's own splitting adds a line at the end.
func lines(data []byte) []string {
	list := slices.Collect(strings.Lines(string(data)))
	if n := len(list); n > 0 && !strings.HasSuffix(list[n-1], "\n") {
		list[n-1] += "\n\\ No newline at end of file\n"
	}
	return list
}
