package semver

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"go.yaml.in/yaml/v4"
)

func walkYAML(d *document, visit visitor) error {
	data, _ := d.content()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var root, more yaml.Node
	if err := decoder.Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		return d.badYAML(err)
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		if err != nil {
			return d.badYAML(err)
		}
		return d.fail(d.offset(more.Line, more.Column), "name the place with regex", "the file holds several documents")
	}
	for _, n := range root.Content {
		d.walkNode(nil, n, visit)
	}
	return nil
}

// badYAML takes the place out of the parser's message: it stands in front of ours.
func (d *document) badYAML(err error) error {
	var load *yaml.LoadError
	if !errors.As(err, &load) || load.Mark.Line < 1 {
		return d.malformed(0, err)
	}
	return d.malformed(d.offset(load.Mark.Line, max(load.Mark.Column, 1)), errors.New(load.Message))
}

// walkNode visits a node and those in it. Aliases are not followed: what they stand for belongs to
// another place.
func (d *document) walkNode(path []string, n *yaml.Node, visit visitor) {
	visit(path, d.node(n))
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			d.walkNode(append(path, n.Content[i].Value), n.Content[i+1], visit)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			d.walkNode(append(path, strconv.Itoa(i)), item, visit)
		}
	}
}

// node is the scalar of a node. Where its bytes are not its value (an anchor or a tag in front, escapes,
// several lines), [document.version] refuses it.
func (d *document) node(n *yaml.Node) scalar {
	start := d.offset(n.Line, n.Column)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		return scalar{start: start, end: start}
	}
	width := len(n.Value)
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		width += 2
	}
	return d.quoted(start, min(start+width, len(d.data)), n.Value)
}
