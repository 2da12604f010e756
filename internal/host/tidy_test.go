package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTidy: the program that runs and the last used ones stay, and nothing else of ours; what is not ours
// is left alone.
func TestTidy(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	hash := func(c string) string { return strings.Repeat(c, 64) }
	for i, c := range []string{"a", "b", "c", "d", "e"} { // a was used last, but for the one that runs: e
		check(t, os.Mkdir(filepath.Join(dir, hash(c)), 0o755))
		check(t, os.Chtimes(filepath.Join(dir, hash(c)), now, now.Add(-time.Duration(i+1)*time.Hour)))
	}
	check(t, os.Mkdir(filepath.Join(dir, "other"), 0o755))
	self := filepath.Join(dir, hash("e"), "promote")
	young, old := filepath.Join(dir, hash("e"), ".promote-young"), filepath.Join(dir, hash("e"), ".promote-old")
	for _, path := range []string{self, young, old} {
		check(t, os.WriteFile(path, nil, 0o755))
	}
	check(t, os.Chtimes(young, now, now))
	check(t, os.Chtimes(old, now, now.Add(-2*time.Hour)))
	check(t, Tidy(self, now))
	for path, want := range map[string]bool{
		self: true, young: true, old: false, filepath.Join(dir, "other"): true,
		filepath.Join(dir, hash("a")): true, filepath.Join(dir, hash("b")): true, filepath.Join(dir, hash("c")): false, filepath.Join(dir, hash("d")): false,
	} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is there: %v", path, err == nil)
		}
	}
	check(t, Tidy("/usr/bin/promote", now))
}
