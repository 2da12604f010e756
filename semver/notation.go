package semver

import (
	"errors"
	"strings"
)

// notation is how versions are spelled where that is not as in Semantic Versioning. What it reads, it
// writes in the same way: otherwise a change and the change back would not give the same bytes. (That of
// a lock file may read more than its normal form, since tools write no other.)
type notation struct {
	read  func(string) (Version, error)
	write func(Version) (string, error)
}

// spelled finds the places of a finder, where versions are spelled in a notation.
func spelled(n *notation, find finder) finder {
	return func(d *document) ([]scalar, error) {
		found, err := find(d)
		for i := range found {
			found[i].spelled = n
		}
		return found, err
	}
}

func (n *notation) parse(text string) (Version, error) {
	if n == nil {
		return Parse(text)
	}
	return n.read(text)
}

// format writes a version in place of an old one: with a v in front if that had it.
func (n *notation) format(v Version, old string) (text string, err error) {
	text = v.Number()
	if n != nil {
		text, err = n.write(v)
	}
	if strings.HasPrefix(old, "v") {
		text = "v" + text
	}
	return text, err
}

// notationError is a version that a notation can't spell, and what to write instead.
type notationError struct{ reason, advice string }

func (e *notationError) Error() string { return e.reason }

// misspelled is an error about a place whose notation does not know a version.
func (d *document) misspelled(s scalar, err error) *Error {
	var e *notationError
	if errors.As(err, &e) {
		return d.fail(s.start, e.advice, "%s", e.reason)
	}
	return d.fail(s.start, "write it as 1.4.2", "%v", err)
}
