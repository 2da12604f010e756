package ui

import (
	"fmt"
	"path/filepath"
	"strings"

	"promote/internal/lint"
	"promote/internal/promotion"
)

// Lint is what `promote lint` answers.
type Lint struct {
	Schema   int            `json:"schema"`
	Findings []lint.Finding `json:"findings"`
	Errors   int            `json:"errors"`
	Warnings int            `json:"warnings"`
	Notes    int            `json:"notes"`
}

// NewLint counts findings.
func NewLint(findings []lint.Finding) Lint {
	l := Lint{Schema: promotion.Schema, Findings: append([]lint.Finding{}, findings...)} // none is an empty list, not null
	for _, f := range findings {
		switch f.Severity {
		case lint.SeverityError:
			l.Errors++
		case lint.SeverityWarning:
			l.Warnings++
		default:
			l.Notes++
		}
	}
	return l
}

// Lint shows findings as compilers do, so that editors and CI find the places. Paths are relative to
// dir where that is shorter.
func (s *Screen) Lint(answer Lint, dir string) error {
	if s.JSON {
		return s.Object(answer)
	}
	for _, f := range answer.Findings {
		fmt.Fprintln(s.Out, oneLine(findingText(f, dir)))
		if f.Advice != "" {
			fmt.Fprintln(s.Out, "    "+oneLine(f.Advice))
		}
	}
	s.Say("%s, %s, %s", count(answer.Errors, "error"), count(answer.Warnings, "warning"), count(answer.Notes, "note"))
	return nil
}

func findingText(f lint.Finding, dir string) string {
	var b strings.Builder
	b.WriteString(shorter(f.File, dir))
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	fmt.Fprintf(&b, ": %s: ", f.Severity)
	if f.Service != "" {
		fmt.Fprintf(&b, "service %s: ", f.Service)
	}
	fmt.Fprintf(&b, "%s [%s]", f.Message, f.Rule)
	return b.String()
}

// shorter is a path relative to dir, or the path itself where that is shorter. The directory itself
// keeps its name: nobody recognizes a dot.
func shorter(path, dir string) string {
	if relative, err := filepath.Rel(dir, path); err == nil && len(relative) < len(path) && relative != "." {
		return relative
	}
	return path
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
