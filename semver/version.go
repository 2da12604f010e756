package semver

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	masterminds "github.com/Masterminds/semver/v3"
)

// Version is a version of Semantic Versioning 2.0.0. It is a comparable value; the zero Version is no
// version. Two versions that differ in build metadata only are different values of the same precedence.
type Version struct{ number string } // without the leading v, valid

// Parse reads a version, with or without a leading v. It is strict: three numbers without leading
// zeros, as SemVer 2.0.0 has it.
func Parse(s string) (Version, error) {
	number := strings.TrimPrefix(s, "v")
	if _, err := masterminds.StrictNewVersion(number); err != nil {
		return Version{}, fmt.Errorf("%q is not a version: %w", s, plain(err))
	}
	return Version{number}, nil
}

// plain shortens what the library says of a version to what is wrong with it.
func plain(err error) error {
	switch {
	case errors.Is(err, masterminds.ErrEmptyString):
		return errors.New("it is empty")
	case errors.Is(err, masterminds.ErrSegmentStartsZero):
		return errors.New("a number starts with 0")
	case errors.Is(err, masterminds.ErrInvalidSemVer), errors.Is(err, masterminds.ErrInvalidCharacters):
		return errors.New("it should look like v1.4.2")
	}
	return err
}

// MustParse is Parse for versions that are written in a program. It panics at a mistake.
func MustParse(s string) Version {
	v, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return v
}

// FromTag reads an image tag as a version. Tags such as 1.5, latest or a commit are not versions. A tag
// can't hold a plus sign; build metadata stands behind an underscore instead.
func FromTag(tag string) (Version, bool) {
	v, err := Parse(strings.Replace(tag, "_", "+", 1))
	return v, err == nil
}

// String is the version as promote types and shows it, v1.4.2; empty for the zero Version.
func (v Version) String() string {
	if v.IsZero() {
		return ""
	}
	return "v" + v.number
}

// Number is the version without the leading v.
func (v Version) Number() string { return v.number }

// Tag is the version as an image tag. The plus sign of build metadata is not allowed there and becomes
// an underscore.
func (v Version) Tag() string { return strings.Replace(v.String(), "+", "_", 1) }

// IsZero reports whether there is no version.
func (v Version) IsZero() bool { return v.number == "" }

// Stable reports whether the version is a final one: there is a version, and it is no prerelease.
func (v Version) Stable() bool { return !v.IsZero() && v.parsed().Prerelease() == "" }

// Compare orders versions by SemVer 2.0.0, section 11: rc.9 before rc.10, a prerelease before its
// final, build metadata ignored. The zero Version is before all others.
func (v Version) Compare(w Version) int {
	switch {
	case v.IsZero() && w.IsZero():
		return 0
	case v.IsZero():
		return -1
	case w.IsZero():
		return 1
	}
	return v.parsed().Compare(w.parsed())
}

// Less reports whether v is before w.
func (v Version) Less(w Version) bool { return v.Compare(w) < 0 }

// Sort orders versions from the lowest to the highest.
func Sort(versions []Version) { slices.SortFunc(versions, Version.Compare) }

// MarshalText writes the version as String does.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote; nothing is the zero Version.
func (v *Version) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*v = Version{}
		return nil
	}
	*v, err = Parse(string(text))
	return err
}

func (v Version) parsed() *masterminds.Version {
	if v.IsZero() {
		return &masterminds.Version{}
	}
	return masterminds.MustParse(v.number)
}

// Part is a part of a version that can be bumped.
type Part int

// The parts of a version.
const (
	Major Part = iota + 1
	Minor
	Patch
)

var parts = map[Part]string{Major: "major", Minor: "minor", Patch: "patch"}

// ParsePart reads major, minor or patch.
func ParsePart(s string) (Part, bool) {
	for part, name := range parts {
		if s == name {
			return part, true
		}
	}
	return 0, false
}

func (p Part) String() string { return parts[p] }

// Bump is the next version by a part. As with npm, a prerelease becomes its own final version where
// that is a bump of the part already: v2.0.0-rc.1 bumped by major, minor or patch is v2.0.0, and
// v1.5.0-rc.1 bumped by major is v2.0.0. Build metadata is dropped.
func (v Version) Bump(p Part) Version {
	old := v.parsed()
	final := *masterminds.New(old.Major(), old.Minor(), old.Patch(), "", "")
	if old.Prerelease() != "" && isBumpOf(final, p) {
		return Version{final.String()}
	}
	var next masterminds.Version
	switch p {
	case Major:
		next = final.IncMajor()
	case Minor:
		next = final.IncMinor()
	default:
		next = final.IncPatch()
	}
	return Version{next.String()}
}

// isBumpOf reports whether a version is what bumping some earlier one by the part gives.
func isBumpOf(v masterminds.Version, p Part) bool {
	switch p {
	case Major:
		return v.Minor() == 0 && v.Patch() == 0
	case Minor:
		return v.Patch() == 0
	}
	return true
}
