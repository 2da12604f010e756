package config

import (
	"fmt"
	"regexp"
	"strings"
)

// reference matches what begins with a dollar and means something: `$$`, `${NAME}`, or a `${` that
// names nothing. Every other dollar is itself, so that a regular expression may end with one.
var reference = regexp.MustCompile(`\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{[^}]*\}?`)

// expand replaces ${NAME} by what lookup knows and `$$` by a dollar. Each reference that can't be
// replaced is one error.
func expand(value string, lookup func(string) (string, bool)) (string, []error) {
	if !strings.Contains(value, "$") {
		return value, nil
	}
	var errs []error
	expanded := reference.ReplaceAllStringFunc(value, func(match string) string {
		replacement, err := variable(match, lookup)
		if err != nil {
			errs = append(errs, err)
		}
		return replacement
	})
	return expanded, errs
}

func variable(match string, lookup func(string) (string, bool)) (string, error) {
	if match == "$$" {
		return "$", nil
	}
	name := reference.FindStringSubmatch(match)[1]
	if name == "" {
		return "", fmt.Errorf("%q is not a variable: write ${NAME}, or $${ for the characters themselves", shortened(match))
	}
	value, ok := lookup(name)
	if !ok {
		return "", &unsetError{name}
	}
	return value, nil
}

// unsetError is a variable that lookup doesn't know.
type unsetError struct{ name string }

func (e *unsetError) Error() string {
	return fmt.Sprintf("the environment variable %s is not set", e.name)
}
