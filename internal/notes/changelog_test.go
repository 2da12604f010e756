package notes

import (
	"errors"
	"strings"
	"testing"

	"promote/internal/git"
	"promote/semver"
)

// section is v1.5.0 with a feature and a fix.
func section() Section {
	return Section{Version: semver.MustParse("1.5.0"), Tag: "v1.5.0", Date: "2026-11-21", Groups: Groups([]git.Commit{
		{Hash: "1234567890", Subject: "fix: close it"}, {Hash: "2234567890", Subject: "feat(api): open it"},
	}, Forge{})}
}

const entries = "\n### Added\n\n- **api:** open it\n\n### Fixed\n\n- close it\n"

func TestInsert(t *testing.T) {
	tests := []struct{ name, before, after string }{
		{"what stands under Unreleased becomes the version's", "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- By hand.\n\n## [1.4.2] - 2026-01-02\n\n- Old.\n",
			"# Changelog\n\n## [Unreleased]\n\n## [1.5.0] - 2026-11-21\n\n### Added\n\n- By hand.\n\n## [1.4.2] - 2026-01-02\n\n- Old.\n"},
		{"an empty one is filled", "# Changelog\n\n## [Unreleased]\n\n## [1.4.2] - 2026-01-02\n\n- Old.\n",
			"# Changelog\n\n## [Unreleased]\n\n## [1.5.0] - 2026-11-21\n" + entries + "\n## [1.4.2] - 2026-01-02\n\n- Old.\n"},
		{"headings and comments are nothing written", "## Unreleased\n\n<!--\n## 9.9.9\n- example\n-->\n### Added\n\n## 1.4.2\n",
			"## Unreleased\n\n<!--\n## 9.9.9\n- example\n-->\n### Added\n\n## 1.5.0\n" + entries + "\n## 1.4.2\n"},
		{"no Unreleased", "# Log\n\n## v1.4.2 (2026-01-02)\n\n* Old.\n",
			"# Log\n\n## v1.5.0 (2026-11-21)\n" + strings.ReplaceAll(entries, "\n- ", "\n* ") + "\n## v1.4.2 (2026-01-02)\n\n* Old.\n"},
		{"no section yet", "# Changelog\n\nAll of it.\n", "# Changelog\n\nAll of it.\n\n## 1.5.0 - 2026-11-21\n" + entries},
		{"nothing at all", "", "## 1.5.0 - 2026-11-21\n" + entries},
		{"no newline at the end", "## [Unreleased]", "## [Unreleased]\n\n## [1.5.0] - 2026-11-21\n" + entries},
		{"a mark of the newest is its own", "## Version 1.4.2 – 2026-01-02 [YANKED]\n", "## Version 1.5.0 – 2026-11-21\n" + entries + "\n## Version 1.4.2 – 2026-01-02 [YANKED]\n"},
		{"code is no structure", "## Unreleased\n\n```\n## 1.4.2\n```\n", "## Unreleased\n\n## 1.5.0 - 2026-11-21\n\n```\n## 1.4.2\n```\n"},
		{"addresses", "## [Unreleased]\n- New.\n\n## [1.4.2] - 2026-01-02\n\n[unreleased]: https://x/compare/v1.4.2...HEAD\n[1.4.2]: https://x/releases/tag/v1.4.2\n",
			"## [Unreleased]\n\n## [1.5.0] - 2026-11-21\n- New.\n\n## [1.4.2] - 2026-01-02\n\n[unreleased]: https://x/compare/v1.5.0...HEAD\n[1.5.0]: https://x/compare/v1.4.2...v1.5.0\n[1.4.2]: https://x/releases/tag/v1.4.2\n"},
		{"addresses without that of Unreleased", "## [v1.4.2]\n\n[v1.4.2]: https://x/branches/compare/v1.4.2%0Dv1.4.1",
			"## [v1.5.0]\n" + entries + "\n## [v1.4.2]\n\n[v1.5.0]: https://x/branches/compare/v1.5.0%0Dv1.4.2\n[v1.4.2]: https://x/branches/compare/v1.4.2%0Dv1.4.1"},
		{"addresses at an empty Unreleased", "## [Unreleased]\n\n[unreleased]: https://x/compare/v1.4.2...main\n",
			"## [Unreleased]\n\n## [1.5.0] - 2026-11-21\n" + entries + "\n[unreleased]: https://x/compare/v1.5.0...main\n[1.5.0]: https://x/compare/v1.4.2...v1.5.0\n"},
		{"an address in the heading", "## [1.4.2](https://x/compare/v1.4.1...v1.4.2) (2026-01-02)\n",
			"## [1.5.0](https://x/compare/v1.4.2...v1.5.0) (2026-11-21)\n" + entries + "\n## [1.4.2](https://x/compare/v1.4.1...v1.4.2) (2026-01-02)\n"},
		{"it is there already", "## Unreleased\n\n- New.\n\n## 1.5.0\n", "## Unreleased\n\n- New.\n\n## 1.5.0\n"},
	}
	for _, test := range tests {
		for _, ends := range []string{"\n", "\r\n"} {
			before, after := strings.ReplaceAll(test.before, "\n", ends), strings.ReplaceAll(test.after, "\n", ends)
			if !strings.Contains(before, "\n") && ends == "\r\n" {
				continue // nothing tells how its lines end
			}
			got, err := ReadChangelog([]byte("\ufeff" + before)).Insert(section())
			if err != nil || string(got) != "\ufeff"+after {
				t.Errorf("%s: got %v\n%q\nwant\n%q", test.name, err, got, after)
			}
		}
	}
}

func TestInsertRefuses(t *testing.T) {
	for _, file := range []string{"# Changes\n\n## News\n\n- a\n", "# 1.4.2\n\n- a\n"} {
		var structure *StructureError
		if got, err := ReadChangelog([]byte(file)).Insert(section()); !errors.As(err, &structure) || got != nil {
			t.Errorf("%q gives %q, %v", file, got, err)
		}
	}
}

// FuzzInsert keeps the promise: every line stays, in its order, but for the address of Unreleased; and
// what was inserted is found again.
func FuzzInsert(f *testing.F) {
	for _, file := range []string{"# C\r\n\r\n## [Unreleased]\r\n- a\r\n\r\n## [1.4.2]\r\n\r\n[unreleased]: https://x/compare/a...b\r\n[1.4.2]: https://x/tag/a", "## 1.4.2\n", "<!--\n## 1.4.2\n-->\n```\n"} {
		f.Add([]byte(file))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		after, err := ReadChangelog(file).Insert(section())
		if err != nil {
			return
		}
		rest := strings.SplitAfter(string(after), "\n")
		for line := range strings.Lines(string(file)) {
			if strings.HasPrefix(strings.ToLower(line), "[unreleased]") {
				continue
			}
			at := 0
			for at < len(rest) && strings.TrimRight(rest[at], "\r\n") != strings.TrimRight(line, "\r\n") {
				at++
			}
			if at == len(rest) {
				t.Fatalf("%q: %q is gone from %q", file, line, after)
			}
			rest = rest[at+1:]
		}
	})
}
