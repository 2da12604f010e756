package ui_test

import (
	"bytes"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"promote/internal/ui"
)

// reported is what stands in the files of a CI after a few values and tables.
func reported(t *testing.T, report func(*ui.Screen)) (outputs, summary, dotenv, said string) {
	t.Helper()
	dir := t.TempDir()
	var out bytes.Buffer
	screen := ui.New(&out, &out, true)
	screen.CI = ui.CI{Outputs: filepath.Join(dir, "outputs"), Summary: filepath.Join(dir, "summary"), Dotenv: filepath.Join(dir, "env")}
	report(screen)
	return contents(screen.CI.Outputs), contents(screen.CI.Summary), contents(screen.CI.Dotenv), out.String()
}

func contents(path string) string {
	data, _ := os.ReadFile(path)
	return string(data)
}

// TestValues: outputs are added, the lines of a dotenv file are replaced, and what others wrote stays.
func TestValues(t *testing.T) {
	outputs, _, dotenv, said := reported(t, func(s *ui.Screen) {
		if err := os.WriteFile(s.CI.Dotenv, []byte("OTHER=1\nPROMOTE_VERSION=v0"), 0o644); err != nil {
			t.Fatal(err)
		}
		s.Values(ui.Value{"version", "v1.4.2"}, ui.Value{"version_core.api-x", "v1.4.2"})
		s.Values(ui.Value{"version", "v1.5.0"})
	})
	if want := "version=v1.4.2\nversion_core_api-x=v1.4.2\nversion=v1.5.0\n"; outputs != want {
		t.Errorf("outputs are\n%s", outputs)
	}
	if want := "OTHER=1\nPROMOTE_VERSION_CORE_API_X=v1.4.2\nPROMOTE_VERSION=v1.5.0\n"; dotenv != want {
		t.Errorf("the dotenv file is\n%s", dotenv)
	}
	if said != "" {
		t.Errorf("it says %s", said)
	}
}

// TestForeignValues: no value begins another one, in any of the files, nor a command where a shell reads
// them.
func TestForeignValues(t *testing.T) {
	outputs, _, dotenv, said := reported(t, func(s *ui.Screen) {
		s.Values(ui.Value{"git_tag", "v1\nversion=v9\r\n"}, ui.Value{"image", "a;$(id)"}, ui.Value{"id", "x"})
	})
	if want := "git_tag=v1 version=v9\nimage=a;$(id)\nid=x\n"; outputs != want {
		t.Errorf("outputs are\n%s", outputs)
	}
	if dotenv != "PROMOTE_ID=x\n" || strings.Count(said, "warning: PROMOTE_") != 2 {
		t.Errorf("the dotenv file is\n%s\nand it says\n%s", dotenv, said)
	}
}

// TestSummary: a table, in which everything foreign is text.
func TestSummary(t *testing.T) {
	foreign := "a|b <img src=x> [x](http://y) `c` **d** @ada www.example.org\n| e | \\| <!-- $m$ ~~s~~ &amp; #1"
	_, summary, _, _ := reported(t, func(s *ui.Screen) {
		s.Summary("deploy "+foreign, []string{"service", "outcome"}, [][]string{{"core", foreign}, {"mailer", "done"}}, foreign)
	})
	lines := strings.Split(summary, "\n")
	text := strings.ReplaceAll(foreign, "\n", " ")
	want := []string{"### deploy " + text, "", "| service | outcome |", "|---|---|", "| core | " + text + " |", "| mailer | done |", "", text, "", ""}
	if got := html.UnescapeString(summary); got != strings.Join(want, "\n") {
		t.Errorf("the summary shows\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if sign := regexp.MustCompile(`&#[0-9]+;|[A-Za-z0-9 ]`).ReplaceAllString(lines[4], ""); sign != "|||" {
		t.Errorf("the row has the signs %q", sign)
	}
}

// TestReportFails: what can't be written is a warning, once a file; what nobody wants is not tried.
func TestReportFails(t *testing.T) {
	_, _, _, said := reported(t, func(s *ui.Screen) {
		dir := filepath.Dir(s.CI.Outputs)
		s.CI = ui.CI{Outputs: dir, Summary: dir, Dotenv: dir}
		s.Values(ui.Value{"version", "v1"})
		s.Summary("x", nil, nil, "")
		s.CI = ui.CI{}
		s.Values(ui.Value{"version", "v1"})
		s.Summary("x", nil, nil, "")
	})
	if strings.Count(said, "warning: ") != 3 || strings.Count(said, "\n") != 3 {
		t.Errorf("it says\n%s", said)
	}
}
