package notes

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"promote/internal/git"
)

func TestGroups(t *testing.T) {
	var commits []git.Commit
	for _, message := range []string{
		"feat: a", "feat(api)!: b\n\nBREAKING CHANGE: c\nd", "fix: e", "fix(security): f", "security: g", "perf: h", "revert: i", "deprecate: j", "remove: k",
		"refactor: l", "refactor!: m", "plain", "Merge branch 'x'", "feat: merged\n\nwith a body", "fix: \x1b[31mred\x1b]0;title\a \u202eturned\u200b",
	} {
		subject, body, _ := strings.Cut(message, "\n\n")
		commits = append(commits, git.Commit{Subject: subject, Body: body, Hash: "0123456789"})
	}
	var got []string
	for _, g := range Groups(commits, Forge{}) {
		for _, e := range g.Entries {
			got = append(got, g.Title+": "+e.Text())
		}
	}
	want := []string{
		"Added: Breaking: api: b: c d", "Added: a", "Added: merged",
		"Changed: Breaking: m", "Changed: h", "Changed: revert i",
		"Deprecated: j", "Removed: k", "Fixed: e", "Fixed: [31mred ]0;title turned", "Security: security: f", "Security: g",
		"Other: l", "Other: plain",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if groups := ForUsers(Groups(commits, Forge{})); groups[len(groups)-1].Title != "Security" {
		t.Errorf("for users: %v", groups[len(groups)-1].Title)
	}
}

func TestForge(t *testing.T) {
	tests := []struct{ page, commit, compare, issue, request string }{
		{"https://github.com/aegee/core", "/commit/c0ffee", "/compare/core/v1.0.0...v%231", "/issues/12", ""},
		{"https://github.example.org/aegee/core", "/commit/c0ffee", "/compare/core/v1.0.0...v%231", "/issues/12", ""},
		{"https://gitlab.example.org/group/sub/core", "/-/commit/c0ffee", "/-/compare/core/v1.0.0...v%231", "/-/issues/12", "/-/merge_requests/12"},
		{"https://bitbucket.org/aegee/core", "/commits/c0ffee", "/branches/compare/v%231%0Dcore/v1.0.0", "/pull-requests/12", ""},
		{"https://gitea.example.org/aegee/core", "/commit/c0ffee", "/compare/core/v1.0.0...v%231", "/issues/12", ""},
		{"https://codeberg.org/aegee/core", "/commit/c0ffee", "/compare/core/v1.0.0...v%231", "/issues/12", ""},
	}
	for _, test := range tests {
		f := ForgeOf(test.page)
		if got, want := fmt.Sprint(f.Commit("c0ffee"), f.Compare("core/v1.0.0", "v#1"), f.Reference("#12")),
			fmt.Sprint(test.page+test.commit, test.page+test.compare, test.page+test.issue); got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
		if got := strings.TrimPrefix(f.Reference("!12"), test.page); got != test.request {
			t.Errorf("%s: merge request at %q", test.page, got)
		}
	}
	for _, page := range []string{"", "https://example.org/aegee/core", "https://bitbucket.example.org/scm/aegee/core", "file:///github.com", "git@github.com:a/b"} {
		if f := ForgeOf(page); f.Commit("c0ffee")+f.Compare("a", "b")+f.Reference("#1") != "" {
			t.Errorf("%q is taken for a known one", page)
		}
	}
	if got := ForgeOf("https://user:secret@github.com/a/b").Commit("c"); strings.Contains(got, "secret") {
		t.Errorf("it tells a secret: %s", got)
	}
}

func TestEscape(t *testing.T) {
	references := []Reference{{"#12", "https://x/12"}, {"#1", "https://x/(1)"}}
	tests := []struct{ text, want string }{
		{"add [a](b) and <b>", `add \[a\](b) and \<b>`},
		{"keep `[code]` and ``a`b``", "keep `[code]` and ``a`b``"},
		{"an open ` stays [text]", "an open \\` stays \\[text\\]"},
		{`a \[b`, `a \\\[b`},
		{"close (#12), #1 and #3", "close ([#12](https://x/12)), [#1](https://x/%281%29) and #3"},
		{"core#12 is another's, `#12` is code", "core#12 is another's, `#12` is code"},
		{"# no title", `\# no title`},
		{"#12 first", "[#12](https://x/12) first"},
		{"1. no list", `1\. no list`},
		{"1.5.0 is out", "1.5.0 is out"},
		{"- no list", `\- no list`},
		{"> no quote", `\> no quote`},
		{"--- no line", `\--- no line`},
		{"snake_case * 2", "snake_case * 2"},
		{"for @ada and @org/team, not ada@example.org or `@types/node`", "for @\u200bada and @\u200borg/team, not ada@example.org or `@types/node`"},
	}
	for _, test := range tests {
		if got := Escape(test.text, references...); got != test.want {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
	}
}

// FuzzEscape takes code and what is escaped away again, as a reader of Markdown does from left to right:
// nothing that makes a link or HTML is left, and the text is all there.
func FuzzEscape(f *testing.F) {
	f.Add("`a [b](c) `` <d>` \\` [x]")
	f.Add("1. \\\\` ` <")
	markup := regexp.MustCompile("^(?:\\\\[\\\\\\[\\]<`#+*>~=.)-]|[^\\\\\\[\\]<`]|\\\\[^\\\\\\[\\]<`])")
	f.Fuzz(func(t *testing.T, text string) {
		text = clean(text[:min(len(text), 500)])
		rest := Escape(text)
		if strings.NewReplacer(`\`, "", "\u200b", "").Replace(rest) != strings.ReplaceAll(text, `\`, "") {
			t.Fatalf("%q became %q", text, rest)
		}
		for rest != "" {
			if ticked := len(rest) - len(strings.TrimLeft(rest, "`")); ticked > 0 {
				_, _, behind := cutCode(rest)
				if behind == "" && strings.Trim(rest, "`") == rest {
					t.Fatalf("%q: an open backtick in %q", text, rest)
				}
				if len(behind) == len(rest) {
					t.Fatalf("%q: %q", text, rest)
				}
				rest = behind
				continue
			}
			m := markup.FindString(rest)
			if m == "" {
				t.Fatalf("%q: markup at %q", text, rest)
			}
			rest = rest[len(m):]
		}
	})
}
