package semver

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

func walkTOML(d *document, visit visitor) error {
	data, offset := d.content()
	if err := toml.Unmarshal(data, &map[string]any{}); err != nil {
		return d.malformed(placeTOML(d, err), err)
	}
	w := tomlWalk{document: d, base: offset, visit: visit, lists: map[string]int{}}
	w.parser.Reset(data)
	for w.parser.NextExpression() {
		w.expression(w.parser.Expression())
	}
	if err := w.parser.Error(); err != nil {
		return d.malformed(0, err)
	}
	return nil
}

func placeTOML(d *document, err error) int {
	var decode *toml.DecodeError
	if !errors.As(err, &decode) {
		return 0
	}
	return d.offset(decode.Position())
}

// tomlWalk goes through the expressions of a document that is known to be valid. The parser knows
// nothing of tables: which one a key belongs to is kept here.
type tomlWalk struct {
	*document
	parser unstable.Parser
	base   int // offset of the parser's input in the document
	visit  visitor
	table  []string
	lists  map[string]int // how many tables each [[list]] has so far
}

func (w *tomlWalk) expression(n *unstable.Node) {
	switch n.Kind {
	case unstable.Table:
		w.table = w.resolve(keysOf(n))
	case unstable.ArrayTable:
		keys := keysOf(n)
		last := len(keys) - 1
		list := append(w.resolve(keys[:last]), keys[last])
		w.lists[joined(list)]++
		w.table = w.resolve(keys)
	case unstable.KeyValue:
		w.pair(w.table, n)
	}
}

// resolve puts the index of the last table behind each key that is a [[list]].
func (w *tomlWalk) resolve(keys []string) (path []string) {
	for _, key := range keys {
		path = append(path, key)
		if n := w.lists[joined(path)]; n > 0 {
			path = append(path, strconv.Itoa(n-1))
		}
	}
	return path
}

func joined(path []string) string { return strings.Join(path, "\x00") }

func keysOf(n *unstable.Node) (keys []string) {
	for it := n.Key(); it.Next(); {
		keys = append(keys, string(it.Node().Data))
	}
	return keys
}

func (w *tomlWalk) pair(table []string, n *unstable.Node) {
	w.value(slices.Concat(table, keysOf(n)), n.Value(), w.keyStart(n))
}

// keyStart is where a pair's key begins; only some kinds of value know their own place.
func (w *tomlWalk) keyStart(n *unstable.Node) int {
	key := n.Key()
	key.Next()
	return w.base + int(key.Node().Raw.Offset)
}

func (w *tomlWalk) value(path []string, n *unstable.Node, at int) {
	if n.Kind == unstable.String {
		start := w.base + int(n.Raw.Offset)
		w.visit(path, w.quoted(start, start+int(n.Raw.Length), string(n.Data)))
		return
	}
	w.visit(path, scalar{start: at, end: at})
	switch n.Kind {
	case unstable.InlineTable:
		for it := n.Children(); it.Next(); {
			w.pair(path, it.Node())
		}
	case unstable.Array:
		i := 0
		for it := n.Children(); it.Next(); i++ {
			w.value(append(path, strconv.Itoa(i)), it.Node(), at)
		}
	}
}
