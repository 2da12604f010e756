package compose

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// text is a file as it was read, with the places of its lines.
type text struct {
	path  string // absolute
	data  []byte
	lines []int // offset of each line's first byte
	ascii bool  // columns are bytes: nothing to count in generated JSON, where all services share a line
}

func newText(path string, data []byte) text {
	return text{path, data, lineStarts(data), !slices.ContainsFunc(data, func(b byte) bool { return b >= utf8.RuneSelf })}
}

// lineStarts finds the first byte of every line as the YAML scanner counts lines: LF, CRLF, a lone CR,
// NEL, LS and PS end one. A byte order mark belongs to no line.
func lineStarts(data []byte) []int {
	starts := []int{0}
	if bytes.HasPrefix(data, []byte("\ufeff")) {
		starts[0] = len("\ufeff")
	}
	for i := 0; i < len(data); {
		if !mayBreak[data[i]] {
			i++
			continue
		}
		width := breakWidth(data[i:])
		if i += max(1, width); width > 0 {
			starts = append(starts, i)
		}
	}
	return starts
}

// mayBreak are the bytes that a line break begins with, those of NEL, LS and PS in UTF-8: nearly all
// others need no second look.
var mayBreak = [256]bool{'\n': true, '\r': true, 0xC2: true, 0xE2: true}

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

// offset turns line and column into a byte offset; columns count runes, from 1.
func (t text) offset(line, column int) (int, bool) {
	if line < 1 || line > len(t.lines) {
		return 0, false
	}
	at := t.lines[line-1]
	if t.ascii {
		at += max(0, column-1)
		return at, at <= len(t.data)
	}
	for range column - 1 {
		if at >= len(t.data) {
			return 0, false
		}
		_, width := utf8.DecodeRune(t.data[at:])
		at += width
	}
	return at, true
}

// position turns a byte offset into line and column.
func (t text) position(offset int) (line, column int) {
	i, exact := slices.BinarySearch(t.lines, offset)
	if !exact {
		i--
	}
	if t.ascii {
		return i + 1, offset - t.lines[i] + 1
	}
	return i + 1, utf8.RuneCount(t.data[t.lines[i]:offset]) + 1
}

// span is a run of bytes of a file.
type span struct{ start, end int }

func (t text) at(s span) string { return string(t.data[s.start:s.end]) }
