package git

import (
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func subjects(commits []Commit) []string {
	var list []string
	for _, c := range commits {
		list = append(list, c.Subject)
	}
	return list
}

func TestLog(t *testing.T) {
	s := newSandbox(t)
	s.git("tag", "v1.0.0")
	s.write("sub/a.txt", "b")
	t.Setenv("GIT_COMMITTER_DATE", "2026-11-21T06:12:03+02:00")
	s.git("commit", "-q", "-a", "--author", "Grace <grace@example.org>", "-m", "feat: b\n\nBREAKING CHANGE: all\nof it\n\nFixes: #1\nReviewed-by: A\n  and B")
	s.release("1.1.0")
	s.git("config", "log.showSignature", "true")
	s.git("config", "log.follow", "true")
	s.git("config", "diff.relative", "true")
	below := &Repo{dir: filepath.Join(s.dir, "sub"), root: s.dir}
	tests := []struct {
		name     string
		repo     *Repo
		from, to string
		paths    []string
		log      []string
		files    []string
	}{
		{"all", s.repo, "", "HEAD", nil, []string{"Release 1.1.0", "feat: b", "First"}, []string{"package.json", "sub/a.txt"}},
		{"to the end", s.repo, "v1.0.0", "", nil, []string{"Release 1.1.0", "feat: b"}, []string{"package.json", "sub/a.txt"}},
		{"between", s.repo, "v1.0.0", "HEAD~1", nil, []string{"feat: b"}, []string{"sub/a.txt"}},
		{"nothing between", s.repo, "HEAD", "HEAD", nil, nil, nil},
		{"back", s.repo, "HEAD", "v1.0.0", nil, nil, []string{"package.json", "sub/a.txt"}},
		{"a folder", s.repo, "v1.0.0", "HEAD", []string{"sub"}, []string{"feat: b"}, []string{"sub/a.txt"}},
		{"this folder", below, "v1.0.0", "HEAD", []string{"."}, []string{"feat: b"}, []string{"sub/a.txt"}},
		{"from below", below, "v1.0.0", "HEAD", nil, []string{"Release 1.1.0", "feat: b"}, []string{"package.json", "sub/a.txt"}},
		{"an option", s.repo, "v1.0.0", "HEAD", []string{"--all"}, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			log := must[[]Commit](t)(test.repo.Log(t.Context(), test.from, test.to, test.paths...))
			s.same("log", subjects(log), test.log)
			messages := must[[]Commit](t)(test.repo.Messages(t.Context(), test.from, test.to, test.paths...))
			s.same("messages", subjects(messages), test.log)
			files := must[[]string](t)(test.repo.ChangedFiles(t.Context(), test.from, test.to, test.paths...))
			s.same("files", files, test.files)
		})
	}
	c := must[[]Commit](t)(s.repo.Log(t.Context(), "HEAD~2", "HEAD~1"))[0]
	if c.Hash != s.git("rev-parse", "HEAD~1") || c.Author != "Grace" || c.Email != "grace@example.org" ||
		!c.Time.Equal(time.Date(2026, 11, 21, 4, 12, 3, 0, time.UTC)) {
		t.Errorf("got %+v", c)
	}
	if parent := s.git("rev-parse", "HEAD~2"); !slices.Equal(c.Parents, []string{parent}) {
		t.Errorf("parents %q, want %s", c.Parents, parent)
	}
	if c.Body != "BREAKING CHANGE: all\nof it\n\nFixes: #1\nReviewed-by: A\n  and B" {
		t.Errorf("body %q", c.Body)
	}
	if len(c.Trailers) != 2 || c.Trailers[0] != (Trailer{"Fixes", "#1"}) || c.Trailers[1] != (Trailer{"Reviewed-by", "A and B"}) {
		t.Errorf("trailers %q", c.Trailers)
	}
}

// TestLogOfMerges looks at a branch whose change was undone by the merge: its commits were made all the same.
func TestLogOfMerges(t *testing.T) {
	s := newSandbox(t)
	s.git("switch", "-q", "-c", "topic")
	s.write("sub/a.txt", "topic")
	s.git("commit", "-q", "-a", "-m", "feat: topic")
	s.git("switch", "-q", "main")
	s.write("package.json", "1.0.1")
	s.git("commit", "-q", "-a", "-m", "fix: main")
	s.git("merge", "-q", "--no-ff", "--strategy=ours", "-m", "Merge", "topic")
	log := subjects(must[[]Commit](t)(s.repo.Log(t.Context(), "HEAD~2", "", "sub")))
	if !slices.Contains(log, "feat: topic") || slices.Contains(log, "fix: main") {
		t.Errorf("got %q", log)
	}
}

func TestUnknownRevision(t *testing.T) {
	s := newSandbox(t)
	for _, revision := range []string{"none", "--all", "-n1", "HEAD~9", "v1..v2"} {
		_, logged := s.repo.Log(t.Context(), revision, "HEAD")
		_, changed := s.repo.ChangedFiles(t.Context(), "HEAD", revision)
		for _, err := range []error{logged, changed} {
			if hintOf(err) != "git fetch --tags" {
				t.Errorf("%s: %v", revision, err)
			}
		}
	}
}
