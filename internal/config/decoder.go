package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Limits that no honest file comes near. An alias costs nothing to write and much to read, so what is
// counted is the nodes that are read, not those that stand in the file.
const (
	maxBytes = 1 << 20
	maxNodes = 100_000
)

// decoder reads one file and collects its mistakes.
type decoder struct {
	file   string
	lookup func(string) (string, bool)
	key    string             // the key or entry being read; it begins the messages
	nodes  map[any]*yaml.Node // what is written for a field, by the field's address
	read   int                // nodes read so far
	errs   []*Error
	unset  *[]string // where it is not nil, variables that are not set are no mistake, but are put here
}

func newDecoder(file string, lookup func(string) (string, bool)) *decoder {
	return &decoder{file: file, lookup: lookup, nodes: map[any]*yaml.Node{}}
}

// err gives every mistake that was found, nil if there is none.
func (d *decoder) err() error {
	if len(d.errs) == 0 {
		return nil
	}
	return newErrors(d.errs)
}

func (d *decoder) place(n *yaml.Node) Place {
	return Place{File: d.file, Line: n.Line, Column: n.Column}
}

func (d *decoder) failAt(p Place, format string, args ...any) {
	d.errs = append(d.errs, &Error{Place: p, Message: strings.Map(printable, fmt.Sprintf(format, args...))})
}

// printable keeps a message to one line, and what stands in the file from steering the terminal.
func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}

// fail reports a mistake at a node; the message begins with the key whose value is being read.
func (d *decoder) fail(n *yaml.Node, format string, args ...any) {
	if d.key != "" {
		format, args = "%s: "+format, append([]any{d.key}, args...)
	}
	d.failAt(d.place(n), format, args...)
}

// wrong reports a value of another type than was expected.
func (d *decoder) wrong(n *yaml.Node, expected string) {
	d.fail(n, "expected %s, found %s", expected, describe(n))
}

// within reads something under the name that its messages begin with.
func (d *decoder) within(key string, read func()) {
	outer := d.key
	d.key = shortened(key)
	read()
	d.key = outer
}

// clean tells whether read found no mistake.
func (d *decoder) clean(read func()) bool {
	before := len(d.errs)
	read()
	return len(d.errs) == before
}

// document parses the file and gives the one value in it, nil if there is none to read.
func (d *decoder) document(data []byte) *yaml.Node {
	switch bad := invalidUTF8(data); {
	case len(data) > maxBytes:
		d.failAt(Place{File: d.file}, "larger than %d bytes", maxBytes)
		return nil
	case bad >= 0:
		before := data[:bad]
		column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
		d.failAt(Place{d.file, bytes.Count(before, []byte("\n")) + 1, column}, "not UTF-8 text")
		return nil
	}
	return d.parse(data)
}

func (d *decoder) parse(data []byte) *yaml.Node {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	var first, second yaml.Node
	if err == nil {
		err = loader.Load(&first)
	}
	if errors.Is(err, io.EOF) {
		d.failAt(Place{File: d.file}, "empty: services is missing")
		return nil
	}
	if err == nil {
		err = loader.Load(&second)
	}
	switch {
	case err == nil:
		d.fail(&second, "a second YAML document; one file is one configuration")
	case !errors.Is(err, io.EOF):
		d.syntax(err)
	case len(first.Content) == 1:
		return first.Content[0]
	}
	return nil
}

// syntax reports that the YAML itself can't be read.
func (d *decoder) syntax(err error) {
	var load *yaml.LoadError
	if errors.As(err, &load) {
		d.failAt(Place{d.file, load.Mark.Line, load.Mark.Column}, "not YAML: %s", load.Message)
		return
	}
	d.failAt(Place{File: d.file}, "not YAML: %v", err)
}

// value gives the node that an alias stands for, or the node itself; nil once the file has been found
// to be too large.
func (d *decoder) value(n *yaml.Node) *yaml.Node {
	if d.read++; d.read > maxNodes {
		if d.read == maxNodes+1 {
			d.failAt(Place{File: d.file}, "more than %d values, counting what aliases repeat", maxNodes)
		}
		return nil
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if tag := n.ShortTag(); !strings.HasPrefix(tag, "!!") {
		d.fail(n, "the tag %s means nothing here", shortened(tag))
	}
	return n
}

// text gives the value of a scalar with its ${NAME} filled in.
func (d *decoder) text(n *yaml.Node) (string, bool) {
	expanded, errs := expand(n.Value, d.lookup)
	for _, err := range errs {
		if unset := (*unsetError)(nil); d.unset != nil && errors.As(err, &unset) {
			*d.unset = append(*d.unset, unset.name)
			continue
		}
		d.fail(n, "%v", err)
	}
	return expanded, len(errs) == 0
}

// at gives what is written for a field, nil if there is nothing or it could not be read.
func (d *decoder) at(field any) *yaml.Node { return d.nodes[field] }

// item gives the node of the i-th item of a field that is a list, or a single text in place of one.
func (d *decoder) item(field any, i int) *yaml.Node {
	n := d.nodes[field]
	if n.Kind == yaml.SequenceNode {
		return n.Content[i]
	}
	return n
}

// describe says what stands there, for a message.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.AliasNode:
		return "an alias"
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		if len(n.Content) == 0 {
			return "an empty list"
		}
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return n.Value
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!timestamp":
		return "the date " + n.Value
	case "!!str", "!!merge":
		return fmt.Sprintf("%q", shortened(n.Value))
	}
	return "a value tagged " + n.ShortTag()
}

// shortened keeps a message to one readable line.
func shortened(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// invalidUTF8 gives the offset of the first byte that is not UTF-8, -1 if there is none.
func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
