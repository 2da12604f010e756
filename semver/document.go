package semver

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// bom is the byte order mark that some editors put in front of UTF-8. It stays where it is.
const bom = "\ufeff"

// document is a file as it was read.
type document struct {
	path string // relative to the root folder
	data []byte
}

// scalar is a value in a document.
type scalar struct {
	start, end int    // of the value's bytes, without quotes
	text       string // the value
	isString   bool
	spelled    *notation // nil where it is Semantic Versioning's own
}

// finder finds the places in a document where its version stands.
type finder func(*document) ([]scalar, error)

func readDocument(dir, path string) (*document, error) {
	data, err := os.ReadFile(filepath.Join(dir, path))
	return &document{path, data}, err
}

// content is the document without a byte order mark, and where that begins.
func (d *document) content() (data []byte, offset int) {
	data = bytes.TrimPrefix(d.data, []byte(bom))
	return data, len(d.data) - len(data)
}

// fail is an error about a place in the document.
func (d *document) fail(offset int, advice, format string, a ...any) *Error {
	line, column := d.position(offset)
	return &Error{File: d.path, Line: line, Column: column, Reason: fmt.Sprintf(format, a...), Advice: advice}
}

// malformed is an error about the document as a whole, which can't be parsed.
func (d *document) malformed(offset int, err error) *Error {
	e := d.fail(offset, "", "%s", strings.ReplaceAll(err.Error(), "\n", " "))
	e.syntax = true
	return e
}

func (d *document) position(offset int) (line, column int) {
	before := bytes.TrimPrefix(d.data[:min(offset, len(d.data))], []byte(bom))
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
}

// offset is the inverse of position; past the end of the document it is its end.
func (d *document) offset(line, column int) int {
	data, at := d.content()
	for range line - 1 {
		i := bytes.IndexByte(data, '\n') + 1
		if i == 0 {
			return len(d.data)
		}
		data, at = data[i:], at+i
	}
	for range column - 1 {
		_, width := utf8.DecodeRune(data)
		data, at = data[width:], at+width
	}
	return at
}

// quoted is the scalar of a string that is written in data[start:end], quotes included.
func (d *document) quoted(start, end int, text string) scalar {
	for _, width := range []int{0, 1, 3} {
		if start+2*width <= end && string(d.data[start+width:end-width]) == text {
			return scalar{start: start + width, end: end - width, text: text, isString: true}
		}
	}
	return scalar{start: start, end: end, text: text, isString: true}
}

// version reads a scalar as a version. Its bytes must be its value: what is escaped can't be spliced.
func (d *document) version(s scalar) (Version, error) {
	if !s.isString {
		return Version{}, d.fail(s.start, "write it as a string: \"0.1.0\"", "the version is not a string")
	}
	v, err := s.spelled.parse(s.text)
	if err != nil {
		return Version{}, d.misspelled(s, err)
	}
	if string(d.data[s.start:s.end]) != s.text {
		return Version{}, d.fail(s.start, "write it plainly: "+s.text, "the version is written with escapes or on several lines")
	}
	return v, nil
}

// one is the only place there is, and its version.
func (d *document) one(places []scalar, advice string) (Version, error) {
	switch len(places) {
	case 0:
		return Version{}, d.fail(0, advice, "there is no version")
	case 1:
		return d.version(places[0])
	}
	line, column := d.position(places[0].start)
	return Version{}, d.fail(places[1].start, "name the place with key or regex", "the version stands here and in line %d column %d", line, column)
}

// edit writes a version into all places, byte for byte, and makes sure that it can be found there again.
func (d *document) edit(find finder, to Version) (Edit, error) {
	places, err := find(d)
	if err != nil {
		return Edit{}, err
	}
	slices.SortFunc(places, inOrder)
	var after []byte
	var written []string
	end := 0
	for _, s := range places {
		if _, err := d.version(s); err != nil {
			return Edit{}, err
		}
		text, err := s.spelled.format(to, s.text)
		if err != nil {
			return Edit{}, d.misspelled(s, err)
		}
		after = append(append(after, d.data[end:s.start]...), text...)
		written, end = append(written, text), s.end
	}
	after = append(after, d.data[end:]...)
	return Edit{d.path, d.data, after}, d.verify(after, written, find)
}

func inOrder(a, b scalar) int { return a.start - b.start }

// verify finds the places in the edited document again: as many, with what was written into them.
func (d *document) verify(after []byte, written []string, find finder) error {
	edited := &document{d.path, after}
	found, err := find(edited)
	if err != nil {
		return err
	}
	slices.SortFunc(found, inOrder)
	for i, s := range found {
		if i >= len(written) {
			return edited.fail(s.start, "name the place with key or regex", "the new version stands here already, and would change with the others from now on")
		}
		if _, err := edited.version(s); err != nil || s.text != written[i] {
			return edited.fail(s.start, "change it by hand, and please report the file", "the version can't be changed here")
		}
	}
	if len(found) < len(written) {
		return d.fail(0, "write the expression so that it matches every version", "the new version could not be found again")
	}
	return nil
}
