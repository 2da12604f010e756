package config

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Draft is what `promote init` found out by looking, for [Write].
type Draft struct {
	Services     []DraftService
	Environments []DraftEnvironment
}

// DraftService is a service that was found. Empty fields, and those that say what the default says, are
// left out of the file.
type DraftService struct {
	Name, Image string
	VersionFile string // relative to the file, or git
	Build       string // build context
	Path        string
	Runs        []string
}

// DraftEnvironment is an environment that was found, or that is usual.
type DraftEnvironment struct {
	Name, From string
	Host       string // ssh URL; empty for this machine
	Project    string
	Compose    []string
}

// Write renders a promote.yaml that says what was found and no more. Whatever the values are, [Parse]
// reads back the same: what needs quotes has them, and a dollar is doubled.
func Write(c Draft) []byte {
	w := &draftWriter{explained: map[string]bool{}}
	w.line(0, "# What promote deploys, and where to. What is not written has its default.")
	w.line(0, "services:")
	for _, s := range c.Services {
		w.service(s)
	}
	if len(c.Environments) > 0 {
		w.line(0, "environments:")
	}
	for _, e := range c.Environments {
		w.environment(e)
	}
	return w.out.Bytes()
}

type draftWriter struct {
	out       bytes.Buffer
	explained map[string]bool // keys that have had their comment
}

func (w *draftWriter) service(s DraftService) {
	w.line(2, quoted(s.Name)+":")
	w.key("image", s.Image, "", "repository, without a tag")
	w.key("version", s.VersionFile, "", "where the version is written")
	w.key("build", s.Build, "", "")
	w.key("path", s.Path, ".", "whose commits are this service's")
	if !slices.Equal(s.Runs, []string{s.Name}) {
		w.list("runs", s.Runs, "compose services that move together")
	}
}

func (w *draftWriter) environment(e DraftEnvironment) {
	w.line(2, quoted(e.Name)+":")
	w.key("from", e.From, "", "takes only what was verified there")
	w.key("host", e.Host, "", "")
	w.key("project", e.Project, ".", "project directory")
	w.list("compose", e.Compose, "")
}

// key writes a key unless it says what the default says; its comment only the first time.
func (w *draftWriter) key(name, value, standard, comment string) {
	if value != "" && value != standard {
		w.explain(name, quoted(value), comment)
	}
}

func (w *draftWriter) list(name string, values []string, comment string) {
	if len(values) == 0 {
		return
	}
	items := make([]string, len(values))
	for i, value := range values {
		items[i] = quoted(value)
	}
	w.explain(name, "["+strings.Join(items, ", ")+"]", comment)
}

func (w *draftWriter) explain(name, value, comment string) {
	line := name + ": " + value
	if comment != "" && !w.explained[name] {
		line = fmt.Sprintf("%-28s # %s", line, comment)
	}
	w.explained[name] = true
	w.line(4, line)
}

func (w *draftWriter) line(indent int, s string) {
	fmt.Fprintf(&w.out, "%*s%s\n", indent, "", s)
}

// plain is what needs no quotes by its characters alone, also inside [a, b].
var plain = regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./@:+-]*$`)

// quoted writes a text as a YAML scalar that means this text, for YAML 1.1 as well.
func quoted(s string) string {
	s = strings.ReplaceAll(s, "$", "$$")
	if plain.MatchString(s) && plainText(s) {
		return s
	}
	// Every escape that Go writes means the same in YAML.
	return strconv.Quote(s)
}

// plainText tells whether YAML takes the bare word for a text: the encoder quotes it where it would not.
func plainText(s string) bool {
	data, err := yaml.Marshal(s)
	return err == nil && string(bytes.TrimSpace(data)) == s
}
