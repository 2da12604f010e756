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
	for _, text := range texts(err) {
		fmt.Fprintf(s.Err, "%s %s\n", s.paint(red, "error:"), oneLine(text))
	}
	for _, line := range f.Logs {
		fmt.Fprintf(s.Err, "%s %s\n", s.paint(faint, "  |"), oneLine(line))
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

// texts are the lines that an error is shown in: one for each of those that it joins, whatever line breaks
// a registry, a container or a reason has in its own.
func texts(err error) []string {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []string{err.Error()}
	}
	var all, own []string
	for _, e := range joined.Unwrap() {
		all, own = append(all, texts(e)...), append(own, e.Error())
	}
	if strings.Join(own, "\n") != err.Error() {
		return []string{err.Error()} // it says more than those that it joins
	}
	return all
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
