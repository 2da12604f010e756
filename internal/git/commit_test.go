package git

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestCommitOnlyItsPaths(t *testing.T) {
	tests := []struct {
		name   string
		paths  []string
		files  []string
		status string // afterwards
	}{
		{"one", []string{"package.json"}, []string{"package.json"}, "M  staged\n M sub/a.txt\n?? loose\n?? new/file"},
		{"a new one", []string{"new/file", "package.json"}, []string{"new/file", "package.json"}, "M  staged\n M sub/a.txt\n?? loose"},
		{"a folder", []string{"new"}, []string{"new/file"}, " M package.json\nM  staged\n M sub/a.txt\n?? loose"},
		{"none", nil, nil, " M package.json\nM  staged\n M sub/a.txt\n?? loose\n?? new/file"},
		{"what is staged", []string{"staged"}, []string{"staged"}, " M package.json\n M sub/a.txt\n?? loose\n?? new/file"},
	}
	for _, test := range tests {
		for _, absolute := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				s := busy(t)
				paths := slices.Clone(test.paths)
				for i := range paths {
					if absolute {
						paths[i] = filepath.Join(s.dir, paths[i])
					}
				}
				before := s.head()
				rev, err := s.repo.Commit(t.Context(), "Release", nil, paths...)
				if err != nil || rev != s.head() || s.git("rev-parse", "HEAD~1") != before {
					t.Fatalf("got %q, %v", rev, err)
				}
				s.same("files", must[[]string](t)(s.repo.ChangedFiles(t.Context(), before, rev)), test.files)
				if got := s.status(); got != test.status {
					t.Errorf("status:\n%s", got)
				}
			})
		}
	}
}

// busy is a checkout in which somebody is at work.
func busy(t *testing.T) *sandbox {
	t.Helper()
	s := newSandbox(t)
	s.write("staged", "1")
	s.git("add", "staged")
	s.git("commit", "-q", "-m", "Second")
	s.write("staged", "2")
	s.git("add", "staged")
	s.write("sub/a.txt", "changed")
	s.write("loose", "")
	s.write("package.json", "1.1.0\n")
	s.write("new/file", "")
	return s
}

func TestCommitFails(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(s *sandbox)
		paths   []string
		want    error
	}{
		{"a hook", func(s *sandbox) { hook(s.T, filepath.Join(s.dir, ".git/hooks"), "pre-commit", "exit 1") }, []string{"new/file", "package.json"}, nil},
		{"nothing changed", func(s *sandbox) { s.write("package.json", "1.0.0\n") }, []string{"package.json"}, ErrUnchanged},
		{"ignored", func(s *sandbox) { s.write(".git/info/exclude", "new\n") }, []string{"new/file"}, nil},
		{"no such file", func(*sandbox) {}, []string{"package.json", "none"}, nil},
		{"an option", func(*sandbox) {}, []string{"--all"}, ErrUnchanged},
		{"a pattern", func(*sandbox) {}, []string{"*"}, ErrUnchanged},
		{"magic", func(*sandbox) {}, []string{":(top)"}, ErrUnchanged},
		{"no path", func(*sandbox) {}, []string{""}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := busy(t)
			test.prepare(s)
			head, status := s.head(), s.status()
			_, err := s.repo.Commit(t.Context(), "Release", nil, test.paths...)
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("got %v", err)
			}
			if s.head() != head || s.status() != status {
				t.Errorf("changed:\n%s\nfrom:\n%s", s.status(), status)
			}
		})
	}
}

// A hook sees what it always sees: only the files of the commit, and patterns that are patterns.
func TestHookRunsAsUsual(t *testing.T) {
	s := busy(t)
	seen := filepath.Join(t.TempDir(), "seen")
	hook(t, filepath.Join(s.dir, ".git/hooks"), "pre-commit", "git diff --cached --name-only -- '*' ':!new' > '"+seen+"'")
	if _, err := s.repo.Commit(t.Context(), "Release", nil, "package.json", "new/file"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(seen); string(got) != "package.json\n" || err != nil {
		t.Errorf("the hook saw %q, %v", got, err)
	}
}

func TestFirstCommit(t *testing.T) {
	s := newLocal(t)
	s.write("a", "")
	s.write("b", "")
	s.git("add", "b")
	if _, err := s.repo.Commit(t.Context(), "First", nil, "a"); err != nil {
		t.Fatal(err)
	}
	if got := s.status(); got != "A  b" {
		t.Errorf("status:\n%s", got)
	}
}

func TestTrailers(t *testing.T) {
	s := newLocal(t)
	s.git("config", "commit.cleanup", "strip")
	given := []Trailer{
		{"Promote-Kind", "deploy"},
		{"Promote-Service", "core"},
		{"Promote-Service", "core"},
		{"Promote-Reason", "# two\nlines\r\nand a: colon\x1e, Ünïcode "},
		{"Promote-Entry", `{"id":"x","note":"a\nb"}`},
	}
	want := slices.Clone(given)
	want[3].Value = "# two lines and a: colon , Ünïcode"
	tests := []struct{ message, subject, body string }{
		{"Release 1", "Release 1", ""},
		{"# Release 2\n\nWhy: because\n", "# Release 2", "Why: because\n\n"},
		{"--amend", "--amend", ""},
	}
	for _, test := range tests {
		t.Run(test.subject, func(t *testing.T) {
			if _, err := s.repo.Commit(t.Context(), test.message, given); err != nil {
				t.Fatal(err)
			}
			last := must[[]Commit](t)(s.repo.Log(t.Context(), "", "HEAD"))[0]
			if !slices.Equal(last.Trailers, want) {
				t.Errorf("trailers %q", last.Trailers)
			}
			body := test.body + "Promote-Kind: deploy\nPromote-Service: core\nPromote-Service: core\nPromote-Reason: # two lines and a: colon , Ünïcode\nPromote-Entry: {\"id\":\"x\",\"note\":\"a\\nb\"}"
			if last.Subject != test.subject || last.Body != body {
				t.Errorf("subject %q, body %q", last.Subject, last.Body)
			}
		})
	}
}

func TestStrangeNames(t *testing.T) {
	for _, name := range []string{"*", ":(top)", "-a", "two\nlines", "Ünï code", `"quoted\`} {
		t.Run(name, func(t *testing.T) {
			s := busy(t)
			before := s.head()
			s.write(name, "")
			status := s.status()
			rev := must[string](t)(s.repo.Commit(t.Context(), "Strange", nil, name))
			s.same("files", must[[]string](t)(s.repo.ChangedFiles(t.Context(), before, rev, name)), []string{name})
			s.write(name, "changed")
			s.same("dirty", must[[]string](t)(s.repo.Dirty(t.Context(), name)), []string{name})
			s.write(name, "")
			if err := s.repo.Undo(t.Context(), rev); err != nil {
				t.Fatal(err)
			}
			s.write(name, "")
			if s.head() != before || s.status() != status {
				t.Errorf("status:\n%s", s.status())
			}
		})
	}
}
