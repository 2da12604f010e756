package semver

import (
	"bytes"
	"strings"
)

var (
	iniHeader    = lazily(`^\[([^\]\r\n]+)\]`)
	iniLine      = lazily(`^([^\s#;=:\[][^=:\r\n]*?)[ \t]*[=:][ \t]*([^\r\n]*?)[ \t]*\r?\n?$`)
	propertyLine = lazily(`^[ \t\f]*([^\s#!=:][^\s=:]*)(?:[ \t\f]*[=:]|[ \t\f])[ \t\f]*([^\r\n]*?)[ \t\f]*\r?\n?$`)
	continued    = lazily(`(?:^|[^\\])(?:\\\\)*\\\r?\n$`)
)

// walkINI goes through an INI file as Python's configparser reads it: keys don't tell upper from lower
// case, an indented line belongs to the value above it, and a comment has its own line.
func walkINI(d *document, visit visitor) error {
	data, at := d.content()
	var section []string
	for line := range bytes.Lines(data) {
		if m := iniHeader().FindSubmatch(line); m != nil {
			section = []string{string(m[1])}
			visit(section, scalar{start: at, end: at})
		}
		if m := iniLine().FindSubmatchIndex(line); m != nil {
			key := strings.ToLower(string(line[m[2]:m[3]]))
			visit(append(section, key), d.literal(at+m[4], at+m[5]))
		}
		at += len(line)
	}
	return nil
}

// walkProperties goes through a file of Java properties. The dots in a key part it.
func walkProperties(d *document, visit visitor) error {
	data, at := d.content()
	inValue := false
	for line := range bytes.Lines(data) {
		m := propertyLine().FindSubmatchIndex(line)
		if m != nil && !inValue {
			key := string(line[m[2]:m[3]])
			visit(strings.Split(key, "."), d.literal(at+m[4], at+m[5]))
		}
		inValue = continued().Match(line) && (m != nil || inValue)
		at += len(line)
	}
	return nil
}
