package compose

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// source is a compose file as it was read: its bytes and its nodes.
type source struct {
	text
	root    *yaml.Node // the mapping at the top; nil for an empty file
	refusal *Error     // why nothing in the file can be changed, though compose can read it
	keys    map[*yaml.Node]map[string]*yaml.Node
}

func readSource(path string) (*source, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &Error{File: filepath.Dir(path), Reason: oneLine(err), Advice: "docker compose config", cause: err}
	}
	return parseSource(path, data)
}

// parseSource parses a compose file. What would make places unsure is refused: another encoding than
// UTF-8 and keys that stand twice at once, several documents when one of their services is to change.
func parseSource(path string, data []byte) (*source, error) {
	if !utf8.Valid(data) {
		return nil, &Error{File: path, Reason: "it is not UTF-8", Advice: "convert it with iconv -t UTF-8"}
	}
	s := &source{text: newText(path, data), keys: map[*yaml.Node]map[string]*yaml.Node{}}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, more yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return s, nil
	case err != nil:
		return nil, &Error{File: path, Reason: strings.TrimPrefix(err.Error(), "yaml: "), Advice: "docker compose config", cause: err}
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		s.refusal = &Error{File: path, Line: max(1, more.Line), Column: max(1, more.Column), Reason: "the file holds several documents", Advice: "keep one document in a file; docker compose takes several files"}
	}
	if len(document.Content) == 1 && document.Content[0].Kind == yaml.MappingNode {
		s.root = document.Content[0]
	}
	return s, s.unique(&document)
}

// unique refuses keys that stand twice in one mapping, `<<` included.
func (s *source) unique(n *yaml.Node) error {
	if n.Kind == yaml.MappingNode {
		seen := make(map[string]bool, len(n.Content)/2)
		for pair := range slices.Chunk(n.Content, 2) {
			key := pair[0]
			if seen[key.Value] && key.Kind == yaml.ScalarNode {
				return s.refuse("", key, fmt.Sprintf("the key %s stands there twice", key.Value), "remove one of the two")
			}
			seen[key.Value] = true
		}
	}
	for _, child := range n.Content {
		if err := s.unique(child); err != nil {
			return err
		}
	}
	return nil
}

func (s *source) refuse(service string, n *yaml.Node, reason, advice string) *Error {
	return &Error{File: s.path, Line: n.Line, Column: n.Column, Service: service, Reason: reason, Advice: advice}
}

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
	quote := quoteOf(n)
	if !bytes.HasPrefix(s.data[at:], []byte(quote+n.Value+quote)) {
		return span{}, false
	}
	if quote == "'" && strings.Contains(n.Value, "'") || quote == `"` && strings.ContainsAny(n.Value, `\"`) {
		return span{}, false
	}
	return span{at + len(quote), at + len(quote) + len(n.Value)}, true
}

func quoteOf(n *yaml.Node) string {
	switch {
	case n.Style&yaml.SingleQuotedStyle != 0:
		return "'"
	case n.Style&yaml.DoubleQuotedStyle != 0:
		return `"`
	}
	return ""
}

// child is the value of a mapping's own key. Mappings are indexed once: a file may have thousands of
// services.
func (s *source) child(mapping *yaml.Node, key string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	keys, known := s.keys[mapping]
	if !known {
		keys = make(map[string]*yaml.Node, len(mapping.Content)/2)
		for pair := range slices.Chunk(mapping.Content, 2) {
			keys[pair[0].Value] = pair[1]
		}
		s.keys[mapping] = keys
	}
	return keys[key]
}

// merges are the mappings that a mapping takes keys from by `<<`, in the order they are looked at: of a
// list, the first that has the key wins.
func (s *source) merges(mapping *yaml.Node) []*yaml.Node {
	merged := resolved(s.child(mapping, "<<"))
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

// items are the members of a sequence, or the one item that stands in its place.
func items(n *yaml.Node) []*yaml.Node {
	n = resolved(n)
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.SequenceNode:
		return n.Content
	}
	return []*yaml.Node{n}
}

// resolved follows an alias to what it stands for.
func resolved(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// special reports a tag such as !reset or !override, which changes how compose merges files.
func special(n *yaml.Node) bool {
	return n != nil && len(n.Tag) > 1 && strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!")
}
