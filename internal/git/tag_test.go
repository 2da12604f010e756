package git

import (
	"errors"
	"testing"
)

func TestTags(t *testing.T) {
	s := newSandbox(t)
	first := s.head()
	if err := s.repo.CreateTag(t.Context(), "core/v1.0.0", first, "# Release\n\nwith more"); err != nil {
		t.Fatal(err)
	}
	s.git("tag", "v1.0.0")
	s.git("tag", "-a", "-m", "of a tag", "v1.0.0-again", "core/v1.0.0")
	s.git("tag", "tree", "HEAD^{tree}")
	if got := s.git("for-each-ref", "--format=%(contents)", "refs/tags/core/v1.0.0"); got != "# Release\n\nwith more" && got != "# Release\n\nwith more\n" {
		t.Errorf("message %q", got)
	}
	s.git("push", "-q", "--tags")
	s.release("1.0.1")
	s.git("branch", "onlybranch")
	tests := []struct {
		name, tag, rev string
		ok             bool
	}{
		{"annotated", "core/v1.0.0", first, true},
		{"lightweight", "v1.0.0", first, true},
		{"of a tag", "v1.0.0-again", first, true},
		{"missing", "v2.0.0", "", false},
		{"only the folder", "core", "", false},
		{"only the end", "1.0.0", "", false},
		{"an expression", "v1.0.0^{tree}", "", false},
		{"a pattern", "v*", "", false},
		{"an option", "--all", "", false},
		{"a branch", "onlybranch", "", false},
		{"no name", "", "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for where, ask := range map[string]func() (string, bool, error){
				"here":   func() (string, bool, error) { return s.repo.Tag(t.Context(), test.tag) },
				"remote": func() (string, bool, error) { return s.repo.RemoteTag(t.Context(), test.tag) },
			} {
				if rev, ok, err := ask(); rev != test.rev || ok != test.ok || err != nil {
					t.Errorf("%s: got %q, %v, %v", where, rev, ok, err)
				}
			}
		})
	}
	if _, _, err := s.repo.Tag(t.Context(), "tree"); err == nil {
		t.Error("a tag of a tree has no commit")
	}
	s.same("all", must[[]string](t)(s.repo.Tags(t.Context(), "")), []string{"core/v1.0.0", "tree", "v1.0.0", "v1.0.0-again"})
	s.same("prefix", must[[]string](t)(s.repo.Tags(t.Context(), "core/")), []string{"core/v1.0.0"})
	s.same("none", must[[]string](t)(s.repo.Tags(t.Context(), "x")), nil)
}

func TestTagTwice(t *testing.T) {
	s := newSandbox(t)
	steps := []struct {
		name string
		do   func() error
		ok   bool
	}{
		{"create", func() error { return s.repo.CreateTag(t.Context(), "v1", "HEAD", "one") }, true},
		{"again", func() error { return s.repo.CreateTag(t.Context(), "v1", "HEAD", "two") }, false},
		{"an option", func() error { return s.repo.CreateTag(t.Context(), "--delete", "v1", "x") }, false},
		{"unknown revision", func() error { return s.repo.CreateTag(t.Context(), "v2", "none", "x") }, false},
		{"delete", func() error { return s.repo.DeleteTag(t.Context(), "v1") }, true},
		{"delete again", func() error { return s.repo.DeleteTag(t.Context(), "v1") }, false},
	}
	for _, step := range steps {
		err := step.do()
		var failed *Error
		if (err == nil) != step.ok || err != nil && !errors.As(err, &failed) {
			t.Errorf("%s: %v", step.name, err)
		}
	}
}

func TestRemoteTagWithoutRemote(t *testing.T) {
	s := newLocal(t)
	if rev, ok, err := s.repo.RemoteTag(t.Context(), "v1"); rev != "" || ok || err != nil {
		t.Errorf("got %q, %v, %v", rev, ok, err)
	}
	if err := s.repo.Fetch(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestTagsInHead(t *testing.T) {
	s := newSandbox(t)
	s.git("tag", "v1.0.0")
	s.git("tag", "-a", "-m", "Annotated", "core/v1.0.0")
	s.git("switch", "-q", "-c", "release")
	s.git("commit", "-q", "--allow-empty", "-m", "Elsewhere")
	s.git("tag", "v2.0.0")
	s.git("switch", "-q", "main")
	s.same("tags", must[[]string](t)(s.repo.TagsInHead(t.Context())), []string{"core/v1.0.0", "v1.0.0"})
	s.same("some", must[[]string](t)(s.repo.TagsInHead(t.Context(), "v2.0.0", "v1.0.0", "v3.0.0")), []string{"v1.0.0"})
	if none := must[[]string](t)(newLocal(t).repo.TagsInHead(t.Context())); len(none) > 0 {
		t.Errorf("without a commit: %v", none)
	}
}
