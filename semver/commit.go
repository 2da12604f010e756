package semver

import (
	"slices"
	"strings"
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

// ParseCommit reads a commit message, and whether it is a conventional one. The header is the first
// line. Footers begin at the first paragraph below it whose first line is a footer; BREAKING CHANGE
// counts in capitals only, as the specification has it.
func ParseCommit(message string) (Commit, bool) {
	header, rest, _ := strings.Cut(strings.ReplaceAll(message, "\r\n", "\n"), "\n")
	c, ok := parseHeader(header)
	if !ok {
		return Commit{}, false
	}
	c.Body, c.Footers = splitFooters(rest)
	if _, breaking := c.BreakingNote(); breaking {
		c.Breaking = true
	}
	return c, true
}

// parseHeader reads type(scope)!: description. What only looks like it further on in a line is none.
func parseHeader(line string) (c Commit, ok bool) {
	label, description, _ := strings.Cut(line, ": ")
	label, c.Breaking = strings.CutSuffix(label, "!")
	kind, scope, scoped := strings.Cut(label, "(")
	if scoped {
		c.Scope, ok = strings.CutSuffix(scope, ")")
		if !ok || c.Scope == "" || strings.ContainsAny(c.Scope, "()\r") {
			return c, false
		}
	}
	c.Type, c.Description = strings.ToLower(kind), strings.TrimSpace(description)
	return c, tokenEnd(kind) == len(kind) && kind != "" && c.Description != ""
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
	end := tokenEnd(line)
	if end == 0 {
		return Footer{}, false
	}
	token, rest := line[:end], line[end:]
	if !strings.HasPrefix(rest, ": ") && !strings.HasPrefix(rest, " #") {
		return Footer{}, false
	}
	return Footer{token, rest[1:]}, true
}

// tokenEnd is where a word of letters, digits, - and _ ends that begins with a letter.
func tokenEnd(text string) int {
	for i, r := range text {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || r != '-' && r != '_' && (r < '0' || r > '9')) {
			return i
		}
	}
	return len(text)
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
