package release

import (
	"strings"
	"testing"
)

// TestNotes: what a range stands for, by what is typed.
func TestNotes(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, tagsOnly)
	for _, step := range []struct{ commit, tag string }{
		{"First", "v1.0.0"}, {"fix: one", "v1.1.0-rc.1"}, {"fix: two", "v1.1.0"}, {"fix: three", ""},
	} {
		w.commit(step.commit)
		if step.tag != "" {
			w.git("tag", step.tag)
		}
	}
	p := w.open()
	for typed, want := range map[string][3]string{ // from, to, and what was fixed
		"":               {"v1.1.0", unreleased, "three"},
		"v1.1.0":         {"v1.0.0", "v1.1.0", "two one"}, // a stable version tells of its prereleases
		"1.1.0-rc.1":     {"v1.0.0", "v1.1.0-rc.1", "one"},
		"v1.1.0-rc.1..":  {"v1.1.0-rc.1", unreleased, "three two"},
		"v1.0.0..HEAD~1": {"v1.0.0", "HEAD~1", "two one"},
	} {
		n, err := p.Service(p.Config.Services[0]).Notes(t.Context(), typed)
		var fixed []string
		for _, g := range n.Groups {
			for _, e := range g.Entries {
				if e.Type == "fix" {
					fixed = append(fixed, e.Description)
				}
			}
		}
		if got := [3]string{n.From, n.To, strings.Join(fixed, " ")}; got != want || err != nil {
			t.Errorf("%q: %v %v, want %v", typed, got, err, want)
		}
	}
	for _, typed := range []string{"v1.0.0...v1.1.0", "nonsense", "v9.0.0..", "v1.0.0..v9.0.0"} {
		_, err := p.Service(p.Config.Services[0]).Notes(t.Context(), typed)
		if hint, ok := err.(interface{ Hint() string }); !ok || hint.Hint() == "" {
			t.Errorf("%q: %v", typed, err)
		}
	}
}
