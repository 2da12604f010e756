package compose_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"promote/compose"
)

// FuzzEdit: whatever a compose file holds, there is no panic, and either a refusal or an edit that is
// one span, and whose inverse gives the file again.
func FuzzEdit(f *testing.F) {
	for _, seed := range []string{
		"services:\n  core:\n    image: core:1\n", "services: {core: {image: \"é:${T:-1}\"}}", "\ufeffservices: {core: {image: 'a'}}\r\n",
		"x: &x {image: core:1@" + digestA + "}\nservices: {core: {<<: *x}, b: {<<: [*x]}}", "services:\n  core: &c\n    image: &i core:1\n  b: *c\n",
		"services: {core: {extends: b}, b: {image: localhost:1/b}}", "x: \"\u2028\u0085\"\nservices:\r  core:\r    image: core:$T\r", `{"services":{"core":{"image":"core"}}}`,
		"services: {core: {image: '${I:-a:1}'}}", "services: {core: {image: !!str core:1}}", "services:\n  core:\n    image: >-\n      core:1\n",
	} {
		f.Add([]byte(seed), []byte("T=1\n"))
	}
	f.Fuzz(func(t *testing.T, file, env []byte) {
		if bytes.Contains(file, []byte("include")) || bytes.Contains(file, []byte("file")) || bytes.Contains(env, []byte("COMPOSE")) {
			t.Skip("other files are not ours to look at here")
		}
		dir := t.TempDir()
		write := func(name string, data []byte) {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		write("compose.yaml", file)
		write(".env", env)
		o := compose.Options{Dir: dir}
		p, err := compose.Load(context.Background(), o)
		if err != nil {
			return
		}
		for _, s := range p.Services() {
			fuzzService(t, p, s, o)
		}
	})
}

func fuzzService(t *testing.T, p *compose.Project, s compose.Service, o compose.Options) {
	if s.Refusal != "" {
		return
	}
	var there, back []compose.Change
	for _, name := range s.Place.Services {
		c := compose.Change{Service: name, From: s.Pin, To: compose.Pin{Tag: "v9.8.7"}}
		there, back = append(there, c), append(back, c.Inverse())
	}
	edit, err := p.Edit(there...)
	if err != nil {
		return
	}
	if len(edit.Files()) > 1 {
		t.Fatalf("%d files for one place", len(edit.Files()))
	}
	for _, f := range edit.Files() {
		oneSpan(t, f.Before, f.After)
	}
	if err := edit.Apply(); err != nil {
		t.Fatal(err)
	}
	defer edit.Revert()
	again, err := compose.Load(context.Background(), o)
	if err != nil {
		t.Fatalf("after the edit: %v", err)
	}
	undo, err := again.Edit(back...)
	if err != nil {
		t.Fatalf("no way back: %v", err)
	}
	for i, f := range undo.Files() {
		if !bytes.Equal(f.After, edit.Files()[i].Before) {
			t.Fatalf("going back gives %q, not %q", f.After, edit.Files()[i].Before)
		}
	}
}

// oneSpan wants what differs to lie on one line, with the new version in it.
func oneSpan(t *testing.T, before, after []byte) {
	front := 0
	for front < min(len(before), len(after)) && before[front] == after[front] {
		front++
	}
	end := 0
	for end < min(len(before), len(after))-front && before[len(before)-1-end] == after[len(after)-1-end] {
		end++
	}
	if gone := string(before[front : len(before)-end]); strings.ContainsAny(gone, "\r\n \t{}[],") {
		t.Fatalf("more than a version went: %q of %q", gone, before)
	}
}
