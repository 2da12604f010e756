package semver

import (
	"errors"
	"fmt"
)

// ErrNoVersion says that a file is well-formed but holds no version that can be used: there is none, it
// is not a string, it is not of Semantic Versioning, or it stands in several places.
var ErrNoVersion = errors.New("the file holds no version")

// ErrStale says that a file no longer holds what it held when it was read.
var ErrStale = errors.New("the file was changed meanwhile")

// Error is a version that can't be read or written, with the place that stands in the way.
type Error struct {
	File         string // relative to the root folder
	Line, Column int    // from 1; the column counts characters
	Reason       string
	Advice       string // the way out
	syntax       bool   // the file is not well-formed
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Reason)
}

// Hint is the way out.
func (e *Error) Hint() string { return e.Advice }

// Is reports the error as ErrNoVersion, unless the file is not well-formed.
func (e *Error) Is(target error) bool { return target == ErrNoVersion && !e.syntax }
