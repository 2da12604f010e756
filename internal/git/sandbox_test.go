package git

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sandbox is a checkout of a bare remote, with a home of its own, so that nobody's configuration has a say.
type sandbox struct {
	*testing.T
	repo   *Repo
	dir    string
	remote string
}

// newSandbox has one commit, pushed to origin.
func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	home(t)
	s := &sandbox{T: t, remote: filepath.Join(t.TempDir(), "remote.git")}
	runGit(t, filepath.Dir(s.remote), "init", "-q", "--bare", s.remote)
	s.dir = filepath.Join(t.TempDir(), "checkout")
	runGit(t, filepath.Dir(s.dir), "clone", "-q", s.remote, s.dir)
	s.open()
	s.write("package.json", "1.0.0\n")
	s.write("sub/a.txt", "a\n")
	s.git("add", ".")
	s.git("commit", "-q", "-m", "First")
	s.git("push", "-q", "origin", "main")
	return s
}

// newLocal is a repository without commits and without a remote.
func newLocal(t *testing.T) *sandbox {
	t.Helper()
	home(t)
	s := &sandbox{T: t, dir: t.TempDir()}
	s.git("init", "-q")
	s.open()
	return s
}

// home is an empty home directory with a committer.
func home(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	for _, name := range []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"} { // set where the tests run in a hook
		t.Setenv(name, "")
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	config := "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
	if err := os.WriteFile(filepath.Join(dir, ".gitconfig"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *sandbox) open() {
	s.Helper()
	repo, err := Open(context.Background(), s.dir)
	if err != nil {
		s.Fatal(err)
	}
	s.repo = repo
}

// clone is another checkout of the same remote.
func (s *sandbox) clone() *sandbox {
	s.Helper()
	other := &sandbox{T: s.T, dir: filepath.Join(s.TempDir(), "other"), remote: s.remote}
	runGit(s.T, filepath.Dir(other.dir), "clone", "-q", s.remote, other.dir)
	other.open()
	return other
}

func (s *sandbox) git(args ...string) string {
	s.Helper()
	return runGit(s.T, s.dir, args...)
}

func runGit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimRight(string(out), "\n")
}

func (s *sandbox) write(name, content string) {
	s.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.Fatal(err)
	}
}

func (s *sandbox) read(name string) string {
	s.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil {
		s.Fatal(err)
	}
	return string(data)
}

// hook installs a hook of the user's, or of the remote's.
func hook(t *testing.T, hooks, name, script string) {
	t.Helper()
	if err := os.MkdirAll(hooks, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(hooks, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
}

func (s *sandbox) head() string { s.Helper(); return s.git("rev-parse", "HEAD") }

// status is what git says about everything that is not committed.
func (s *sandbox) status() string { s.Helper(); return s.git("status", "--porcelain", "-uall") }

// release commits a change of the version file, as a bump does.
func (s *sandbox) release(version string) string {
	s.Helper()
	s.write("package.json", version+"\n")
	rev, err := s.repo.Commit(s.Context(), "Release "+version, nil, "package.json")
	if err != nil {
		s.Fatal(err)
	}
	return rev
}

func (s *sandbox) same(what string, got, want []string) {
	s.Helper()
	if !slices.Equal(got, want) {
		s.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
