package semver

import (
	"bytes"
)

// What Elixir calls the version of a project: a string, or a module attribute, usually @version.
var (
	mixProject   = lazily(`(?m)^([ \t]*)def[ \t]+project\b`)
	mixVersion   = lazily(`\bversion:\s*"([^"\n]*)"`)
	mixAttribute = lazily(`(?m)^[ \t]*@version[ \t(]+"([^"\n]*)"`)
)

// mixFile finds the version of a mix.exs: version: "…" in the function project, else @version "…". Code
// can say it in other ways; those need a regex.
func mixFile(d *document) ([]scalar, error) {
	code := readCode(d, elixirText())
	if m := mixProject().FindSubmatchIndex(code.data); m != nil {
		end := m[1] + endOfFunction(code.data[m[1]:], code.data[m[2]:m[3]])
		if found := code.matches(mixVersion(), m[1], end); len(found) > 0 {
			return found, nil
		}
	}
	return code.matches(mixAttribute(), 0, len(code.data)), nil
}

// endOfFunction is where the next line begins that is indented as the function's def is.
func endOfFunction(body, indent []byte) int {
	at := 0
	for line := range bytes.Lines(body) {
		rest, indented := bytes.CutPrefix(line, indent)
		if at > 0 && indented && len(bytes.TrimSpace(rest)) > 0 && rest[0] != ' ' && rest[0] != '\t' && rest[0] != ']' {
			return at
		}
		at += len(line)
	}
	return at
}

// elixirText is what can hold a # or a quote in Elixir: heredocs, strings, comments, character literals.
var elixirText = lazily(`(?s)"""(?:\\.|.)*?"""|'''(?:\\.|.)*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|#[^\n]*|\?\\?["'#]`)
