package git

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUndoLeavesOtherWorkAlone(t *testing.T) {
	s := busy(t)
	before := s.head()
	s.repo.dir = filepath.Join(s.dir, "sub") // files are named from the root
	rev, err := s.repo.Commit(t.Context(), "Release", nil, "../package.json", "../new/file")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.repo.Undo(t.Context(), rev); err != nil {
		t.Fatal(err)
	}
	if s.head() != before || s.git("symbolic-ref", "HEAD") != "refs/heads/main" {
		t.Errorf("HEAD is %s", s.head())
	}
	if got := s.status(); got != "M  staged\n M sub/a.txt\n?? loose" {
		t.Errorf("status:\n%s", got)
	}
	if got := s.read("package.json") + s.read("sub/a.txt") + s.read("staged"); got != "1.0.0\nchanged2" {
		t.Errorf("content %q", got)
	}
}

func TestUndo(t *testing.T) {
	tests := []struct {
		name   string
		commit func(s *sandbox) string
		gone   string
	}{
		{"a file", func(s *sandbox) string { return s.release("2.0.0") }, ""},
		{"nothing", func(s *sandbox) string { return must[string](s.T)(s.repo.Commit(s.Context(), "Empty", nil)) }, ""},
		{"a removed file", func(s *sandbox) string {
			if err := os.Remove(filepath.Join(s.dir, "package.json")); err != nil {
				s.Fatal(err)
			}
			return must[string](s.T)(s.repo.Commit(s.Context(), "Remove", nil, "package.json"))
		}, ""},
		{"a strange name", func(s *sandbox) string {
			s.write("-x *\n", "")
			return must[string](s.T)(s.repo.Commit(s.Context(), "Strange", nil, "-x *\n"))
		}, "-x *\n"},
		{"detached", func(s *sandbox) string {
			s.git("checkout", "-q", "--detach")
			return s.release("2.0.0")
		}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSandbox(t)
			before := s.head()
			if err := s.repo.Undo(t.Context(), test.commit(s)); err != nil {
				t.Fatal(err)
			}
			if s.head() != before || s.status() != "" || s.read("package.json") != "1.0.0\n" {
				t.Errorf("HEAD is %s, status:\n%s", s.head(), s.status())
			}
			if _, err := os.Lstat(filepath.Join(s.dir, test.gone)); test.gone != "" && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%q is still there: %v", test.gone, err)
			}
		})
	}
}

func TestUndoFirstCommit(t *testing.T) {
	s := newLocal(t)
	s.write("a", "")
	s.write("b", "")
	s.git("add", "b")
	rev := must[string](t)(s.repo.Commit(t.Context(), "First", nil, "a"))
	if err := s.repo.Undo(t.Context(), rev); err != nil {
		t.Fatal(err)
	}
	if _, err := s.repo.Head(t.Context()); !errors.Is(err, ErrNoCommits) {
		t.Errorf("head: %v", err)
	}
	if got := s.status(); got != "A  b" {
		t.Errorf("status:\n%s", got)
	}
}

func TestUndoRefuses(t *testing.T) {
	tests := []struct {
		name    string
		after   func(s *sandbox)
		want    error
		unknown bool
	}{
		{"a newer commit", func(s *sandbox) { s.git("commit", "-q", "--allow-empty", "-m", "Newer") }, ErrMoved, false},
		{"a file that changed since", func(s *sandbox) { s.write("package.json", "mine") }, ErrMoved, false},
		{"a file that was staged since", func(s *sandbox) {
			s.write("package.json", "mine")
			s.git("add", ".")
			s.write("package.json", "2.0.0\n")
		}, ErrMoved, false},
		{"an unknown commit", func(*sandbox) {}, ErrUnknownRevision, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSandbox(t)
			rev := s.release("2.0.0")
			test.after(s)
			if test.unknown {
				rev = "--hard"
			}
			head, status := s.head(), s.status()
			if err := s.repo.Undo(t.Context(), rev); !errors.Is(err, test.want) {
				t.Errorf("got %v", err)
			}
			if s.head() != head || s.status() != status {
				t.Errorf("changed:\n%s", s.status())
			}
		})
	}
}

func TestUndoRefusesMerge(t *testing.T) {
	s := newSandbox(t)
	s.git("checkout", "-q", "-b", "side")
	s.release("2.0.0")
	s.git("checkout", "-q", "main")
	s.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
	if err := s.repo.Undo(t.Context(), s.head()); !errors.Is(err, ErrMoved) {
		t.Errorf("got %v", err)
	}
}

// A lock of another git, taken in the one moment in which it matters, must not be kept quiet.
func TestUndoHalfWay(t *testing.T) {
	s := newSandbox(t)
	before, rev := s.head(), s.release("2.0.0")
	hook(t, filepath.Join(s.dir, ".git/hooks"), "reference-transaction", `test "$1" = committed && : > .git/index.lock; exit 0`)
	err := s.repo.Undo(t.Context(), rev)
	if err == nil || s.head() != before || !strings.Contains(err.Error(), "but not the files package.json") {
		t.Errorf("got %v, HEAD at %s", err, s.head())
	}
	if hint := hintOf(err); !strings.HasPrefix(hint, "rm '") {
		t.Errorf("hint %q", hint)
	}
}
