package config

import (
	"fmt"
	"strings"
)

// line is one key in the reference.
type line struct {
	path string
	entry
}

// Reference gives the table of all keys of promote.yaml in Markdown: the key, what it holds, its default
// and one sentence. NAME stands for a name of the user's, [] for an item of a list.
func Reference() string {
	var b strings.Builder
	b.WriteString("| key | value | default | meaning |\n|---|---|---|---|\n")
	for _, l := range configKeys.lines("") {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", l.path, cell(l.want), cell(l.standard()), cell(l.doc))
	}
	return b.String()
}

// lines lists the keys of a mapping and everything within them.
func (o object[T]) lines(parent string) []line {
	var all []line
	for _, k := range o.keys {
		path := strings.TrimPrefix(parent+"."+k.name, ".")
		all = append(all, line{path, k.entry})
		if k.inside != nil {
			all = append(all, k.inside(path)...)
		}
	}
	return all
}

// standard is the default, for a reader.
func (e entry) standard() string {
	switch {
	case e.required:
		return "required"
	case e.fallback != "":
		return "`" + e.fallback + "`"
	}
	return e.words
}

// cell keeps a text from ending its cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
