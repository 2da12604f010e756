package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v4"
)

// kind is one sort of value that the file may hold: what it is called, what it looks like to an editor,
// and how it is read. Kinds are made from smaller ones; read reports its own mistakes.
type kind[V any] struct {
	shape
	read func(d *decoder, n *yaml.Node) (V, bool)
}

// shape is what the schema and the reference need of a kind.
type shape struct {
	want   string                     // completes "expected …"
	node   yaml.Kind                  // of the value, where it is no scalar
	schema func() *jsonschema.Schema  // a new one each time, for the caller to add to
	inside func(parent string) []line // the keys within, for the reference; nil if there are none
	filled bool                       // an absent one is read like an empty mapping, for the defaults within
}

// text is any text but the empty one. Numbers and booleans are refused: YAML has already lost how
// something like 1.10 was written.
var text = kind[string]{
	shape: shape{want: "a text", schema: textSchema},
	read: func(d *decoder, n *yaml.Node) (string, bool) {
		if !isText(n) {
			d.wrong(n, "a text"+quoteIt(n))
			return "", false
		}
		value, ok := d.text(n)
		if ok && value == "" {
			d.fail(n, "expected a text, found an empty one")
		}
		return value, ok && value != ""
	},
}

// argument is a build argument: also empty, a number or a boolean, taken as it is written.
var argument = kind[string]{
	shape: shape{want: "a text, a number or a boolean", schema: func() *jsonschema.Schema {
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
	}},
	read: func(d *decoder, n *yaml.Node) (string, bool) {
		if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
			d.wrong(n, "a text, a number or a boolean")
			return "", false
		}
		return d.text(n)
	},
}

// truth is true or false and nothing else: neither yes nor 1 nor "true".
var truth = kind[bool]{
	shape: shape{want: "true or false", schema: func() *jsonschema.Schema { return &jsonschema.Schema{Type: "boolean"} }},
	read: func(d *decoder, n *yaml.Node) (bool, bool) {
		yes, no := strings.EqualFold(n.Value, "true"), strings.EqualFold(n.Value, "false")
		if n.ShortTag() != "!!bool" || !yes && !no {
			d.wrong(n, "true or false")
			return false, false
		}
		return yes, true
	},
}

// positive is a whole number from 1.
var positive = kind[int]{
	shape: shape{want: "a number from 1", schema: func() *jsonschema.Schema { return &jsonschema.Schema{Type: "integer", Minimum: "1"} }},
	read: func(d *decoder, n *yaml.Node) (int, bool) {
		value, err := strconv.Atoi(n.Value)
		if n.ShortTag() != "!!int" || err != nil || value < 1 {
			d.wrong(n, "a number from 1")
			return 0, false
		}
		return value, true
	},
}

// choice is one of a few words.
func choice(words ...string) kind[string] {
	want := strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
	schema := func() *jsonschema.Schema {
		s := &jsonschema.Schema{Type: "string"}
		for _, word := range words {
			s.Enum = append(s.Enum, word)
		}
		return s
	}
	return parsed(want, schema, func(s string) (string, error) {
		if slices.Contains(words, s) {
			return s, nil
		}
		return "", fmt.Errorf("expected %s, found %q%s", want, s, didYouMean(s, words))
	})
}

// parsed is a text with a meaning, which parse finds. Its error is the message.
func parsed[V any](want string, schema func() *jsonschema.Schema, parse func(string) (V, error)) kind[V] {
	read := converted(text, parse).read
	return kind[V]{
		shape: shape{want: want, schema: schema},
		read: func(d *decoder, n *yaml.Node) (value V, ok bool) {
			if !isText(n) {
				d.wrong(n, want)
				return value, false
			}
			return read(d, n)
		},
	}
}

// matching is a text that the expression matches as a whole.
func matching(expression, want string) kind[string] {
	re := regexp.MustCompile("^(?:" + expression + ")$")
	schema := func() *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Pattern: re.String()} }
	return parsed(want, schema, func(s string) (string, error) {
		if !re.MatchString(s) {
			return "", fmt.Errorf("expected %s, found %q", want, shortened(s))
		}
		return s, nil
	})
}

// converted is a kind whose value is made from another one's, which looks the same in the file.
func converted[A, B any](from kind[A], convert func(A) (B, error)) kind[B] {
	return kind[B]{
		shape: from.shape,
		read: func(d *decoder, n *yaml.Node) (value B, ok bool) {
			raw, ok := from.read(d, n)
			if !ok {
				return value, false
			}
			value, err := convert(raw)
			if err != nil {
				d.fail(n, "%v", err)
			}
			return value, err == nil
		},
	}
}

// under is the short way to write a mapping of which only one key is given.
func under[V any](name, want string, whole kind[V]) kind[V] {
	return kind[V]{
		shape: shape{want: want, schema: textSchema},
		read: func(d *decoder, n *yaml.Node) (V, bool) {
			return whole.read(d, &yaml.Node{
				Kind: yaml.MappingNode, Line: n.Line, Column: n.Column,
				Content: []*yaml.Node{scalar(name, n), n},
			})
		},
	}
}

// either is written in two ways: as a text, or as a list or a mapping.
func either[V any](scalar, other kind[V]) kind[V] {
	want := scalar.want + " or " + other.want
	return kind[V]{
		shape: shape{want: want, inside: other.inside, schema: func() *jsonschema.Schema {
			return &jsonschema.Schema{OneOf: []*jsonschema.Schema{scalar.schema(), other.schema()}}
		}},
		read: func(d *decoder, n *yaml.Node) (value V, ok bool) {
			switch {
			case n.Kind == other.node:
				return other.read(d, n)
			case isText(n):
				return scalar.read(d, n)
			}
			d.wrong(n, want)
			return value, false
		},
	}
}

// list is a list of at least one item.
func list[V any](item kind[V]) kind[[]V] {
	want := "a list"
	return kind[[]V]{
		shape: shape{want: want, node: yaml.SequenceNode, inside: item.eachInside(), schema: func() *jsonschema.Schema {
			return &jsonschema.Schema{Type: "array", Items: item.schema(), MinItems: &one}
		}},
		read: func(d *decoder, n *yaml.Node) ([]V, bool) {
			if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
				d.wrong(n, want)
				return nil, false
			}
			return readItems(d, n, item)
		},
	}
}

// orList is one value, or a list of them.
func orList[V any](item kind[V]) kind[[]V] {
	all := list(item)
	return kind[[]V]{
		shape: shape{want: item.want + ", or a list of these", inside: item.inside, schema: func() *jsonschema.Schema {
			return &jsonschema.Schema{OneOf: []*jsonschema.Schema{item.schema(), all.schema()}}
		}},
		read: func(d *decoder, n *yaml.Node) ([]V, bool) {
			if n.Kind == yaml.SequenceNode {
				return all.read(d, n)
			}
			value, ok := item.read(d, n)
			return []V{value}, ok
		},
	}
}

// eachInside is inside, for the items of a list.
func (s shape) eachInside() func(string) []line {
	if s.inside == nil {
		return nil
	}
	return func(parent string) []line { return s.inside(parent + "[]") }
}

// readItems reads all items, also when some are wrong, so that every mistake is told.
func readItems[V any](d *decoder, n *yaml.Node, item kind[V]) ([]V, bool) {
	values, all := make([]V, 0, len(n.Content)), true
	for _, content := range n.Content {
		content = d.value(content)
		if content == nil {
			return nil, false
		}
		value, ok := item.read(d, content)
		values, all = append(values, value), all && ok
	}
	return values, all
}

// set is a list in which nothing stands twice.
func set(item kind[string]) kind[[]string] {
	k := list(item)
	read, schema := k.read, k.schema
	k.schema = func() *jsonschema.Schema {
		s := schema()
		s.UniqueItems = true
		return s
	}
	k.read = func(d *decoder, n *yaml.Node) ([]string, bool) {
		values, ok := read(d, n)
		seen := map[string]bool{}
		for i, value := range values {
			if ok && seen[value] {
				d.fail(n.Content[i], "%q stands twice", shortened(value))
			}
			seen[value] = true
		}
		return values, ok
	}
	return k
}

// single is a list of one item, written without the list.
func single[V any](item kind[V]) kind[[]V] {
	return converted(item, func(value V) ([]V, error) { return []V{value}, nil })
}

// table is a mapping whose keys are the user's own.
func table(value kind[string]) kind[map[string]string] {
	return kind[map[string]string]{
		shape: shape{want: "a mapping", schema: func() *jsonschema.Schema {
			return &jsonschema.Schema{Type: "object", AdditionalProperties: value.schema()}
		}},
		read: func(d *decoder, n *yaml.Node) (map[string]string, bool) {
			values := map[string]string{}
			return values, d.clean(func() {
				d.pairs(n, func(name, n *yaml.Node) {
					d.within(name.Value, func() { values[name.Value], _ = value.read(d, n) })
				})
			})
		},
	}
}

// whenNeeded is a kind that holds secrets which not everybody who reads the file is to know: that variables are
// not set is no mistake, but noted in the value.
func whenNeeded[V any](k kind[V], note func(value *V, at Place, unset []string)) kind[V] {
	read := k.read
	k.read = func(d *decoder, n *yaml.Node) (V, bool) {
		var unset []string
		lookup := d.lookup
		d.unset, d.lookup = &unset, func(name string) (string, bool) {
			value, ok := lookup(name)
			return value, ok && value != "" // CI sets the secrets that a fork may not see to nothing
		}
		value, ok := read(d, n)
		d.unset, d.lookup = nil, lookup
		note(&value, d.place(n), unset)
		return value, ok
	}
	return k
}

func isText(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" }

// quoteIt is the advice for a scalar that YAML took for something else than a text.
func quoteIt(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
		return " (put it in quotes)"
	}
	return ""
}
