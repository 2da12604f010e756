package semver

import (
	"reflect"
	"strings"
	"testing"
)

// The messages of the specification's own examples, and what comes near.
func TestParseCommit(t *testing.T) {
	const racing = "Introduce a request id and a reference to latest request. Dismiss\nincoming responses other than from latest request.\n\n" +
		"Remove timeouts which were used to mitigate the racing issue but are\nobsolete now."
	tests := []struct {
		name, message string
		want          Commit
		part          Part
	}{
		{"a footer that breaks", "feat: allow provided config object to extend other configs\n\nBREAKING CHANGE: `extends` key in config file is now used for extending other config files",
			Commit{Type: "feat", Breaking: true, Description: "allow provided config object to extend other configs",
				Footers: []Footer{{"BREAKING CHANGE", "`extends` key in config file is now used for extending other config files"}}}, Major},
		{"!", "feat!: send an email to the customer when a product is shipped",
			Commit{Type: "feat", Breaking: true, Description: "send an email to the customer when a product is shipped"}, Major},
		{"scope and !", "feat(api)!: send an email", Commit{Type: "feat", Scope: "api", Breaking: true, Description: "send an email"}, Major},
		{"! and footer", "chore!: drop support for Node 6\n\nBREAKING CHANGE: use JavaScript features not available in Node 6.",
			Commit{Type: "chore", Breaking: true, Description: "drop support for Node 6",
				Footers: []Footer{{"BREAKING CHANGE", "use JavaScript features not available in Node 6."}}}, Major},
		{"no body", "docs: correct spelling of CHANGELOG", Commit{Type: "docs", Description: "correct spelling of CHANGELOG"}, 0},
		{"scope", "feat(lang): add Polish language", Commit{Type: "feat", Scope: "lang", Description: "add Polish language"}, Minor},
		{"body and footers", "fix: prevent racing of requests\n\n" + racing + "\n\nReviewed-by: Z\nRefs: #123",
			Commit{Type: "fix", Description: "prevent racing of requests", Body: racing, Footers: []Footer{{"Reviewed-by", "Z"}, {"Refs", "#123"}}}, Patch},
		{"revert", "revert: let us never again speak of the noodle incident\n\nRefs: 676104e, a215868",
			Commit{Type: "revert", Description: "let us never again speak of the noodle incident", Footers: []Footer{{"Refs", "676104e, a215868"}}}, Patch},

		{"the other separator", "fix: a\n\nRefs #12\nCloses #13", Commit{Type: "fix", Description: "a", Footers: []Footer{{"Refs", "#12"}, {"Closes", "#13"}}}, Patch},
		{"a value of several lines", "perf: a\n\nBREAKING-CHANGE: one\ntwo\n\nthree\nRefs: #1",
			Commit{Type: "perf", Breaking: true, Description: "a", Footers: []Footer{{"BREAKING-CHANGE", "one\ntwo\n\nthree"}, {"Refs", "#1"}}}, Major},
		{"the text below the colon", "fix: a\n\nBREAKING CHANGE:\nall of it", Commit{Type: "fix", Breaking: true, Description: "a", Footers: []Footer{{"BREAKING CHANGE", "all of it"}}}, Major},
		{"CRLF", "fix(a b): c\r\n\r\nBody\r\n\r\nRefs: #1\r\n", Commit{Type: "fix", Scope: "a b", Description: "c", Body: "Body", Footers: []Footer{{"Refs", "#1"}}}, Patch},
		{"any case but in breaking", "FEAT: a\n\nbreaking-change: b", Commit{Type: "feat", Description: "a", Footers: []Footer{{"breaking-change", "b"}}}, Minor},
		{"breaking in the body is none", "feat: a\n\nThe words\nBREAKING CHANGE: b", Commit{Type: "feat", Description: "a", Body: "The words\nBREAKING CHANGE: b"}, Minor},
		{"small letters break nothing", "feat: a\n\nbreaking change: b", Commit{Type: "feat", Description: "a", Body: "breaking change: b"}, Minor},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, ok := ParseCommit(test.message)
			if !ok || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if part, asks := got.Part(); part != test.part || asks != (part != 0) {
				t.Errorf("asks for %v", part)
			}
		})
	}
}

func TestNotConventional(t *testing.T) {
	for _, message := range []string{
		"", "\n", "feat", "feat:", "feat: ", "feat:add", "feat : add", "feat add: b", "(api): add", "feat(): add", "feat(api: add", "feat(api) : add",
		" feat: add", "Merge branch 'feat: add'", `Revert "feat: add"`, "see feat: add", "Release v1.5.0", "\nfeat: add", "!feat: add", "feat!!: add", "1feat: add",
	} {
		if c, ok := ParseCommit(message); ok {
			t.Errorf("%q is read as %+v", message, c)
		}
	}
}

// FuzzParseCommit holds what is read against the message: nothing is made up, and it reads the same
// again when it is written.
func FuzzParseCommit(f *testing.F) {
	f.Add("feat(api)!: a\n\nbody\n\nRefs #12\nBREAKING CHANGE: b\nc")
	f.Add("fix: a\r\n\r\nBREAKING-CHANGE:\r\nb")
	f.Add("feat: a\nRefs: #1\n\n\n\nRefs: ")
	f.Fuzz(func(t *testing.T, message string) {
		c, ok := ParseCommit(message)
		if !ok {
			return
		}
		first, _, _ := strings.Cut(message, "\n")
		if !strings.Contains(first, c.Description) || !strings.HasPrefix(strings.ToLower(first), c.Type) {
			t.Errorf("%q: %+v", message, c)
		}
		again, ok := ParseCommit(written(c))
		if !ok || again.Type != c.Type || again.Scope != c.Scope || again.Breaking != c.Breaking ||
			again.Description != c.Description || !reflect.DeepEqual(again.Footers, c.Footers) {
			t.Errorf("%q: %+v is read again as %+v", message, c, again)
		}
	})
}

func written(c Commit) string {
	var b strings.Builder
	b.WriteString(c.Type)
	if c.Scope != "" {
		b.WriteString("(" + c.Scope + ")")
	}
	if c.Breaking {
		b.WriteString("!")
	}
	b.WriteString(": " + c.Description + "\n\n")
	for _, f := range c.Footers {
		b.WriteString(f.Token + ": " + f.Value + "\n")
	}
	return b.String()
}
