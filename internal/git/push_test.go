package git

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// remoteRefs is all that the remote has.
func (s *sandbox) remoteRefs() string {
	s.Helper()
	return runGit(s.T, s.remote, "for-each-ref", "--format=%(refname) %(objectname)")
}

func TestPush(t *testing.T) {
	s := newSandbox(t)
	rev := s.release("1.1.0")
	for _, tag := range []string{"v1.1.0", "main", "other"} {
		if err := s.repo.CreateTag(t.Context(), tag, rev, tag); err != nil {
			t.Fatal(err)
		}
	}
	s.git("config", "push.followTags", "true")
	s.git("config", "remote.origin.push", "refs/heads/*:refs/heads/elsewhere/*")
	before := s.remoteRefs()
	if err := s.repo.CanPush(t.Context(), "main", "refs/tags/v1.1.0"); err != nil {
		t.Fatal(err)
	}
	if after := s.remoteRefs(); after != before {
		t.Errorf("CanPush changed the remote: %s", after)
	}
	for range 2 { // the second has nothing to do
		if err := s.repo.Push(t.Context(), "refs/tags/v1.1.0", "main"); err != nil {
			t.Fatal(err)
		}
	}
	want := "refs/heads/main " + rev + "\nrefs/tags/v1.1.0 " + s.git("rev-parse", "v1.1.0")
	if got := s.remoteRefs(); got != want {
		t.Errorf("the remote has\n%s\nwant\n%s", got, want)
	}
}

// Two take the same number. One gets it; the other leaves nothing in the remote, and nothing behind.
func TestRaceForTag(t *testing.T) {
	first := newSandbox(t)
	second := first.clone()
	before := second.head()
	revisions := map[*sandbox]string{}
	for _, s := range []*sandbox{first, second} {
		s.write("CHANGES.md", s.dir)
		rev := must[string](t)(s.repo.Commit(t.Context(), "Release from "+s.dir, nil, "CHANGES.md"))
		if err := s.repo.CreateTag(t.Context(), "v1.1.0", rev, "v1.1.0"); err != nil {
			t.Fatal(err)
		}
		revisions[s] = rev
	}
	results := map[*sandbox]chan error{first: make(chan error, 1), second: make(chan error, 1)}
	for s, result := range results {
		go func() { result <- s.repo.Push(t.Context(), "refs/tags/v1.1.0", "refs/heads/main") }()
	}
	var winner, loser *sandbox
	for s, result := range results {
		if err := <-result; err == nil {
			winner = s
		} else if loser = s; !errors.Is(err, ErrRejected) {
			t.Errorf("the loser got %v", err)
		}
	}
	if winner == nil || loser == nil {
		t.Fatalf("won: %v, lost: %v", winner != nil, loser != nil)
	}
	want := "refs/heads/main " + revisions[winner] + "\nrefs/tags/v1.1.0 " + winner.git("rev-parse", "v1.1.0")
	if got := winner.remoteRefs(); got != want {
		t.Errorf("the remote has\n%s\nwant\n%s", got, want)
	}
	if err := errors.Join(loser.repo.DeleteTag(t.Context(), "v1.1.0"), loser.repo.Undo(t.Context(), revisions[loser])); err != nil {
		t.Fatal(err)
	}
	if loser.head() != before || loser.status() != "" {
		t.Errorf("the loser is at %s: %s", loser.head(), loser.status())
	}
	if err := loser.repo.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rev, ok, err := loser.repo.Tag(t.Context(), "v1.1.0"); rev != revisions[winner] || !ok || err != nil {
		t.Errorf("after a fetch the tag is %q, %v, %v", rev, ok, err)
	}
}

func TestPushRefused(t *testing.T) {
	tests := []struct {
		name    string
		prepare func(s *sandbox)
		refs    []string
		want    error
		words   string
		hint    string
		before  bool // CanPush knows it too
	}{
		{"behind", func(s *sandbox) { s.faster("1.0.1") },
			[]string{"main", "refs/tags/v1"}, ErrRejected, "main fetch first", "git pull --rebase", true},
		{"behind, and nothing new", func(s *sandbox) { s.faster("1.0.1"); s.git("reset", "-q", "--hard", "HEAD~1") },
			[]string{"main"}, ErrRejected, "main fetch first", "git pull --rebase", true},
		{"the tag exists", func(s *sandbox) { runGit(s.T, s.remote, "tag", "v1", "main") },
			[]string{"main", "refs/tags/v1"}, ErrRejected, "v1 already exists", "git fetch --tags", true},
		{"a hook declines", func(s *sandbox) {
			hook(s.T, s.remote+"/hooks", "pre-receive", "echo 'error: GH006: main is protected' >&2; exit 1")
		},
			[]string{"main", "refs/tags/v1"}, ErrDenied, "GH006: main is protected", "git push --dry-run origin", false},
		{"a hook declines one", func(s *sandbox) { hook(s.T, s.remote+"/hooks", "update", `test "$1" != refs/tags/v1`) },
			[]string{"main", "refs/tags/v1"}, ErrDenied, "v1 hook declined", "git push --dry-run origin", false},
		{"somebody faster meanwhile", func(s *sandbox) {
			hook(s.T, s.remote+"/hooks", "pre-receive", "unset GIT_QUARANTINE_PATH; git update-ref refs/tags/v1 refs/heads/main")
		}, []string{"main", "refs/tags/v1"}, ErrRejected, "v1", "git pull --rebase", false},
		{"gone", func(s *sandbox) { s.git("config", "remote.origin.url", s.remote+".gone") },
			[]string{"main"}, ErrUnreachable, "does not appear to be a git repository", "git ls-remote origin", true},
		{"no route", func(s *sandbox) { s.git("config", "remote.origin.url", "http://localhost:1/x") },
			[]string{"main"}, ErrUnreachable, "ailed to connect", "git ls-remote origin", true},
		{"a key that is not accepted", func(s *sandbox) {
			s.git("config", "remote.origin.url", "ssh://git@example.org/x")
			s.git("config", "core.sshCommand", "echo 'git@example.org: Permission denied (publickey).' >&2; false")
		}, []string{"main"}, ErrDenied, "Permission denied (publickey)", "git push --dry-run origin", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSandbox(t)
			rev := s.release("1.1.0")
			if err := s.repo.CreateTag(t.Context(), "v1", rev, "v1"); err != nil {
				t.Fatal(err)
			}
			test.prepare(s)
			before := s.remoteRefs()
			if err := s.repo.CanPush(t.Context(), test.refs...); errors.Is(err, test.want) != test.before {
				t.Errorf("CanPush: %v", err)
			}
			err := s.repo.Push(t.Context(), test.refs...)
			var failed *Error
			if !errors.Is(err, test.want) || !errors.As(err, &failed) || !strings.Contains(err.Error(), test.words) || hintOf(err) != test.hint {
				t.Errorf("got %v, hint %q", err, hintOf(err))
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("several lines: %q", err)
			}
			if after := s.remoteRefs(); after != before && test.name != "somebody faster meanwhile" {
				t.Errorf("the remote has\n%s\nbefore\n%s", after, before)
			}
		})
	}
}

// faster pushes from another checkout.
func (s *sandbox) faster(version string) {
	s.Helper()
	other := s.clone()
	other.release(version)
	other.git("push", "-q")
}

func TestPushNothing(t *testing.T) {
	s := newSandbox(t)
	var none *NoBranchError
	for _, refs := range [][]string{nil, {""}, {"refs/tags/v1", ""}} {
		if err := s.repo.Push(t.Context(), refs...); !errors.As(err, &none) {
			t.Errorf("%q: %v", refs, err)
		}
	}
	for _, ref := range []string{"--force", "+main", ":main", "none"} {
		before := s.remoteRefs()
		if err := s.repo.Push(t.Context(), ref); err == nil || s.remoteRefs() != before {
			t.Errorf("%s was pushed", ref)
		}
	}
	if err := newLocal(t).repo.Push(t.Context(), "main"); !errors.Is(err, ErrNoRemote) {
		t.Errorf("without a remote: %v", err)
	}
}

func TestPrePushHook(t *testing.T) {
	s := newSandbox(t)
	s.release("1.1.0")
	hook(t, filepath.Join(s.dir, ".git/hooks"), "pre-push", "echo 'tests fail' >&2; exit 1")
	if err := s.repo.CanPush(t.Context(), "main"); err != nil {
		t.Errorf("a dry run runs no hook: %v", err)
	}
	var failed *Error
	if err := s.repo.Push(t.Context(), "main"); !errors.As(err, &failed) || err.Error() != "git push: tests fail" {
		t.Errorf("got %v", err)
	}
}

func TestFetch(t *testing.T) {
	s := newSandbox(t)
	other := s.clone()
	rev := other.release("1.1.0")
	other.git("tag", "v1.1.0")
	other.git("push", "-q", "--tags", "origin", "main")
	if err := s.repo.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := s.repo.Tag(t.Context(), "v1.1.0"); got != rev || !ok || err != nil {
		t.Errorf("got %q, %v, %v", got, ok, err)
	}
	s.git("tag", "--force", "v1.1.0", "HEAD")
	if err := s.repo.Fetch(t.Context()); err == nil || hintOf(err) != "git fetch --tags --force" {
		t.Errorf("a tag that differs: %v, hint %q", err, hintOf(err))
	}
}

func TestContactKind(t *testing.T) {
	tests := []struct {
		stderr string
		want   error
	}{
		{"ssh: Could not resolve hostname h: Name or service not known\nfatal: Could not read from remote repository.", ErrUnreachable},
		{"Host key verification failed.\nfatal: Could not read from remote repository.", ErrUnreachable},
		{"kex_exchange_identification: read: Connection reset by peer", ErrUnreachable},
		{"fatal: unable to access 'https://h/': The requested URL returned error: 503", ErrUnreachable},
		{"fatal: the remote end hung up unexpectedly", ErrUnreachable},
		{"git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository.", ErrDenied},
		{"remote: Permission to a/b.git denied to ada.\nfatal: unable to access 'https://h/': The requested URL returned error: 403", ErrDenied},
		{"ERROR: Repository not found.\nfatal: Could not read from remote repository.", ErrDenied},
		{"fatal: could not read Username for 'https://h': terminal prompts disabled", ErrDenied},
		{"remote: You are not allowed to push code to this project.", ErrDenied},
		{"error: src refspec refs/heads/x does not match any", nil},
	}
	for _, test := range tests {
		if got := contactKind(test.stderr); got != test.want {
			t.Errorf("%s: got %v", test.stderr, got)
		}
	}
}
