package compose

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// source is a compose file as it was read: its bytes and its nodes.
type source struct {
	path  string
	data  []byte
	root  *yaml.Node // the mapping at the top; nil for an empty file
	lines []int      // offset of each line's first byte
	index map[*yaml.Node]map[string]*yaml.Node
}

func readSource(path string) (*source, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseSource(path, data)
}

// parseSource parses a file that an edit may be made in. What makes places unsure is refused for the
// whole file: several documents, keys that stand twice, another encoding than UTF-8.
func parseSource(path string, data []byte) (*source, error) {
	s := &source{path: path, data: data, lines: lineStarts(data), index: map[*yaml.Node]map[string]*yaml.Node{}}
	if !utf8.Valid(data) {
		return nil, &Error{File: path, Reason: "it is not UTF-8", Advice: "convert it: iconv -t UTF-8"}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, more yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if len(bytes.TrimSpace(data)) == 0 || document.Kind == 0 && strings.Contains(err.Error(), "EOF") {
			return s, nil
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := decoder.Decode(&more); err == nil && more.Kind != 0 {
		return nil, &Error{File: path, Line: more.Line, Column: 1, Reason: "the file holds several documents", Advice: "split it, and name the parts under compose:"}
	}
	if document.Kind == yaml.DocumentNode && len(document.Content) == 1 && document.Content[0].Kind == yaml.MappingNode {
		s.root = document.Content[0]
	}
	return s, nil
}

// lineStarts finds the first byte of every line as the YAML scanner counts lines: LF, CRLF, a lone CR,
// NEL, LS and PS end one.
func lineStarts(data []byte) []int {
	starts := []int{0}
	if bytes.HasPrefix(data, []byte("\ufeff")) {
		starts[0] = len("\ufeff")
	}
	for i := 0; i < len(data); {
		width := breakWidth(data[i:])
		if width == 0 {
			i++
			continue
		}
		i += width
		starts = append(starts, i)
	}
	return starts
}

// breakWidth is the length of the line break that data begins with, or 0.
func breakWidth(data []byte) int {
	switch {
	case data[0] == '\n':
		return 1
	case data[0] == '\r' && len(data) > 1 && data[1] == '\n':
		return 2
	case data[0] == '\r':
		return 1
	case bytes.HasPrefix(data, []byte("\u0085")):
		return 2
	case bytes.HasPrefix(data, []byte("\u2028")), bytes.HasPrefix(data, []byte("\u2029")):
		return 3
	}
	return 0
}

// offset turns a node's line and column into a byte offset; columns count runes.
func (s *source) offset(line, column int) (int, bool) {
	if line < 1 || line > len(s.lines) {
		return 0, false
	}
	at := s.lines[line-1]
	for range column - 1 {
		if at >= len(s.data) {
			return 0, false
		}
		_, width := utf8.DecodeRune(s.data[at:])
		at += width
	}
	return at, true
}

// span is a run of bytes of a source.
type span struct{ start, end int }

// scalar finds the bytes between the quotes of a scalar. They must be the node's value, byte for byte:
// a scalar that is folded, escaped, tagged or spread over lines is not edited.
func (s *source) scalar(n *yaml.Node) (span, bool) {
	at, ok := s.offset(n.Line, n.Column)
	if !ok || n.Style&(yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) != 0 {
		return span{}, false
	}
	if n.Anchor != "" {
		rest, found := bytes.CutPrefix(s.data[at:], []byte("&"+n.Anchor))
		trimmed := bytes.TrimLeft(rest, " \t")
		if !found || len(trimmed) == len(rest) {
			return span{}, false
		}
		at = len(s.data) - len(trimmed)
	}
	quote := map[yaml.Style]string{yaml.SingleQuotedStyle: "'", yaml.DoubleQuotedStyle: `"`}[n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle)]
	if !bytes.HasPrefix(s.data[at:], []byte(quote+n.Value+quote)) {
		return span{}, false
	}
	if quote == "'" && strings.Contains(n.Value, "'") || quote == `"` && strings.ContainsAny(n.Value, `\"`) {
		return span{}, false
	}
	return span{at + len(quote), at + len(quote) + len(n.Value)}, true
}

// child is the value of a mapping's own key. Mappings are indexed once: a file may have thousands of
// services.
func (s *source) child(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	keys, known := s.index[mapping]
	if !known {
		keys = make(map[string]*yaml.Node, len(mapping.Content)/2)
		for pair := range slices.Chunk(mapping.Content, 2) {
			keys[pair[0].Value] = pair[1]
		}
		s.index[mapping] = keys
	}
	return keys[key]
}

// merges are the mappings that a mapping takes keys from by `<<`, in the order they are looked at: of a
// list, the first that has the key wins.
func (s *source) merges(mapping *yaml.Node) []*yaml.Node {
	merged := s.child(mapping, "<<")
	switch {
	case merged == nil:
		return nil
	case merged.Kind == yaml.SequenceNode:
		return merged.Content
	}
	return []*yaml.Node{merged}
}

// find looks a key up in a mapping, through aliases and merges, as a YAML reader would.
func (s *source) find(mapping *yaml.Node, key string) *yaml.Node {
	mapping = resolved(mapping)
	if own := s.child(mapping, key); own != nil {
		return own
	}
	for _, m := range s.merges(mapping) {
		if found := s.find(m, key); found != nil {
			return found
		}
	}
	return nil
}

// resolved follows an alias to what it stands for.
func resolved(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// service is the mapping of a service, or nil.
func (s *source) service(name string) *yaml.Node {
	return resolved(s.find(s.find(s.root, "services"), name))
}
