package compose

import (
	"bytes"
	"os"
	"regexp"
	"strings"
)

// envFile is an env file as it was read.
type envFile struct {
	path string
	data []byte
}

// assignment is where an env file gives a variable its value.
type assignment struct {
	file  *envFile
	line  int // from 1
	value span
}

var assignmentGrammar = regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?([_A-Za-z][_A-Za-z0-9.-]*)[ \t]*[=:][ \t]*`)

func readEnvFile(path string) (*envFile, error) {
	data, err := os.ReadFile(path)
	return &envFile{path, data}, err
}

// assignments are all lines of the file that give the variable a value.
func (f *envFile) assignments(name string) []assignment {
	var list []assignment
	at, line := 0, 0
	for text := range bytes.Lines(f.data) {
		line++
		begin := at
		at += len(text)
		trimmed := bytes.TrimPrefix(text, []byte("\ufeff"))
		m := assignmentGrammar.FindSubmatchIndex(trimmed)
		if m == nil || string(trimmed[m[2]:m[3]]) != name {
			continue
		}
		start := begin + len(text) - len(trimmed) + m[1]
		list = append(list, assignment{f, line, span{start, begin + len(bytes.TrimRight(text, "\r\n"))}})
	}
	return list
}

// literal narrows an assignment to its value, if that is plain or simply quoted: nothing in it is
// interpolated or escaped.
func (a assignment) literal() (assignment, bool) {
	text := string(a.file.data[a.value.start:a.value.end])
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		inner, after, closed := strings.Cut(text[1:], text[:1])
		comment := strings.TrimSpace(after)
		if !closed || strings.ContainsAny(inner, `\$`) || comment != "" && comment[0] != '#' {
			return a, false
		}
		a.value = span{a.value.start + 1, a.value.start + 1 + len(inner)}
		return a, true
	}
	if i := strings.Index(text, " #"); i >= 0 {
		text = text[:i]
	}
	text = strings.TrimRight(text, " \t")
	a.value.end = a.value.start + len(text)
	return a, !strings.ContainsAny(text, "\\$\"'`#")
}

func (a assignment) text() string { return string(a.file.data[a.value.start:a.value.end]) }

// column is where the value begins, from 1, in bytes.
func (a assignment) column() int {
	return a.value.start - (bytes.LastIndexByte(a.file.data[:a.value.start], '\n') + 1) + 1
}
