package release

import (
	"fmt"

	"promote/semver"
)

// TakenError is a version that stands for something else already.
type TakenError struct {
	What    string // has it
	Version semver.Version
	// Refused says that the version was asked for by its name, so that another number would not be what is
	// wanted.
	Refused bool
	hint    string
}

func (e *TakenError) Error() string { return fmt.Sprintf("%s is taken: %s", e.Version, e.What) }

// Hint names what to do instead.
func (e *TakenError) Hint() string { return e.hint }

// fixableError says why no release can be made of what is there, and what changes that.
type fixableError struct{ text, hint string }

func (e *fixableError) Error() string { return e.text }

// Hint names what to do about it.
func (e *fixableError) Hint() string { return e.hint }

// errorIf is the error if the condition holds. (A typed nil in an error would not be nil.)
func errorIf(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}
