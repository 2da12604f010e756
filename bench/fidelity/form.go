package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// form is a way to write a compose file down so that it still says the same.
type form struct {
	name  string
	write func([]byte) ([]byte, bool) // false where it can't be done, or is done already
}

const (
	byteOrderMark = "\ufeff"
	accents       = "é😀ñ"
)

var forms = []form{
	{asItIs, func(data []byte) ([]byte, bool) { return data, true }},
	{"CRLF", toCRLF},
	{"BOM", withMark},
	{"CRLF and BOM", then(toCRLF, withMark)},
	{"no final newline", func(data []byte) ([]byte, bool) { return changed(data, bytes.TrimRight(data, "\r\n")) }},
	{"accents and emoji", then(inFront(accents), commented)},
	{"NEL", inFront("a\u0085b")},
	{"LS", inFront("a\u2028b")},
	{"PS", inFront("a\u2029b")},
	{onOneLine, toJSON("")},
	{"JSON indented", toJSON("  ")},
	{onOneLine + ", all in front", then(toJSON(""), inFront(accents+"a\u0085b\u2028c\u2029d"))},
}

const onOneLine = "JSON on one line"

const asItIs = "as it is"

// then writes a file in two ways, one upon the other.
func then(first, second func([]byte) ([]byte, bool)) func([]byte) ([]byte, bool) {
	return func(data []byte) ([]byte, bool) {
		data, ok := first(data)
		if !ok {
			return nil, false
		}
		return second(data)
	}
}

func changed(before, after []byte) ([]byte, bool) { return after, !bytes.Equal(before, after) }

func toCRLF(data []byte) ([]byte, bool) {
	unix := bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	return changed(data, bytes.ReplaceAll(unix, []byte("\n"), []byte("\r\n")))
}

func withMark(data []byte) ([]byte, bool) {
	return slices.Concat([]byte(byteOrderMark), data), !bytes.HasPrefix(data, []byte(byteOrderMark))
}

// commented puts a comment on the first line.
func commented(data []byte) ([]byte, bool) {
	rest, marked := bytes.CutPrefix(data, []byte(byteOrderMark))
	comment := "# " + accents + "\n"
	if marked {
		comment = byteOrderMark + comment
	}
	return slices.Concat([]byte(comment), rest), true
}

// inFront puts a quoted value in front of every image: characters of several bytes, or what the YAML
// scanner counts as the end of a line and an editor does not.
func inFront(value string) func([]byte) ([]byte, bool) {
	return func(data []byte) ([]byte, bool) { return inserting(data, `"x-`+accents+`": "`+value+`"`) }
}

// insertion is text to insert at an offset.
type insertion struct {
	at   int
	text string
}

// keyed is a key of a mapping.
type keyed struct{ in, key, value *yaml.Node }

// inserting inserts an entry at the top of the file and in front of every image: in flow style on the
// image's own line.
func inserting(data []byte, entry string) ([]byte, bool) {
	var document yaml.Node
	if yaml.Unmarshal(data, &document) != nil || len(document.Content) != 1 {
		return nil, false
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode || len(root.Content) == 0 {
		return nil, false
	}
	l := newLayout(data)
	first, ok := l.entry(keyed{root, root.Content[0], root.Content[1]}, entry)
	if !ok {
		return nil, false
	}
	list := []insertion{first}
	for _, image := range images(root) {
		if i, ok := l.entry(image, entry); ok {
			list = append(list, i)
		}
	}
	return insertAll(data, list), true
}

func insertAll(data []byte, list []insertion) []byte {
	slices.SortStableFunc(list, func(a, b insertion) int { return b.at - a.at })
	for _, i := range list {
		data = slices.Insert(slices.Clone(data), i.at, []byte(i.text)...)
	}
	return data
}

// images are the services' own image keys.
func images(root *yaml.Node) []keyed {
	var list []keyed
	for _, services := range entries(root, "services") {
		for _, service := range entries(services.value, "") {
			list = append(list, entries(service.value, "image")...)
		}
	}
	return list
}

// entries are those of a mapping that have the key, or all.
func entries(mapping *yaml.Node, key string) []keyed {
	var list []keyed
	if mapping.Kind != yaml.MappingNode {
		return nil
	}
	for pair := range slices.Chunk(mapping.Content, 2) {
		if key == "" || pair[0].Value == key {
			list = append(list, keyed{mapping, pair[0], pair[1]})
		}
	}
	return list
}

// layout finds nodes in a file whose lines end in a line feed only.
type layout struct {
	data  []byte
	lines []int
}

func newLayout(data []byte) *layout {
	l := &layout{data, []int{len(data) - len(bytes.TrimPrefix(data, []byte(byteOrderMark)))}}
	for i, b := range data {
		if b == '\n' {
			l.lines = append(l.lines, i+1)
		}
	}
	return l
}

// offset is where a scalar begins, if it stands there as it is.
func (l *layout) offset(n *yaml.Node) (int, bool) {
	if n.Line < 1 || n.Line > len(l.lines) {
		return 0, false
	}
	at := l.lines[n.Line-1]
	for range n.Column - 1 {
		_, width := utf8.DecodeRune(l.data[at:])
		at += width
	}
	rest := bytes.TrimLeft(l.data[at:], `"'`)
	return at, bytes.HasPrefix(rest, []byte(n.Value))
}

// entry inserts an entry in front of a key: on the same line in flow style, else on a line of its own.
func (l *layout) entry(k keyed, text string) (insertion, bool) {
	at, ok := l.offset(k.key)
	if !ok || k.in.Style&yaml.FlowStyle != 0 {
		return insertion{at, text + ", "}, ok
	}
	begin := l.lines[k.key.Line-1]
	indent := string(l.data[begin:at])
	return insertion{begin, indent + text + "\n"}, strings.Trim(indent, " ") == ""
}

// toJSON decodes a file and writes it as JSON, on one line or indented.
func toJSON(indent string) func([]byte) ([]byte, bool) {
	return func(data []byte) ([]byte, bool) {
		var decoded any
		if yaml.Unmarshal(data, &decoded) != nil {
			return nil, false
		}
		var out bytes.Buffer
		encoder := json.NewEncoder(&out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", indent)
		if encoder.Encode(stringKeys(decoded)) != nil {
			return nil, false
		}
		return out.Bytes(), true
	}
}

// stringKeys makes the keys of all mappings strings, as JSON needs them.
func stringKeys(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key := range value {
			value[key] = stringKeys(value[key])
		}
	case map[any]any:
		converted := map[string]any{}
		for key, item := range value {
			converted[fmt.Sprint(key)] = stringKeys(item)
		}
		return converted
	case []any:
		for i := range value {
			value[i] = stringKeys(value[i])
		}
	}
	return value
}
