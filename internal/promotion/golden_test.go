package promotion_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"promote/internal/promotion"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestDeterministic: the same request gives the same plan, byte for byte, and the plan is this one.
func TestDeterministic(t *testing.T) {
	var first []byte
	for range 20 {
		plan, err := newWorld(promotion.Rollback).ran("core", "v1.5.0", "d1").ran("mailer", "v1.5.0", "d1").plan()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.MarshalIndent(plan, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && !bytes.Equal(first, text) {
			t.Fatal("two plans of one request differ")
		}
		first = text
	}
	golden := filepath.Join("testdata", "rollback.golden.json")
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(golden, append(first, '\n'), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(append(first, '\n'), want) {
		t.Errorf("the plan is\n%s\nwant\n%s", first, want)
	}
}
