package ui

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"unicode"
)

// CI names the files that a CI job has for what a command leaves to the steps after it, and to whoever
// looks at the job. An empty name is a file that nobody wants.
type CI struct {
	Outputs string // lines name=value: GITHUB_OUTPUT
	Summary string // Markdown: GITHUB_STEP_SUMMARY
	Dotenv  string // lines PROMOTE_NAME=value, each name once: a dotenv report of GitLab
}

// Value is something that later steps of a CI job may want to know.
type Value struct{ Name, Text string }

// Values writes values to the files of the CI. That it can't is a warning: it does not change what was
// done.
func (s *Screen) Values(values ...Value) {
	var outputs, dotenv []Value
	for _, v := range values {
		v.Text = oneLine(v.Text) // so that no value can end its line and begin another name
		outputs = append(outputs, Value{outputName(v.Name), v.Text})
		dotenv = append(dotenv, Value{dotenvName(v.Name), v.Text})
	}
	if s.CI.Outputs != "" {
		s.Warn(appendTo(s.CI.Outputs, lines(outputs)))
	}
	if s.CI.Dotenv != "" {
		s.Warn(s.replaceIn(s.CI.Dotenv, dotenv))
	}
}

// Summary writes a table to the summary of the CI, with a sentence below it if there is one. Whatever
// stands in it is shown as it is: nothing of it is Markdown.
func (s *Screen) Summary(title string, header []string, rows [][]string, below string) {
	if s.CI.Summary == "" {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n", verbatim(title))
	if len(rows) > 0 {
		fmt.Fprintf(&b, "\n%s%s", row(header), strings.Repeat("|---", len(header))+"|\n")
		for _, cells := range rows {
			b.WriteString(row(cells))
		}
	}
	if below != "" {
		fmt.Fprintf(&b, "\n%s\n", verbatim(below))
	}
	s.Warn(appendTo(s.CI.Summary, b.String()+"\n"))
}

func row(cells []string) string {
	var b strings.Builder
	for _, cell := range cells {
		b.WriteString("| " + verbatim(cell) + " ")
	}
	return b.String() + "|\n"
}

// verbatim is a text on one line in which no sign means anything to Markdown or HTML, nor makes a link.
func verbatim(text string) string {
	var b strings.Builder
	for _, r := range oneLine(text) {
		if r > '~' || r == ' ' || alphanumeric(r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "&#%d;", r)
		}
	}
	return b.String()
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func lines(values []Value) string {
	var b strings.Builder
	for _, v := range values {
		b.WriteString(v.Name + "=" + v.Text + "\n")
	}
	return b.String()
}

// quoted reports whether a sign of a value would need quotes for GitLab, or for a shell that reads the file.
func quoted(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !strings.ContainsRune("_./:@%+,=-", r)
}

// replaceIn puts values into a dotenv file in the place of older ones of the same names: one job may
// run promote several times.
func (s *Screen) replaceIn(path string, values []Value) error {
	before, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	var kept bytes.Buffer
	for line := range bytes.Lines(before) {
		name, _, _ := strings.Cut(string(line), "=")
		if !named(values, name) {
			kept.WriteString(strings.TrimRight(string(line), "\n") + "\n")
		}
	}
	for _, v := range values {
		if strings.ContainsFunc(v.Text, quoted) {
			s.Warn(fmt.Errorf("%s is left out of %s: %q would need quotes", v.Name, path, v.Text))
			continue
		}
		kept.WriteString(lines([]Value{v}))
	}
	return os.WriteFile(path, kept.Bytes(), 0o644)
}

func named(values []Value, name string) bool {
	for _, v := range values {
		if v.Name == name {
			return true
		}
	}
	return false
}

// outputName is a name as an expression of GitHub's can say it.
func outputName(name string) string { return strings.Map(underscored("-"), name) }

// dotenvName is a name as a variable.
func dotenvName(name string) string {
	return "PROMOTE_" + strings.Map(underscored(""), strings.ToUpper(name))
}

// underscored puts _ in the place of what is no ASCII letter or digit, nor one of a few more signs.
func underscored(more string) func(rune) rune {
	return func(r rune) rune {
		if alphanumeric(r) || strings.ContainsRune("_"+more, r) {
			return r
		}
		return '_'
	}
}

func alphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}
