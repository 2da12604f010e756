// Package notes tells people what changed: release notes of a range of commits, in text, in Markdown
// and for templates of the user's own, and the section of a version in a changelog.
//
// It only shapes what it is given: it reads no repository and writes no file. What comes from a commit
// is cleaned where it enters: no control character of it reaches a terminal, and in Markdown it can
// neither end a link nor begin a block. A changelog keeps every byte that stood in it before.
package notes

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"promote/internal/git"
	"promote/semver"
)

// Notes are what changed between two revisions. It is the data of templates, and with its JSON names
// that of programs.
type Notes struct {
	Schema  int     `json:"schema"`
	Service string  `json:"service"`
	From    string  `json:"from"`              // a version, or a revision as it was typed; empty for the beginning
	To      string  `json:"to"`                // likewise
	Date    string  `json:"date"`              // of To: 2026-11-21
	Compare string  `json:"compare,omitempty"` // address of the page that compares both
	Groups  []Group `json:"groups"`            // those with entries only
}

// Group are the changes of one sort, the breaking ones first, else newest first.
type Group struct {
	Title   string  `json:"title"` // Added, Changed, Deprecated, Removed, Fixed, Security or Other
	Entries []Entry `json:"entries"`
}

// Entry is the change of one commit.
type Entry struct {
	Type        string      `json:"type"` // feat, fix, …; empty for a commit that is not conventional
	Scope       string      `json:"scope,omitempty"`
	Description string      `json:"description"`
	Breaking    bool        `json:"breaking"`
	Note        string      `json:"note,omitempty"` // what the footer BREAKING CHANGE says
	Hash        string      `json:"hash"`
	Author      string      `json:"author"`
	URL         string      `json:"url,omitempty"` // of the commit's page
	References  []Reference `json:"references,omitempty"`
}

// Reference is an issue or a pull request that the description names.
type Reference struct {
	Text string `json:"text"` // #12, !12
	URL  string `json:"url,omitempty"`
}

// Other is the group of what neither adds, changes nor mends anything for users.
const Other = "Other"

// titles are the groups of Keep a Changelog 1.1.0, in its order, and the rest.
var titles = []string{"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", Other}

// Groups sorts commits into groups. Merges whose message is not conventional are left out: the commits
// on both sides speak for themselves.
func Groups(commits []git.Commit, forge Forge) []Group {
	byTitle := map[string][]Entry{}
	for _, c := range commits {
		title, entry := entryOf(c, forge)
		if entry.Type == "" && strings.HasPrefix(c.Subject, "Merge ") {
			continue
		}
		byTitle[title] = append(byTitle[title], entry)
	}
	groups := []Group{}
	for _, title := range titles {
		entries := byTitle[title]
		slices.SortStableFunc(entries, func(a, b Entry) int { return rank(a) - rank(b) })
		if len(entries) > 0 {
			groups = append(groups, Group{title, entries})
		}
	}
	return groups
}

func rank(e Entry) int {
	if e.Breaking {
		return 0
	}
	return 1
}

// ForUsers are the groups without that of Other.
func ForUsers(groups []Group) []Group {
	return slices.DeleteFunc(slices.Clone(groups), func(g Group) bool { return g.Title == Other })
}

func entryOf(c git.Commit, forge Forge) (title string, e Entry) {
	e = Entry{Description: clean(c.Subject), Hash: c.Hash, Author: clean(c.Author), URL: forge.Commit(c.Hash)}
	title = Other
	if parsed, ok := semver.ParseCommit(c.Subject + "\n\n" + c.Body); ok {
		title = titleOf(parsed)
		note, _ := parsed.BreakingNote()
		e.Type, e.Scope, e.Breaking = parsed.Type, clean(parsed.Scope), parsed.Breaking
		e.Description, e.Note = clean(parsed.Description), clean(note)
	}
	if e.Type == "revert" {
		e.Description = "revert " + e.Description
	}
	for _, text := range reference.FindAllString(e.Description, -1) {
		e.References = append(e.References, Reference{text, forge.Reference(text)})
	}
	return title, e
}

func titleOf(c semver.Commit) string {
	switch {
	case c.Type == "security", c.Type == "fix" && c.Scope == "security":
		return "Security"
	case c.Type == "fix":
		return "Fixed"
	case c.Type == "feat":
		return "Added"
	case c.Type == "deprecate":
		return "Deprecated"
	case c.Type == "remove":
		return "Removed"
	case c.Type == "perf", c.Type == "revert", c.Breaking:
		return "Changed"
	}
	return Other
}

// reference is the number of an issue or a pull request, on GitLab that of a merge request.
var reference = regexp.MustCompile(`\B[#!]\d+\b`)

// clean makes one line of what a commit says, without what would move the cursor, hide text or turn its
// direction around.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
