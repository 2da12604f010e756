package git

import (
	"errors"
	"testing"
)

func TestRemote(t *testing.T) {
	tests := []struct {
		name   string
		config [][]string
		url    string
		source string
	}{
		{"none", nil, "", ""},
		{"the only one", [][]string{{"remote", "add", "github", "git@github.com:aegee/core.git"}},
			"git@github.com:aegee/core.git", "https://github.com/aegee/core"},
		{"origin among others", [][]string{
			{"remote", "add", "fork", "https://example.org/fork"}, {"remote", "add", "origin", "https://example.org/core.git"}},
			"https://example.org/core.git", "https://example.org/core"},
		{"what the branch follows", [][]string{
			{"remote", "add", "origin", "https://example.org/core"}, {"remote", "add", "-x", "ssh://git@example.org:2222/team/core.git/"},
			{"config", "branch.main.remote", "-x"}},
			"ssh://git@example.org:2222/team/core.git/", "https://example.org/team/core"},
		{"a branch that follows another here", [][]string{
			{"remote", "add", "origin", "https://example.org/core"}, {"config", "branch.main.remote", "."}},
			"https://example.org/core", "https://example.org/core"},
		{"a token", [][]string{{"remote", "add", "origin", "https://x:t0ken@example.org/core"}}, "https://example.org/core", "https://example.org/core"},
		{"a token from the configuration", [][]string{
			{"remote", "add", "origin", "https://example.org/core"}, {"config", "url.https://t0ken@example.org/.insteadOf", "https://example.org/"}},
			"https://example.org/core", "https://example.org/core"},
		{"a folder", [][]string{{"remote", "add", "origin", "/srv/core.git"}}, "/srv/core.git", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newLocal(t)
			for _, args := range test.config {
				if args[0] == "remote" {
					s.git("config", "remote."+args[2]+".url", args[3])
					continue
				}
				s.git(args...)
			}
			if got, err := s.repo.RemoteURL(t.Context()); got != test.url || err != nil {
				t.Errorf("url %q, %v", got, err)
			}
			if got, err := s.repo.SourceURL(t.Context()); got != test.source || err != nil {
				t.Errorf("source %q, %v", got, err)
			}
		})
	}
}

func TestAmbiguousRemote(t *testing.T) {
	s := newLocal(t)
	s.git("remote", "add", "a", "/a")
	s.git("remote", "add", "b", "/b")
	_, err := s.repo.RemoteURL(t.Context())
	var ambiguous *AmbiguousRemoteError
	if !errors.As(err, &ambiguous) || hintOf(err) != "git push --set-upstream a HEAD" {
		t.Errorf("got %v, hint %q", err, hintOf(err))
	}
}

func TestSourceURL(t *testing.T) {
	tests := []struct{ location, want string }{
		{"", ""},
		{"git@github.com:aegee/core.git", "https://github.com/aegee/core"},
		{"github.com:/aegee/core", "https://github.com/aegee/core"},
		{"ssh://git:pw@github.com:22/aegee/core.git", "https://github.com/aegee/core"},
		{"git://example.org/core.git", "https://example.org/core"},
		{"https://user@example.org:8443/core.git/", "https://example.org:8443/core"},
		{"http://localhost:3000/core", "http://localhost:3000/core"},
		{"file:///srv/core.git", ""},
		{"/srv/core.git", ""},
		{"../core.git", ""},
		{"./a:b", ""},
		{`C:\core`, ""},
		{"ext::ssh host", ""},
	}
	for _, test := range tests {
		if got := sourceURL(test.location); got != test.want {
			t.Errorf("%s: got %q, want %q", test.location, got, test.want)
		}
	}
}

func TestWithoutSecrets(t *testing.T) {
	tests := []struct{ text, want string }{
		{"fatal: unable to access 'https://ghp_x@github.com/a/b/': no", "fatal: unable to access 'https://github.com/a/b/': no"},
		{"https://u:p@h/x and http://t@h/y", "https://h/x and http://h/y"},
		{"ssh://git@h/x", "ssh://git@h/x"},
		{"ssh://git:pw@h/x", "ssh://git@h/x"},
		{"git@h:x", "git@h:x"},
	}
	for _, test := range tests {
		if got := withoutSecrets(test.text); got != test.want {
			t.Errorf("%s: got %q, want %q", test.text, got, test.want)
		}
	}
}
