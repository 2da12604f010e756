package compose

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/xrash/smetrics"
)

// ErrStale says that a file no longer holds what it held when it was read.
var ErrStale = errors.New("the file was changed meanwhile")

// ErrNoService says that a project has no service of that name.
var ErrNoService = errors.New("no such service")

// Error is a version that can't be changed, with the place that stands in the way.
type Error struct {
	File         string
	Line, Column int // from 1, in characters; zero where the file as a whole is meant
	Service      string
	Reason       string
	Advice       string // the way out

	cause error
}

// Error is FILE:LINE:COL: service NAME: reason, without the parts that are not known.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", e.Line, e.Column)
		}
		b.WriteString(": ")
	}
	if e.Service != "" {
		fmt.Fprintf(&b, "service %s: ", e.Service)
	}
	b.WriteString(e.Reason)
	return b.String()
}

// Hint is the way out.
func (e *Error) Hint() string { return e.Advice }

// Unwrap gives what lies beneath, such as [ErrNoService].
func (e *Error) Unwrap() error { return e.cause }

// unknown is the refusal of a service that is not there: it lists those that are, and names the one
// that was most likely meant.
func unknown(name, dir string, known []string) error {
	e := &Error{
		File: dir, Service: name, cause: ErrNoService,
		Reason: "no such service; there are " + strings.Join(known, ", "),
		Advice: "docker compose config --services",
	}
	if len(known) == 0 {
		return e
	}
	distance := func(a string) int { return smetrics.WagnerFischer(name, a, 1, 1, 1) }
	nearest := slices.MinFunc(known, func(a, b string) int { return cmp.Compare(distance(a), distance(b)) })
	if distance(nearest) <= max(1, len(name)/3) {
		e.Advice = "did you mean " + nearest + "?"
	}
	return e
}

func (e *Error) because(cause error) *Error {
	e.cause = cause
	return e
}
