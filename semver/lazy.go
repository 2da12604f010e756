package semver

import (
	"regexp"
	"sync"
)

// lazily is a regular expression that is compiled when it is first needed: a run of a program reads a few kinds of
// files, or none.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
