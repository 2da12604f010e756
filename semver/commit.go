package semver

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Commit is the message of a commit that keeps to Conventional Commits 1.0.0
// (https://www.conventionalcommits.org/en/v1.0.0/).
type Commit struct {
	Type        string // in lower case: feat, fix, docs, …
	Scope       string // what stands in parentheses behind the type; empty without
	Breaking    bool   // by ! or by a footer
	Description string
	Body        string
	Footers     []Footer
}

// Footer is a line at the end of a commit message: "Reviewed-by: Z", "Refs #12". The value may go on in
// the lines that follow.
type Footer struct{ Token, Value string }

// commitHeader is anchored: what only looks like a header further on in a line is none.
var commitHeader = regexp.MustCompile(`^([A-Za-z][\w-]*)(?:\(([^()\r\n]+)\))?(!)?: +(\S.*)$`)

// ParseCommit reads a commit message, and whether it is a conventional one. The header is the first
// line. Footers begin at the first paragraph below it whose first line is a footer; BREAKING CHANGE
// counts in capitals only, as the specification has it.
func ParseCommit(message string) (Commit, bool) {
	header, rest, _ := strings.Cut(strings.ReplaceAll(message, "\r\n", "\n"), "\n")
	m := commitHeader.FindStringSubmatch(strings.TrimRightFunc(header, unicode.IsSpace))
	if m == nil {
		return Commit{}, false
	}
	c := Commit{Type: strings.ToLower(m[1]), Scope: m[2], Breaking: m[3] != "", Description: m[4]}
	c.Body, c.Footers = splitFooters(rest)
	if _, breaking := c.BreakingNote(); breaking {
		c.Breaking = true
	}
	return c, true
}

// splitFooters divides what stands below the header: a blank line first, or it is all body.
func splitFooters(rest string) (body string, footers []Footer) {
	lines := strings.Split(rest, "\n")
	for i := 1; i < len(lines); i++ {
		if _, ok := parseFooter(lines[i]); ok && strings.TrimSpace(lines[i-1]) == "" {
			return strings.TrimSpace(strings.Join(lines[:i], "\n")), parseFooters(lines[i:])
		}
	}
	return strings.TrimSpace(rest), nil
}

func parseFooters(lines []string) (footers []Footer) {
	for _, line := range lines {
		if f, ok := parseFooter(line); ok {
			footers = append(footers, f)
			continue
		}
		last := &footers[len(footers)-1]
		last.Value += "\n" + line
	}
	for i := range footers {
		footers[i].Value = strings.TrimSpace(footers[i].Value)
	}
	return footers
}

// parseFooter reads the first line of a footer. The text of a breaking change may also begin in the next
// line, where git has stripped the blank behind the colon.
func parseFooter(line string) (Footer, bool) {
	for _, token := range breakingTokens {
		if value, ok := strings.CutPrefix(line, token+":"); ok && (value == "" || value[0] == ' ') {
			return Footer{token, value}, true
		}
	}
	end := strings.IndexFunc(line, func(r rune) bool { return !isTokenRune(r) })
	if end <= 0 || line[0] == '-' {
		return Footer{}, false
	}
	token, rest := line[:end], line[end:]
	return Footer{token, rest[1:]}, strings.HasPrefix(rest, ": ") || strings.HasPrefix(rest, " #")
}

func isTokenRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_'
}

var breakingTokens = []string{"BREAKING CHANGE", "BREAKING-CHANGE"}

// BreakingNote is what a footer says about the change that breaks something, and whether there is such
// a footer.
func (c Commit) BreakingNote() (note string, ok bool) {
	for _, f := range c.Footers {
		if slices.Contains(breakingTokens, f.Token) {
			return f.Value, true
		}
	}
	return "", false
}

// Part is the part of a version that the commit asks to bump: major for a breaking change, minor for
// feat, patch for fix, perf and revert. Other types ask for nothing.
func (c Commit) Part() (Part, bool) {
	if c.Breaking {
		return Major, true
	}
	switch c.Type {
	case "feat":
		return Minor, true
	case "fix", "perf", "revert":
		return Patch, true
	}
	return 0, false
}

// InInitial is the part that is bumped in place of p while the major version is 0. Anything may change
// then (SemVer 2.0.0, section 4): a breaking change is a minor one, and nothing leaves 0.x by itself.
func (p Part) InInitial() Part {
	if p == Major {
		return Minor
	}
	return p
}
