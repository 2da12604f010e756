package release

import (
	"slices"
	"strings"
	"testing"
)

// TestChangedServices: linked services change together, the others alone, and a bump is no change.
func TestChangedServices(t *testing.T) {
	t.Parallel()
	w := newWorkspace(t, strings.Replace(withLinks, "linked:", "  mail: {image: REGISTRY/mail, path: mail}\nlinked:", 1))
	for _, name := range []string{"core", "web", "mail"} {
		w.write(name+"/a", "1")
	}
	w.commit("First")
	for _, name := range []string{"core", "web", "mail"} {
		w.git("tag", name+"/v1.0.0")
	}
	changed := func(rev string) []string {
		p := w.open()
		names, err := ChangedServices(t.Context(), p.Linked(p.Config.Services), rev)
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	w.write("mail/a", "2")
	w.commit("Release mail v1.0.1\n\nPromote-Bump: mail v1.0.1")
	if got := changed(""); len(got) > 0 {
		t.Errorf("after a bump: %v", got)
	}
	w.write("web/a", "2")
	w.commit("fix: web")
	if got := changed(""); !slices.Equal(got, []string{"core", "web"}) {
		t.Errorf("after web: %v", got)
	}
	if got := changed("HEAD"); len(got) > 0 {
		t.Errorf("since now: %v", got)
	}
}
