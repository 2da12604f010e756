package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCompletion: in the place of ENV come environments, in that of SERVICE services, and flags
// everywhere; without a configuration there are only flags.
func TestCompletion(t *testing.T) {
	file := filepath.Join(t.TempDir(), "promote.yaml")
	text := "services:\n  core: {image: aegee/core}\n  mailer: {image: aegee/mailer}\nenvironments:\n  staging: {project: .}\n  prod: {project: .}\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	const environments, services = "prod staging", "core mailer"
	for line, want := range map[string]string{
		"deploy":              environments,
		"deploy prod":         services,
		"deploy prod core":    services,
		"pin":                 environments,
		"pin prod":            services,
		"rollback prod":       services,
		"unpin prod":          services,
		"history":             environments,
		"show":                environments,
		"show prod":           "",
		"resume":              environments,
		"resume prod":         "",
		"status":              environments,
		"status prod":         environments,
		"data":                environments,
		"data prod":           environments,
		"data prod staging":   "",
		"gc":                  environments,
		"gc prod":             environments,
		"bump":                "auto core mailer major minor patch",
		"publish":             services,
		"versions":            services,
		"completion":          "bash fish zsh",
		"demo":                "",
		"deploy --quiet":      environments,
		"deploy --quiet prod": services,
	} {
		words := completed(t, "--config", file, line)
		if got := strings.Join(slices.DeleteFunc(words, isFlag), " "); got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if words := completed(t, "--config", file+".missing", "deploy"); !slices.Contains(words, "--dry-run") || slices.ContainsFunc(words, func(w string) bool { return !isFlag(w) }) {
		t.Errorf("without a configuration: %q", words)
	}
	if words := completed(t); !slices.Contains(words, "deploy") || slices.Contains(words, "host") {
		t.Errorf("the commands are %q", words)
	}
}

func isFlag(word string) bool { return strings.HasPrefix(word, "-") }

// completed is what the shell is told after these words, sorted.
func completed(t *testing.T, words ...string) []string {
	t.Helper()
	var out, stderr bytes.Buffer
	args := append([]string{"promote"}, strings.Fields(strings.Join(words, " "))...)
	before := os.Args
	defer func() { os.Args = before }()
	os.Args = append(args, completionFlag) // the library looks there for what is typed
	if code := Main(os.Args, strings.NewReader(""), &out, &stderr); code != 0 || stderr.Len() > 0 {
		t.Fatalf("%q ends with %d: %s", words, code, stderr.String())
	}
	var list []string
	for line := range strings.Lines(out.String()) {
		word, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		list = append(list, word)
	}
	slices.Sort(list)
	return list
}
