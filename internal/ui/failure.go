package ui

import (
	"errors"
	"fmt"
	"strings"
)

// Failure is an error as JSON.
type Failure struct {
	Schema int      `json:"schema"`
	Error  string   `json:"error"`
	Hint   string   `json:"hint,omitempty"`
	Logs   []string `json:"logs,omitempty"`
	Exit   int      `json:"exit"`
}

// Error shows an error, what the failed container said last, and what to do about it.
func (s *Screen) Error(err error, exit int) {
	f := describe(err, exit)
	if s.JSON {
		s.Object(f)
		return
	}
	for line := range strings.Lines(f.Error) {
		fmt.Fprintf(s.Err, "%s %s\n", s.paint(red, "error:"), Clean(strings.TrimRight(line, "\n")))
	}
	for _, line := range f.Logs {
		fmt.Fprintf(s.Err, "%s %s\n", s.paint(faint, "  |"), Clean(line))
	}
	for _, hint := range strings.Split(f.Hint, "\n") {
		if hint != "" {
			fmt.Fprintf(s.Err, "%s %s\n", s.paint(yellow, "hint:"), Clean(hint))
		}
	}
}

func describe(err error, exit int) Failure {
	f := Failure{Schema: 1, Error: err.Error(), Exit: exit}
	var logs interface{ LastWords() []string }
	if errors.As(err, &logs) {
		f.Logs = logs.LastWords()
	}
	f.Hint = strings.Join(hints(err), "\n")
	return f
}

// hints collects the advice of an error and of all that it joins, each once.
func hints(err error) []string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []string
		for _, e := range joined.Unwrap() {
			for _, hint := range hints(e) {
				if len(all) == 0 || all[len(all)-1] != hint {
					all = append(all, hint)
				}
			}
		}
		return all
	}
	var hint interface{ Hint() string }
	if errors.As(err, &hint) && hint.Hint() != "" {
		return []string{hint.Hint()}
	}
	return nil
}

// Hint is what to do about an error, or nothing.
func Hint(err error) string { return strings.Join(hints(err), "; ") }
