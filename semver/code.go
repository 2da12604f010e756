package semver

import (
	"bytes"
	"regexp"
	"slices"
)

// code is the source of a program without its comments: each byte of them is a blank, so that every other
// byte keeps its place.
type code struct {
	*document
	bare []byte // neither comments nor strings
}

// readCode reads a source. The expression matches what can hold a brace or a quote that means nothing:
// comments and strings. A byte order mark is a blank, too.
func readCode(d *document, text *regexp.Regexp) code {
	content, mark := d.content()
	data := slices.Concat(blank(d.data[:mark]), content)
	plain := text.ReplaceAllFunc(data, func(b []byte) []byte {
		if isString(b) {
			return b
		}
		return blank(b)
	})
	return code{&document{d.path, plain}, text.ReplaceAllFunc(data, blank)}
}

// isString reports whether the text is a string in plain quotes, and no heredoc or comment.
func isString(text []byte) bool {
	return (text[0] == '"' || text[0] == '\'') && !bytes.HasPrefix(text, []byte(`"""`)) && !bytes.HasPrefix(text, []byte(`'''`))
}

func blank(text []byte) []byte {
	blanks := bytes.Repeat([]byte(" "), len(text))
	for i, b := range text {
		if b == '\n' || b == '\r' {
			blanks[i] = b
		}
	}
	return blanks
}

// depth is how many brackets are open at an offset.
func (c code) depth(at int) (depth int) {
	for _, b := range c.bare[:at] {
		switch b {
		case '{', '(', '[':
			depth++
		case '}', ')', ']':
			depth--
		}
	}
	return depth
}
