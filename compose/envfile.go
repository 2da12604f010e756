package compose

import (
	"os"
	"regexp"
	"strings"
	"unicode"
)

// envFile is an env file as it was read.
type envFile struct {
	text
	assignments []assignment
}

// assignment is where an env file gives a variable its value.
type assignment struct {
	name  string
	value span // without quotes and comment
	plain bool // the value is what stands there: nothing is escaped, interpolated or taken from elsewhere
}

func readEnvFile(path string) (*envFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return &envFile{newText(path, data), assignments(string(data))}, nil
}

// of are the assignments of a variable.
func (f *envFile) of(name string) []assignment {
	var list []assignment
	for _, a := range f.assignments {
		if a.name == name {
			list = append(list, a)
		}
	}
	return list
}

// refuse points at an assignment.
func (f *envFile) refuse(a assignment, service, reason, advice string) *Error {
	line, column := f.position(a.value.start)
	return &Error{File: f.path, Line: line, Column: column, Service: service, Reason: a.name + " " + reason, Advice: advice}
}

// assignments reads an env file as compose-go's dotenv does, which tells values but not where they
// stand. A value in quotes may span lines, so lines alone would not do.
func assignments(data string) []assignment {
	var list []assignment
	at := len(data) - len(strings.TrimPrefix(data, "\ufeff"))
	for {
		at = skip(data, at, unicode.IsSpace)
		switch {
		case at == len(data):
			return list
		case data[at] == '#':
			at = lineEnd(data, at)
			continue
		}
		a, next := readAssignment(data, at)
		if a.name != "" {
			list = append(list, a)
		}
		at = next
	}
}

// readAssignment reads the assignment that begins at an offset, and says where it ends.
func readAssignment(data string, at int) (assignment, int) {
	if rest := strings.TrimPrefix(data[at:], "export"); len(rest) < len(data)-at && skip(rest, 0, blank) > 0 {
		at = skip(data, at+len("export"), blank)
	}
	end := strings.IndexAny(data[at:], "=:\n")
	if end < 0 {
		return assignment{}, len(data)
	}
	end += at
	a := assignment{name: strings.TrimSpace(data[at:end])}
	if data[end] == '\n' { // a name alone is taken from the environment
		a.value = span{at, at}
		return a, end
	}
	start := skip(data, end+1, blank)
	if start < len(data) && (data[start] == '"' || data[start] == '\'') {
		return quoted(a, data, start)
	}
	end = lineEnd(data, start)
	value, _, _ := strings.Cut(data[start:end], " #")
	value = strings.TrimRightFunc(value, unicode.IsSpace)
	a.value = span{start, start + len(value)}
	a.plain = !strings.ContainsAny(value, `\$"'`+"`#")
	return a, end
}

// quoted reads the value that begins with a quote.
func quoted(a assignment, data string, start int) (assignment, int) {
	a.plain = true
	for i := start + 1; i < len(data); i++ {
		switch c := data[i]; {
		case c == data[start]:
			a.value = span{start + 1, i}
			return a, i + 1
		case c == '\\':
			a.plain = false
			i++
		case c == '$' || c == '\n' || c == '\r':
			a.plain = false
		}
	}
	a.plain, a.value = false, span{start, len(data)}
	return a, len(data)
}

func skip(data string, at int, what func(rune) bool) int {
	return len(data) - len(strings.TrimLeftFunc(data[at:], what))
}

func blank(r rune) bool { return r != '\n' && unicode.IsSpace(r) }

func lineEnd(data string, at int) int {
	if i := strings.IndexByte(data[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(data)
}

// mentions reports whether the values of an env file would change with a variable of the project: it
// is named there alone, or interpolated.
func mentions(data []byte, variable string) bool {
	name := regexp.QuoteMeta(variable)
	return regexp.MustCompile(`(?m)\$\{?` + name + `\b|^\s*(?:export\s+)?` + name + `\s*$`).Match(data)
}
