package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Place is where something stands in a file. Line and Column count from 1, columns in characters.
type Place struct {
	File         string
	Line, Column int
}

// String gives FILE:LINE:COLUMN, or the file alone where no line is known.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Error is one mistake in the file.
type Error struct {
	Place   Place
	Message string
}

func (e *Error) Error() string { return e.Place.String() + ": " + e.Message }

// Errors is every mistake in the file, in the order of their places, each once.
type Errors struct {
	list []*Error
}

// newErrors sorts the mistakes; what an alias repeated at the same place is kept once.
func newErrors(list []*Error) *Errors {
	slices.SortStableFunc(list, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Place.Line, b.Place.Line), cmp.Compare(a.Place.Column, b.Place.Column))
	})
	seen := map[Error]bool{}
	list = slices.DeleteFunc(list, func(e *Error) bool {
		again := seen[*e]
		seen[*e] = true
		return again
	})
	return &Errors{list: list}
}

// Error gives one line for each mistake.
func (e *Errors) Error() string {
	lines := make([]string, len(e.list))
	for i, one := range e.list {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the mistakes, each an *[Error].
func (e *Errors) Unwrap() []error {
	all := make([]error, len(e.list))
	for i, one := range e.list {
		all[i] = one
	}
	return all
}
