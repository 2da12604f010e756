package semver

import (
	"slices"
)

var (
	// gradleText is what can hold a brace or a quote in Groovy and Kotlin: strings and comments.
	gradleText = lazily(`(?s)"""(?:\\.|.)*?"""|'''(?:\\.|.)*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|//[^\n]*|/\*.*?\*/`)
	// gradleVersion is version = "1.4.2" in both languages, and version '1.4.2' in Groovy.
	gradleVersion = lazily(`(?m)(?:^|;)[ \t]*(?:project\.)?version(?:[ \t]*=[ \t]*|[ \t]+)["']([^"'\n]*)["'][ \t\r]*(?:;|$)`)
)

// gradleFile finds the version of a build.gradle or build.gradle.kts: the project's own, which is set
// outside of any block. Plugins and dependencies have theirs within.
func gradleFile(d *document) ([]scalar, error) {
	c := readCode(d, gradleText())
	found := c.matches(gradleVersion(), 0, len(c.data))
	return slices.DeleteFunc(found, func(s scalar) bool { return c.depth(s.start-1) > 0 }), nil
}
