package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"promote/internal/lint"
)

var (
	ruleSection = regexp.MustCompile("(?s)\n### ([a-z-]+)\n\n(.*?)```yaml\n(.*?)```\n```\n(.*?)```\n")
	fileMark    = regexp.MustCompile(`(?m)^# (\S+)\n`)
	standard    = regexp.MustCompile("(?s)it is this one:\n\n```yaml\n(.*?)```")
)

// TestLintDocumentation runs the examples of the documentation: every rule has one, and it says what
// lint says.
func TestLintDocumentation(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "lint.md"))
	if err != nil {
		t.Fatal(err)
	}
	config := standard.FindSubmatch(page)
	if config == nil {
		t.Fatal("no promote.yaml in the documentation")
	}
	var documented []string
	for _, section := range ruleSection.FindAllStringSubmatch(string(page), -1) {
		rule, example, want := section[1], section[3], section[4]
		documented = append(documented, rule)
		t.Run(rule, func(t *testing.T) {
			dir := t.TempDir()
			writeFiles(t, dir, "# promote.yaml\n"+string(config[1])+example)
			t.Chdir(dir)
			var out, stderr bytes.Buffer
			Main([]string{"promote", "lint", "--rules", rule}, strings.NewReader(""), &out, &stderr)
			if out.String() != want {
				t.Errorf("got\n%s\nthe documentation says\n%s\n%s", out.String(), want, stderr.String())
			}
			if !strings.HasPrefix(strings.ToLower(section[2]), severityOf(want)) {
				t.Errorf("the documentation begins with %q, lint says %s", section[2], severityOf(want))
			}
		})
	}
	if !slices.Equal(documented, lint.Rules) {
		t.Errorf("documented are\n%v\nthere are\n%v", documented, lint.Rules)
	}
}

// writeFiles writes the files of a text in which each begins with a comment that names it; a later one
// of the same name counts.
func writeFiles(t *testing.T, dir, text string) {
	t.Helper()
	marks := fileMark.FindAllStringSubmatchIndex(text, -1)
	for i, mark := range marks {
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		path := filepath.Join(dir, text[mark[2]:mark[3]])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text[mark[1]:end]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// severityOf is the severity of the first finding.
func severityOf(output string) string {
	for _, severity := range []lint.Severity{lint.SeverityError, lint.SeverityWarning, lint.SeverityNote} {
		first, _, _ := strings.Cut(output, "\n")
		if strings.Contains(first, ": "+string(severity)+": ") {
			return string(severity)
		}
	}
	return "no severity"
}
