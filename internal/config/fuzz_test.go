package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse: no bytes make Parse panic, every mistake is one line that begins with the file, and what is
// accepted has its defaults.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", "testdata/mistakes/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Add([]byte("services: &a {a: *a, <<: *a}"))
	f.Add([]byte("\ufeffservices:\r\n  ? [a]\r\n  : !x &b *b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parse("f", data, variables("A", "a"))
		if err != nil {
			checkErrors(t, err)
			return
		}
		for _, s := range c.Services {
			if s.Image == "" || s.Path == "" || len(s.Runs) == 0 {
				t.Errorf("service without its defaults: %+v", s)
			}
		}
		for _, e := range c.Environments {
			if e.Engine == "" || e.Project == "" || e.Rollout.Strategy == "" || e.Rollout.Monitor <= 0 {
				t.Errorf("environment without its defaults: %+v", e)
			}
		}
	})
}

func checkErrors(t *testing.T, err error) {
	var all *Errors
	if !errors.As(err, &all) {
		t.Fatalf("not *Errors: %v", err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(all.Unwrap()) || !utf8.ValidString(err.Error()) {
		t.Fatalf("%d mistakes in %d lines: %q", len(all.Unwrap()), len(lines), err)
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, "f:") {
			t.Errorf("without a place: %q", line)
		}
	}
}

// FuzzQuoted: whatever a value is, it is read back the same.
func FuzzQuoted(f *testing.F) {
	for _, s := range []string{"a", "true", "yes", "1.10", "a: b", "- a", "$", "${A}", "é", "\"", "'", "#", "a #b", "\u2028", "0x1", "~", "", "<", "=", "2001-01-01", "a\tb", "\u0085"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if s == "" || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Skip()
		}
		data := Write(Draft{
			Services:     []DraftService{{Name: "a", Image: "a"}},
			Environments: []DraftEnvironment{{Name: "e", Project: s, Compose: []string{s, "z" + s}}},
		})
		c, err := Parse("f", data, variables())
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		e := c.Environments[0]
		if e.Project != s || e.Compose[0] != s || e.Compose[1] != "z"+s {
			t.Errorf("got %q %q, want %q\n%s", e.Project, e.Compose, s, data)
		}
	})
}
