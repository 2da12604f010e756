package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// object describes a mapping with known keys, read into a T. It is the one description of those keys:
// the decoder, the schema and the reference are all made from it.
type object[T any] struct {
	keys   []key[T]
	alone  [][2]string // pairs of keys that exclude each other
	needed [][]string  // keys of which one has to be there
}

// key is one key of a mapping.
type key[T any] struct {
	entry
	field func(of *T) any // the address of the field that it is read into
	read  func(d *decoder, n *yaml.Node, into *T) bool
}

// entry is what the schema and the reference need of a key.
type entry struct {
	name     string
	doc      string // one sentence
	fallback string // the default as it would be written, "" if there is none or it is derived
	words    string // the default in words, where it depends on something else
	required bool
	shape
}

// mapping describes a mapping.
func mapping[T any](keys []key[T]) object[T] { return object[T]{keys: keys} }

// exclude says that two of the keys can't stand together.
func (o object[T]) exclude(a, b string) object[T] {
	o.alone = append(o.alone, [2]string{a, b})
	return o
}

// require says that one of the keys has to be there.
func (o object[T]) require(names ...string) object[T] {
	o.needed = append(o.needed, names)
	return o
}

// oneOf says that one of the keys has to be there, and no other of them.
func (o object[T]) oneOf(names ...string) object[T] {
	for i, a := range names {
		for _, b := range names[i+1:] {
			o = o.exclude(a, b)
		}
	}
	return o.require(names...)
}

// at describes the key that is read into a field.
func at[T, V any](name string, k kind[V], field func(*T) *V, doc string) key[T] {
	return key[T]{
		entry: entry{name: name, doc: doc, shape: k.shape},
		field: func(of *T) any { return field(of) },
		read: func(d *decoder, n *yaml.Node, into *T) bool {
			value, ok := k.read(d, n)
			if ok {
				*field(into) = value
			}
			return ok
		},
	}
}

// or gives the key its default, written as a user would.
func (k key[T]) or(fallback string) key[T] {
	k.fallback = fallback
	return k
}

// derived says in words what the default is made from; [Config.derive] makes it.
func (k key[T]) derived(words string) key[T] {
	k.words = words
	return k
}

// must makes the key required.
func (k key[T]) must() key[T] {
	k.required = true
	return k
}

// read reads a mapping into a T. What is missing is reported at head.
func (o object[T]) read(d *decoder, n, head *yaml.Node, into *T) bool {
	written := map[string]*yaml.Node{}
	return d.clean(func() {
		d.pairs(n, func(name, value *yaml.Node) {
			written[name.Value] = name
			o.readKey(d, name, value, into)
		})
		if n.Kind == yaml.MappingNode {
			o.complete(d, head, written, into)
		}
	})
}

func (o object[T]) readKey(d *decoder, name, value *yaml.Node, into *T) {
	i := slices.IndexFunc(o.keys, func(k key[T]) bool { return k.name == name.Value })
	if i < 0 {
		d.fail(name, "unknown key %q%s", shortened(name.Value), didYouMean(name.Value, o.names()))
		return
	}
	k := o.keys[i]
	d.within(k.name, func() {
		if k.read(d, value, into) {
			d.nodes[k.field(into)] = value
		}
	})
}

// complete fills in the defaults and reports what is missing or excludes each other.
func (o object[T]) complete(d *decoder, head *yaml.Node, written map[string]*yaml.Node, into *T) {
	for _, k := range o.keys {
		switch {
		case written[k.name] != nil:
		case k.required:
			d.fail(head, "%s is missing", k.name)
		case k.fallback != "":
			k.read(d, scalar(k.fallback, head), into)
		case k.filled:
			k.read(d, &yaml.Node{Kind: yaml.MappingNode, Line: head.Line, Column: head.Column}, into)
		}
	}
	o.checkPairs(d, head, written)
}

func (o object[T]) checkPairs(d *decoder, head *yaml.Node, written map[string]*yaml.Node) {
	for _, pair := range o.alone {
		if second := written[pair[1]]; written[pair[0]] != nil && second != nil {
			d.fail(second, "%s and %s exclude each other", pair[0], pair[1])
		}
	}
	for _, names := range o.needed {
		if !slices.ContainsFunc(names, func(name string) bool { return written[name] != nil }) {
			last := len(names) - 1
			d.fail(head, "%s or %s is missing", strings.Join(names[:last], ", "), names[last])
		}
	}
}

func (o object[T]) names() []string {
	all := make([]string, len(o.keys))
	for i, k := range o.keys {
		all[i] = k.name
	}
	return all
}

// scalar makes the node that a default would be, had it been written.
func scalar(value string, at *yaml.Node) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: value, Tag: "!!str", Line: at.Line, Column: at.Column}
	if value == "true" || value == "false" {
		n.Tag = "!!bool"
	}
	if _, err := strconv.Atoi(value); err == nil {
		n.Tag = "!!int"
	}
	return n
}

// kind makes the mapping a value of a key or an item of a list.
func (o object[T]) kind() kind[T] {
	return kind[T]{
		shape: shape{want: "a mapping", node: yaml.MappingNode, schema: o.schema, inside: o.lines, filled: true},
		read: func(d *decoder, n *yaml.Node) (value T, ok bool) {
			ok = o.read(d, n, n, &value)
			return value, ok
		},
	}
}

// pointer makes the mapping a value that may be absent.
func (o object[T]) pointer() kind[*T] {
	k := o.kind()
	k.filled = false
	return kind[*T]{
		shape: k.shape,
		read: func(d *decoder, n *yaml.Node) (*T, bool) {
			value := new(T) // not a copy: checks find its fields by their addresses
			ok := o.read(d, n, n, value)
			return value, ok
		},
	}
}

// namePattern is what services and environments may be called: what Compose allows a service, and never
// something that reads like an option.
const namePattern = `[A-Za-z0-9_][A-Za-z0-9_.-]*`

var entryName = regexp.MustCompile("^" + namePattern + "$")

// entries is a mapping from names, which are the user's own, to such objects; in the order of the file.
// An entry may be left empty.
func entries[T any, P interface {
	*T
	enter(name string, at Place)
}](o object[T]) kind[[]*T] {
	return kind[[]*T]{
		shape: shape{
			want:   "a mapping of names",
			schema: o.entriesSchema,
			inside: func(parent string) []line { return o.lines(parent + ".NAME") },
		},
		read: func(d *decoder, n *yaml.Node) (all []*T, ok bool) {
			d.pairs(n, func(name, value *yaml.Node) {
				one := new(T)
				P(one).enter(name.Value, d.place(name))
				all = append(all, one)
				d.within(name.Value, func() { o.readEntry(d, name, value, one) })
			})
			return all, n.Kind == yaml.MappingNode
		},
	}
}

func (o object[T]) readEntry(d *decoder, name, value *yaml.Node, into *T) {
	if !entryName.MatchString(name.Value) {
		d.failAt(d.place(name), "%q can't be a name: use letters, digits, and . _ - after the first", shortened(name.Value))
	}
	if value.ShortTag() == "!!null" {
		value = &yaml.Node{Kind: yaml.MappingNode, Line: value.Line, Column: value.Column}
	}
	o.read(d, value, name, into)
}

// pairs goes through the keys and values of a mapping and reports what can't be a key.
func (d *decoder) pairs(n *yaml.Node, each func(name, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, "a mapping")
		return
	}
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], d.value(n.Content[i+1])
		if value == nil {
			return
		}
		if d.isKey(name, seen[name.Value]) {
			seen[name.Value] = name
			each(name, value)
		}
	}
}

func (d *decoder) isKey(name, first *yaml.Node) bool {
	switch {
	case name.ShortTag() == "!!merge":
		d.fail(name, "merge keys (<<) are not supported; repeat the keys, or alias a whole value")
	case !isText(name):
		d.fail(name, "expected a text as the key, found %s%s", describe(name), quoteIt(name))
	case first != nil:
		d.fail(name, "%q stands twice, first in line %d", shortened(name.Value), first.Line)
	default:
		return true
	}
	return false
}
