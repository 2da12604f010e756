package semver

import (
	"fmt"

	masterminds "github.com/Masterminds/semver/v3"
)

// Range is a set of versions, such as >=1.0.0 <2.0.0, ^1.4, ~1.4.2 or 1.x. The zero Range is every
// final version. A prerelease is only in a range that names one (>=1.0.0-0).
type Range struct{ text string }

// ParseRange reads a range in the syntax of Masterminds/semver, which is that of npm and Cargo.
func ParseRange(s string) (Range, error) {
	if _, err := masterminds.NewConstraint(s); err != nil {
		return Range{}, fmt.Errorf("%q is not a range of versions, such as >=1.0.0 or ^1.4", s)
	}
	return Range{s}, nil
}

// String is the range as it was written.
func (r Range) String() string { return r.text }

// Allows reports whether a version is in the range.
func (r Range) Allows(v Version) bool {
	if v.IsZero() {
		return false
	}
	if r.text == "" {
		return v.Stable()
	}
	constraint, err := masterminds.NewConstraint(r.text)
	return err == nil && constraint.Check(v.parsed())
}

// MarshalText writes the range as String does.
func (r Range) MarshalText() ([]byte, error) { return []byte(r.text), nil }

// UnmarshalText reads what MarshalText wrote; nothing is the zero Range.
func (r *Range) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*r = Range{}
		return nil
	}
	*r, err = ParseRange(string(text))
	return err
}

// Latest is the highest of the versions that are in the range.
func Latest(versions []Version, r Range) (latest Version, found bool) {
	for _, v := range versions {
		if latest.Less(v) && r.Allows(v) {
			latest, found = v, true
		}
	}
	return latest, found
}
