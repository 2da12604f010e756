package semver

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
)

// xmlWalk goes through the elements of a document, each visited at its end. Namespaces don't matter.
type xmlWalk struct {
	*document
	decoder *xml.Decoder
	visit   visitor
	path    []string
	open    []element
}

// element is one that has not ended yet.
type element struct {
	start  int // of its content
	text   []byte
	parent bool // has elements in it
}

func walkXML(d *document, visit visitor) error {
	w := xmlWalk{document: d, decoder: newXML(d), visit: visit}
	for {
		before := d.offsetXML(w.decoder)
		token, err := w.decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return d.badXML(w.decoder, err)
		}
		w.token(token, before)
	}
}

// newXML is a decoder of a document in any encoding that has ASCII in it.
func newXML(d *document) *xml.Decoder {
	data, _ := d.content()
	decoder := xml.NewDecoder(bytes.NewReader(ascii(data)))
	decoder.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil }
	return decoder
}

// ascii has another letter in place of each byte beyond ASCII. No key or version has those, and so the
// decoder needs no table for the document's encoding.
func ascii(data []byte) []byte {
	plain := bytes.Clone(data)
	for i, b := range plain {
		if b >= 0x80 {
			plain[i] = '_'
		}
	}
	return plain
}

// offsetXML is how far a decoder has come in the document.
func (d *document) offsetXML(decoder *xml.Decoder) int {
	_, base := d.content()
	return base + int(decoder.InputOffset())
}

// badXML takes the place out of the decoder's message: it stands in front of ours.
func (d *document) badXML(decoder *xml.Decoder, err error) error {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		err = errors.New(syntax.Msg)
	}
	return d.malformed(d.offsetXML(decoder), err)
}

// token goes on by one token, which begins at an offset.
func (w *xmlWalk) token(token xml.Token, at int) {
	last := len(w.open) - 1
	switch t := token.(type) {
	case xml.StartElement:
		if last >= 0 {
			w.open[last].parent = true
		}
		w.open = append(w.open, element{start: w.offsetXML(w.decoder)})
		w.path = append(w.path, t.Name.Local)
	case xml.CharData:
		if last >= 0 {
			w.open[last].text = append(w.open[last].text, t...)
		}
	case xml.EndElement:
		w.visit(w.path, w.inner(w.open[last], at))
		w.open, w.path = w.open[:last], w.path[:last]
	}
}

// inner is the scalar of an element that ends at an offset, without the blanks around it. What is
// written with entities, comments or sections in it, [document.version] refuses.
func (w *xmlWalk) inner(e element, end int) scalar {
	if e.parent {
		return scalar{start: e.start, end: e.start}
	}
	raw := w.data[e.start:end]
	start := e.start + len(raw) - len(bytes.TrimLeft(raw, xmlBlanks))
	raw = bytes.Trim(raw, xmlBlanks)
	return scalar{start: start, end: start + len(raw), text: string(bytes.Trim(e.text, xmlBlanks)), isString: true}
}

const xmlBlanks = " \t\r\n"
