package semver

import (
	"fmt"
	"regexp"
	"strings"
)

const placeholder = "{version}"

// Template is how a version is written as a tag: v{version}, core/v{version}, {version}-alpine. The zero
// Template is v{version}.
type Template struct{ text string }

// ParseTemplate reads a template. It has {version} in it once.
func ParseTemplate(s string) (Template, error) {
	if strings.Count(s, placeholder) != 1 {
		return Template{}, fmt.Errorf("%q does not have %s in it once", s, placeholder)
	}
	return Template{s}, nil
}

// String is the template as it was written.
func (t Template) String() string {
	if t.text == "" {
		return "v" + placeholder
	}
	return t.text
}

// Format writes a version as a tag. A plus sign becomes an underscore.
func (t Template) Format(v Version) string {
	return strings.Replace(t.String(), placeholder, strings.Replace(v.Number(), "+", "_", 1), 1)
}

// Parse reads a tag that was written by the template, and whether it was. Where the template puts a v
// before the version, a tag without that v is the same version.
func (t Template) Parse(tag string) (Version, bool) {
	before, after, _ := strings.Cut(t.String(), placeholder)
	number, ends := strings.CutSuffix(tag, after)
	bare, starts := strings.CutPrefix(number, before)
	if !starts {
		bare, starts = strings.CutPrefix(number, strings.TrimSuffix(before, "v"))
	}
	if !ends || !starts || strings.HasPrefix(bare, "v") {
		return Version{}, false
	}
	return FromTag(bare)
}

// MarshalText writes the template as String does.
func (t Template) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (t *Template) UnmarshalText(text []byte) (err error) {
	*t, err = ParseTemplate(string(text))
	return err
}

// tagGrammar is that of OCI distribution 1.1, section "Pulling manifests".
var tagGrammar = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// ValidTag says what is wrong with an image tag, if anything is.
func ValidTag(tag string) error {
	if !tagGrammar.MatchString(tag) {
		return fmt.Errorf("%q can't be an image tag: letters, digits, _ . - only, 128 at most, and no . or - in front", tag)
	}
	return nil
}
