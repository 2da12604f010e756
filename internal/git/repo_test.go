package git

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestOpen(t *testing.T) {
	s := newSandbox(t)
	outside := t.TempDir()
	tests := []struct {
		name, dir, root string
		want            error
	}{
		{"top", s.dir, s.dir, nil},
		{"below", filepath.Join(s.dir, "sub"), s.dir, nil},
		{"outside", outside, "", ErrNotRepository},
		{"bare", s.remote, "", ErrNotRepository},
		{"missing", filepath.Join(outside, "none"), "", fs.ErrNotExist},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			repo, err := Open(t.Context(), test.dir)
			if !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			if err == nil && repo.Root() != test.root {
				t.Errorf("root is %s", repo.Root())
			}
		})
	}
}

func TestEmptyRepository(t *testing.T) {
	s := newLocal(t)
	if _, err := s.repo.Head(t.Context()); !errors.Is(err, ErrNoCommits) {
		t.Errorf("head: %v", err)
	}
	if branch, err := s.repo.Branch(t.Context()); branch != "main" || err != nil {
		t.Errorf("branch %q, %v", branch, err)
	}
	s.write("new", "")
	s.same("dirty", must[[]string](t)(s.repo.Dirty(t.Context())), []string{"new"})
	if log, err := s.repo.Log(t.Context(), "", "HEAD"); len(log) != 0 || err != nil {
		t.Errorf("log %v, %v", log, err)
	}
	if files, err := s.repo.ChangedFiles(t.Context(), "", "HEAD"); len(files) != 0 || err != nil {
		t.Errorf("files %v, %v", files, err)
	}
}

func TestBranch(t *testing.T) {
	s := newSandbox(t)
	s.git("tag", "main") // a tag of the same name must not make it heads/main
	tests := []struct {
		name, want string
		at         []string
	}{
		{"as cloned", "main", nil},
		{"with a slash", "fix/it", []string{"checkout", "-q", "-b", "fix/it"}},
		{"detached", "", []string{"checkout", "-q", "--detach"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.at != nil {
				s.git(test.at...)
			}
			if got, err := s.repo.Branch(t.Context()); got != test.want || err != nil {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	if head, err := s.repo.Head(t.Context()); head != s.head() || err != nil {
		t.Errorf("head %q, %v", head, err)
	}
}

func TestDirty(t *testing.T) {
	s := newSandbox(t)
	s.write(".gitignore", "*.log\n")
	s.write("kept", "")
	s.write("moved", "the same words before and after\n")
	s.git("add", ".")
	s.git("commit", "-q", "-m", "More")
	s.git("config", "status.showUntrackedFiles", "no")
	s.git("config", "status.renames", "copies")
	if dirty, err := s.repo.Dirty(t.Context()); len(dirty) != 0 || err != nil {
		t.Fatalf("clean: %q, %v", dirty, err)
	}
	s.git("mv", "moved", "renamed")
	s.write("a.log", "")
	s.write("deep/two words\n*", "")
	s.write("sub/a.txt", "changed")
	s.write("staged", "")
	s.git("add", "staged")
	below := &Repo{dir: filepath.Join(s.dir, "sub"), root: s.dir}
	tests := []struct {
		name  string
		repo  *Repo
		paths []string
		want  []string
	}{
		{"all", s.repo, nil, []string{"moved", "renamed", "staged", "sub/a.txt", "deep/two words\n*"}},
		{"a folder", s.repo, []string{"sub"}, []string{"sub/a.txt"}},
		{"a clean file", s.repo, []string{"kept"}, nil},
		{"a star is a star", s.repo, []string{"s*"}, nil},
		{"not an option", s.repo, []string{"--ignored"}, nil},
		{"relative to where it was opened", below, []string{"a.txt"}, []string{"sub/a.txt"}},
		{"above where it was opened", below, []string{"../staged"}, []string{"staged"}},
		{"absolute", below, []string{filepath.Join(s.dir, "staged")}, []string{"staged"}},
		{"all from below", below, nil, []string{"moved", "renamed", "staged", "sub/a.txt", "deep/two words\n*"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.same("dirty", must[[]string](t)(test.repo.Dirty(t.Context(), test.paths...)), test.want)
		})
	}
}

func TestUser(t *testing.T) {
	s := newLocal(t)
	if got := s.repo.User(t.Context()); got != "Ada <ada@example.org>" {
		t.Errorf("got %q", got)
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", os.Getenv("HOME"))
	s.git("config", "user.useConfigOnly", "true")
	if got := s.repo.User(t.Context()); got != "" {
		t.Errorf("nobody is %q", got)
	}
	_, err := s.repo.Commit(t.Context(), "Nobody", nil)
	if hint := hintOf(err); !strings.Contains(hint, "git config --global user.name") {
		t.Errorf("%v has the hint %q", err, hint)
	}
}

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

func TestShallow(t *testing.T) {
	s := newSandbox(t)
	first := s.head()
	s.release("1.0.1")
	s.git("push", "-q")
	dir := filepath.Join(t.TempDir(), "shallow")
	runGit(t, s.dir, "clone", "-q", "--depth=1", "file://"+s.remote, dir)
	cut := must[*Repo](t)(Open(t.Context(), dir))
	for repo, want := range map[*Repo]bool{s.repo: false, cut: true} {
		if got, err := repo.IsShallow(t.Context()); got != want || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
	}
	_, err := cut.Log(t.Context(), first, "HEAD")
	if !errors.Is(err, ErrUnknownRevision) || hintOf(err) != "git fetch --unshallow --tags" {
		t.Errorf("got %v, hint %q", err, hintOf(err))
	}
	_, err = s.repo.ChangedFiles(t.Context(), "v9", "HEAD")
	if !errors.Is(err, ErrUnknownRevision) || hintOf(err) != "git fetch --tags" {
		t.Errorf("got %v, hint %q", err, hintOf(err))
	}
}

func TestCancel(t *testing.T) {
	s := newLocal(t)
	ctx, cancel := context.WithCancel(t.Context())
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	hook(t, filepath.Join(s.dir, ".git/hooks"), "pre-commit", "echo running > '"+pipe+"'; cat '"+pipe+"'; exit 1")
	failed := make(chan error)
	go func() {
		_, err := s.repo.Commit(ctx, "Never", nil)
		failed <- err
	}()
	if _, err := os.ReadFile(pipe); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := os.WriteFile(pipe, nil, 0); err != nil { // a hook outlives its git
		t.Fatal(err)
	}
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, ".git/index.lock")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("index.lock stayed: %v", err)
	}
}

func TestErrorWords(t *testing.T) {
	tests := []struct{ name, stderr, want, hint string }{
		{"fatal", "warning: x\nfatal: bad thing\n", "bad thing", ""},
		{"the end says nothing", "ssh: connect to host h port 22: Connection refused\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n",
			"ssh: connect to host h port 22: Connection refused", ""},
		{"a hook", "lint: 3 problems\nerror: failed to push some refs to '/r'\n", "lint: 3 problems", ""},
		{"only noise", "fatal: Could not read from remote repository.\n", "Could not read from remote repository.", ""},
		{"nothing", "", "exit status 3", ""},
		{"owner", "fatal: detected dubious ownership in repository at '/srv/app'\nTo add an exception\n", "detected dubious ownership in repository at '/srv/app'", "git config --global --add safe.directory '/srv/app'"},
		{"lock", "fatal: Unable to create '/srv/app/.git/index.lock': File exists.\n", "Unable to create '/srv/app/.git/index.lock': File exists.", "rm '/srv/app/.git/index.lock', if no other git is running"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := &Error{Args: []string{"push"}, ExitCode: 3, Stderr: test.stderr}
			if err.Error() != "git push: "+test.want || err.Hint() != test.hint {
				t.Errorf("got %q, hint %q", err, err.Hint())
			}
		})
	}
}
