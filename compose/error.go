package compose

import (
	"errors"
	"fmt"
	"strings"
)

// ErrStale says that a file no longer holds what it held when it was read.
var ErrStale = errors.New("the file was changed meanwhile")

// ErrNoService says that a project has no service of that name.
var ErrNoService = errors.New("no such service")

// Error is a version that can't be changed, with the place that stands in the way.
type Error struct {
	File         string
	Line, Column int // from 1; zero where the file as a whole is meant
	Service      string
	Reason       string
	Advice       string // the way out
}

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
