package config

import (
	"os"
	"strings"
	"testing"
)

// TestRefusals keeps the table honest: each line is about a key that exists, and is told.
func TestRefusals(t *testing.T) {
	ids := map[string]bool{}
	for _, l := range configKeys.lines("") {
		ids[l.id] = true
	}
	data, err := os.ReadFile("testdata/mistakes/unsupported.golden")
	if err != nil {
		t.Fatal(err)
	}
	for id, what := range notYet {
		if !ids[id] {
			t.Errorf("%s is no key", id)
		}
		if !strings.Contains(string(data), ": "+what+" is not supported yet\n") {
			t.Errorf("%s: %s stands in no golden file", id, what)
		}
	}
}
