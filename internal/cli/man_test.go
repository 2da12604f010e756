package cli

import (
	"io"
	"strings"
	"testing"
)

// TestManPages: every command that people see has a page, with its sentence, its flags and its exit codes.
func TestManPages(t *testing.T) {
	pages := ManPages("v1.2.3")
	want := []string{"promote.1"}
	for _, c := range testProgram(io.Discard).app().VisibleCommands() {
		name := "promote-" + c.Name + ".1"
		want = append(want, name)
		text := string(pages[name])
		for _, part := range []string{".TH \"PROMOTE-" + strings.ToUpper(c.Name) + "\" \"1\"", "promote v1.2.3", "\n.SH EXAMPLES\n", "\n\\fB130\\fP\n"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s has no %q:\n%s", name, part, text)
			}
		}
		for _, f := range c.VisibleFlags() {
			if !strings.Contains(text, "--"+f.Names()[0]) {
				t.Errorf("%s says nothing of --%s", name, f.Names()[0])
			}
		}
		if !strings.Contains(string(pages["promote.1"]), "promote-"+c.Name) {
			t.Errorf("promote.1 does not name %s", c.Name)
		}
	}
	if len(pages) != len(want) {
		t.Errorf("there are %d pages, want %v", len(pages), want)
	}
}
