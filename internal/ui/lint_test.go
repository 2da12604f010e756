package ui_test

import (
	"bytes"
	"testing"

	"promote/internal/lint"
	"promote/internal/ui"
)

func TestLint(t *testing.T) {
	lint := ui.NewLint([]lint.Finding{
		{Rule: "cannot-load", Severity: lint.SeverityError, File: "/srv/compose.yaml", Message: "line 2:\nodd\x1b[2J"},
		{Rule: "one-copy", Severity: lint.SeverityNote, Service: "core", File: "/srv/shop/prod/compose.yaml", Line: 3, Column: 5, Message: "a gap", Advice: "mend it"},
		{Rule: "no-restart", Severity: lint.SeverityWarning, Service: "core", File: "/etc/x.yaml", Line: 1, Column: 1, Message: "alone"},
		{Rule: "cannot-load", Severity: lint.SeverityError, File: "/srv/shop", Message: "no file"},
	})
	var out, err bytes.Buffer
	if failed := ui.New(&out, &err, false).Lint(lint, "/srv/shop"); failed != nil {
		t.Fatal(failed)
	}
	want := `../compose.yaml: error: line 2: odd�[2J [cannot-load]
prod/compose.yaml:3:5: note: service core: a gap [one-copy]
    mend it
/etc/x.yaml:1:1: warning: service core: alone [no-restart]
/srv/shop: error: no file [cannot-load]
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if want := "2 errors, 1 warning, 1 note\n"; err.String() != want {
		t.Errorf("got %q want %q", err.String(), want)
	}
}
