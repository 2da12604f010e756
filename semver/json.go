package semver

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

func walkJSON(d *document, visit visitor) error {
	data, offset := d.content()
	if err := json.Unmarshal(data, new(json.RawMessage)); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			offset += max(int(syntax.Offset)-1, 0)
		}
		return d.malformed(offset, err)
	}
	w := jsonWalk{d, json.NewDecoder(bytes.NewReader(data)), offset, visit}
	return w.value(nil)
}

// jsonWalk goes through the tokens of a document that is known to be valid.
type jsonWalk struct {
	*document
	decoder *json.Decoder
	base    int // offset of the decoder's input in the document
	visit   visitor
}

func (w *jsonWalk) offset() int { return w.base + int(w.decoder.InputOffset()) }

// next is where the next value begins: the decoder stands behind the token before it.
func (w *jsonWalk) next() int {
	rest := w.data[w.offset():]
	return len(w.data) - len(bytes.TrimLeft(rest, " \t\r\n:,"))
}

func (w *jsonWalk) value(path []string) error {
	start := w.next()
	token, err := w.decoder.Token()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case json.Delim:
		w.visit(path, scalar{start: start, end: start + 1})
		return w.children(path, t == '{')
	case string:
		w.visit(path, w.quoted(start, w.offset(), t))
	default:
		w.visit(path, scalar{start: start, end: w.offset()})
	}
	return nil
}

// children are the values of an object or array, up to its end.
func (w *jsonWalk) children(path []string, object bool) error {
	for i := 0; w.decoder.More(); i++ {
		key := strconv.Itoa(i)
		if object {
			token, err := w.decoder.Token()
			if err != nil {
				return err
			}
			key, _ = token.(string)
		}
		if err := w.value(append(path, key)); err != nil {
			return err
		}
	}
	_, err := w.decoder.Token()
	return err
}
