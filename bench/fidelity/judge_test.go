package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"promote/compose"
)

// judged is what the oracle says of an edit that takes core from v1 to v2.
func judged(t *testing.T, before, after map[string]string, services ...string) error {
	t.Helper()
	p := plan{}
	for _, name := range services {
		p[name] = compose.Change{Service: name, From: compose.Pin{Tag: "v1"}, To: compose.Pin{Tag: "v2"}}
	}
	dir := folder(t, before)
	s := site{dir: dir}
	was, err := look(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range after {
		f := compose.FileEdit{Path: filepath.Join(dir, name), Before: []byte(before[name]), After: []byte(text)}
		if _, err := checkFile(f, p, len(was.files) == 1); err != nil {
			return err
		}
		if err := os.WriteFile(f.Path, f.After, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	is, err := lookOnce(t.Context(), s, was.lax)
	if err != nil {
		return err
	}
	return checkProject(was, is, p)
}

// TestJudge tampers with edits. Each must be found out, and nothing that is right.
func TestJudge(t *testing.T) {
	tests := map[string]struct{ before, after, want string }{
		"right":           {"services: {core: {image: core:v1}}\n", "services: {core: {image: core:v2}}\n", ""},
		"right, anchored": {"x-i: &i core:v1\nservices: {core: {image: *i}}\n", "x-i: &i core:v2\nservices: {core: {image: *i}}\n", ""},
		"nothing":         {"services: {core: {image: core:v1}}\n", "services: {core: {image: core:v1}}\n", "differ in more than the pin"},
		"a final newline": {"services: {core: {image: core:v1}}\n", "services: {core: {image: core:v2}}", "differ in more than the pin"},
		"a comment":       {"services: {core: {image: core:v1}} # a\n", "services: {core: {image: core:v2}} # b\n", "differ in more than the pin"},
		"quotes":          {"services: {core: {image: core:v1}}\n", "services: {core: {image: 'core:v2'}}\n", "differ in more than the pin"},
		"the name":        {"services: {core: {image: core:v1}}\n", "services: {core: {image: care:v2}}\n", "differ in more than the pin"},
		"two services":    {"services: {core: {image: core:v1}, b: {image: core:v1}}\n", "services: {core: {image: core:v2}, b: {image: core:v2}}\n", "differ in more than the pin"},
		"another service": {"services: {core: {image: core:v1}, b: {image: core:v1}}\n", "services: {core: {image: core:v1}, b: {image: core:v2}}\n", "also differs in services.b.image"},
		"a comment only":  {"services: {core: {image: core:v1}} # :v1\n", "services: {core: {image: core:v1}} # :v2\n", "does not differ"},
		"a label":         {"services: {core: {image: core:v1, labels: {at: core:v1}}}\n", "services: {core: {image: core:v1, labels: {at: core:v2}}}\n", "also differs in services.core.labels.at"},
		"a sharer":        {"x-i: &i core:v1\nservices: {core: {image: *i}, b: {image: *i}}\n", "x-i: &i core:v2\nservices: {core: {image: *i}, b: {image: *i}}\n", "also differs in services.b.image"},
		"an extension":    {"x-i: core:v1\nservices: {core: {image: core:v1}}\n", "x-i: core:v2\nservices: {core: {image: core:v1}}\n", "image of core became core:v1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := judged(t, map[string]string{"compose.yaml": test.before}, map[string]string{"compose.yaml": test.after}, "core")
			if test.want == "" && got != nil || test.want != "" && (got == nil || !strings.Contains(got.Error(), test.want)) {
				t.Errorf("got %v, want %q", got, test.want)
			}
		})
	}
}

// TestJudgeVariables tampers with edits of an env file, which compose files and containers read.
func TestJudgeVariables(t *testing.T) {
	tests := map[string]struct{ file, env, after, want string }{
		"right":              {"services: {core: {image: 'core:${TAG}'}}\n", "TAG=v1\n", "TAG=v2\n", ""},
		"right, given to it": {"services: {core: {image: 'core:${TAG}', environment: [TAG]}}\n", "TAG=v1\n", "TAG=v2\n", ""},
		"given to another":   {"services: {core: {image: 'core:${TAG}'}, b: {image: b, environment: [TAG]}}\n", "TAG=v1\n", "TAG=v2\n", "services.b.environment.TAG"},
		"another's image":    {"services: {core: {image: 'core:${TAG}'}, b: {image: 'b:${TAG}'}}\n", "TAG=v1\n", "TAG=v2\n", "image of b became b:v2"},
		"its label":          {"services: {core: {image: 'core:${TAG}', labels: {at: '${TAG}'}}}\n", "TAG=v1\n", "TAG=v2\n", "services.core.labels.at"},
		"another variable":   {"services: {core: {image: 'core:${TAG}'}}\n", "TAG=v1\nA=v1\n", "TAG=v1\nA=v2\n", "image of core became core:v1"},
		"other files":        {"services: {core: {image: 'core:${TAG}'}}\n", "TAG=v1\nCOMPOSE_PROJECT_NAME=v1\n", "TAG=v1\nCOMPOSE_PROJECT_NAME=v2\n", "image of core became core:v1"},
		"the project's name": {"name: 'a${TAG}'\nservices: {core: {image: 'core:${TAG}'}}\n", "TAG=v1\n", "TAG=v2\n", "also differs in name"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := judged(t, map[string]string{"compose.yaml": test.file, ".env": test.env}, map[string]string{".env": test.after}, "core")
			if test.want == "" && got != nil || test.want != "" && (got == nil || !strings.Contains(got.Error(), test.want)) {
				t.Errorf("got %v, want %q", got, test.want)
			}
		})
	}
}

func TestSwapped(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("1", 64)
	pin := func(text string) compose.Pin {
		p, err := compose.ParsePin(text)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, test := range []struct {
		before, after string
		from, to      string
		want          bool
	}{
		{"a:1", "a:2", "1", "2", true},
		{"TAG=1", "TAG=2", "1", "2", true},
		{"a", "a:2", "", "2", true},
		{"a b", "a:2 b", "", "2", true},
		{"a", "a2", "", "2", false},
		{"a:1", "a:1" + digest, "1", "1" + digest, true},
		{"a" + digest, "a:2" + digest, digest, "2" + digest, true},
		{"a:11", "a:1", "11", "1", true},
		{"a:11 ", "a:1 ", "1", "", false},
		{"a:1 b:1", "a:2 b:2", "1", "2", false},
		{"a:1", "a:1", "1", "1", false},
		{"a:1\n", "a:2", "1", "2", false},
	} {
		c := compose.Change{From: pin(test.from), To: pin(test.to)}
		if _, got := swapped(test.before, test.after, c); got != test.want {
			t.Errorf("%q to %q by %q to %q: %v", test.before, test.after, test.from, test.to, got)
		}
	}
}

func TestDifferences(t *testing.T) {
	same := map[string]any{"a": []any{1, nil, map[any]any{1: "x"}}}
	if found := differences(nil, same, map[string]any{"a": []any{1, nil, map[any]any{1: "x"}}}); len(found) > 0 {
		t.Errorf("the same differs in %v", found)
	}
	for _, other := range []any{
		nil, map[string]any{}, map[string]any{"b": same["a"]}, map[string]any{"a": []any{}}, map[string]any{"a": []any{"1", nil, map[any]any{1: "x"}}},
		map[string]any{"a": []any{1, nil, map[any]any{"1": "x"}}}, map[string]any{"a": []any{1, "", map[any]any{1: "x"}}}, map[string]any{"a": map[string]any{"0": 1, "1": nil, "2": map[any]any{1: "x"}}},
	} {
		if found := differences(nil, same, other); len(found) == 0 {
			t.Errorf("%v is taken for %v", other, same)
		}
	}
}
