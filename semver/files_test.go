package semver

import (
	"errors"
	"testing"
)

func TestFilesInStep(t *testing.T) {
	before := map[string]string{
		"package.json": `{"version": "1.4.2"}`,
		"Chart.yaml":   "version: 1.4.2\nappVersion: 1.4.2\n",
		"a.py":         "API = '1.4.2'\nVERSION = '1.4.2'\n",
		"Cargo.toml":   "[package]\nname = \"a\"\nversion = \"1.4.2\"\n",
		"Cargo.lock":   "[[package]]\nname = \"a\"\nversion = \"1.4.2\"\n[[package]]\nname = \"b\"\nversion = \"1.4.2\"\n",
		"b.toml":       "version = \"1.4.2\"\n",
	}
	after := map[string]string{
		"package.json": `{"version": "1.5.0"}`,
		"Chart.yaml":   "version: 1.5.0\nappVersion: 1.5.0\n",
		"a.py":         "API = '1.5.0'\nVERSION = '1.5.0'\n",
		"Cargo.toml":   "[package]\nname = \"a\"\nversion = \"1.5.0\"\n",
		"Cargo.lock":   "[[package]]\nname = \"a\"\nversion = \"1.5.0\"\n[[package]]\nname = \"b\"\nversion = \"1.5.0\"\n",
		"b.toml":       "version = \"1.5.0\"\n",
	}
	dir := write(t, before)
	files := Files{
		{Path: "package.json"}, {Path: "Chart.yaml"}, {Path: "b.toml", Key: "version"},
		{Path: "Cargo.toml"}, {Path: "Cargo.lock", Regex: `"b"\nversion = "(.*)"`}, // the lock is also Cargo.toml's
		{Path: "a.py", Regex: `API = '(.*)'`}, {Path: "a.py", Regex: `VERSION = '(.*)'`}, {Path: "./package.json"},
	}
	if v, err := files.Read(dir); err != nil || v != MustParse("1.4.2") {
		t.Fatalf("%s, %v", v, err)
	}
	edits, err := files.Edit(dir, MustParse("1.5.0"))
	if err != nil || len(edits) != len(before) {
		t.Fatalf("%d edits, %v", len(edits), err)
	}
	holds(t, dir, before)
	if err := edits.Apply(dir); err != nil {
		t.Fatal(err)
	}
	holds(t, dir, after)
	if same, err := files.Edit(dir, MustParse("1.5.0")); err != nil || len(same) > 0 {
		t.Errorf("to the same version: %d edits, %v", len(same), err)
	}
	back, err := files.Edit(dir, MustParse("1.4.2"))
	if err == nil {
		err = back.Apply(dir)
	}
	if err != nil {
		t.Fatal(err)
	}
	holds(t, dir, before)
}

func TestFilesThatDisagree(t *testing.T) {
	dir := write(t, map[string]string{"VERSION": "1.4.2", "a.yaml": "v: 1.4.1", "version.txt": "v1.4.2"})
	files := Files{{Path: "VERSION"}, {Path: "a.yaml", Key: "v"}, {Path: "version.txt"}}
	want := "the version files disagree: VERSION v1.4.2, a.yaml:v v1.4.1, version.txt v1.4.2"
	_, err := files.Read(dir)
	if message(err) != want {
		t.Errorf("%v", err)
	}
	if edits, err := files.Edit(dir, MustParse("2.0.0")); message(err) != want || len(edits) > 0 {
		t.Errorf("%d edits, %v", len(edits), err)
	}
	var hinted interface{ Hint() string }
	if !errors.As(err, &hinted) || hinted.Hint() != "write the version of VERSION into the others" {
		t.Errorf("%v has no hint", err)
	}
}

func TestFilesThatCannotBeEdited(t *testing.T) {
	dir := write(t, map[string]string{"VERSION": "1.4.2", "lib/version.rb": "VERSION = '1.4.2'\n"})
	files := Files{{Path: "VERSION"}, {Path: "lib/version.rb"}}
	edits, err := files.Edit(dir, MustParse("1.5.0+build"))
	if message(err) != "lib/version.rb:1:12: a gem can't have the version 1.5.0+build" || len(edits) > 0 {
		t.Errorf("%d edits, %v", len(edits), err)
	}
	if _, err := (Files{{Path: "VERSION"}, {Path: "gone"}}).Read(dir); message(err) != "gone: it is not known where a file of this name holds its version" {
		t.Errorf("%v", err)
	}
	if _, err := (Files{{Path: "VERSION"}}).Edit(dir, Version{}); message(err) != "VERSION: there is no version to write" {
		t.Errorf("zero version: %v", err)
	}
	if _, err := (Files{}).Edit(dir, MustParse("1.5.0")); message(err) != "there is no version file" {
		t.Errorf("no files: %v", err)
	}
}
