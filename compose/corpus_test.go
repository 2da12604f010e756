package compose_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
	"go.yaml.in/yaml/v4"

	"promote/compose"
)

// corpus finds the folder of compose files that strangers wrote.
func corpus(t *testing.T) []string {
	dir := os.Getenv("PROMOTE_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "corpus")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.y*ml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no corpus in %s", dir)
		}
		t.Skipf("SKIPPED: no corpus in %s; set PROMOTE_CORPUS", dir)
	}
	return files
}

// TestCorpus changes every image of every file and goes back. An edit is right if the bytes outside one
// span are the same, the file says the same but for this image, and going back gives the file again.
func TestCorpus(t *testing.T) {
	logrus.SetOutput(io.Discard)
	exact, unloadable := 0, 0
	refused := map[string]int{}
	for _, path := range corpus(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		file := filepath.Join(dir, "compose.yaml")
		if err := os.WriteFile(file, data, 0o644); err != nil {
			t.Fatal(err)
		}
		project, err := compose.Load(context.Background(), compose.Options{Dir: dir, Files: []string{"compose.yaml"}})
		if err != nil {
			unloadable++
			t.Logf("unloadable: %s: %v", path, err)
			continue
		}
		for _, s := range project.Services() {
			if s.Refusal != "" {
				refused[reason(s.Refusal)]++
				continue
			}
			if err := roundTrip(project, s, data); err != nil {
				if refusal := (*compose.Error)(nil); errors.As(err, &refusal) {
					refused["edit: "+reason(err.Error())]++
					continue
				}
				t.Errorf("%s: %s: %v", path, s.Name, err)
				continue
			}
			exact++
		}
	}
	t.Logf("exact %d, wrong %v, files that don't load %d", exact, t.Failed(), unloadable)
	for text, n := range refused {
		t.Logf("refused %5d  %s", n, text)
	}
	if exact == 0 {
		t.Error("nothing was edited")
	}
}

func reason(text string) string {
	parts := strings.SplitN(text, ": ", 3)
	return parts[len(parts)-1]
}

func roundTrip(project *compose.Project, s compose.Service, original []byte) error {
	to := compose.Pin{Tag: "v9.8.7-promote"}
	if s.Pin.Digest != "" && s.Pin.Tag == "" {
		to = compose.Pin{Digest: "sha256:" + strings.Repeat("ab", 32)}
	}
	var changes, back []compose.Change
	for _, name := range s.Place.Services {
		c := compose.Change{Service: name, From: s.Pin, To: to}
		changes, back = append(changes, c), append(back, c.Inverse())
	}
	edit, err := project.Edit(changes...)
	if err != nil {
		return err
	}
	if len(edit.Files()) != 1 || !bytes.Equal(edit.Files()[0].Before, original) {
		return errors.New("the edit is not of this file alone")
	}
	if err := onlyImages(original, edit.Files()[0].After, to.String()); err != nil {
		return err
	}
	if err := edit.Apply(); err != nil {
		return err
	}
	defer edit.Revert()
	again, err := compose.Load(context.Background(), compose.Options{Dir: project.Dir(), Files: []string{"compose.yaml"}})
	if err != nil {
		return err
	}
	undo, err := again.Edit(back...)
	if err != nil {
		return errors.New("no way back: " + err.Error())
	}
	if !bytes.Equal(undo.Files()[0].After, original) {
		return errors.New("going back does not give the original bytes")
	}
	return nil
}

// onlyImages is an oracle of its own: one contiguous span differs, and in the decoded file every string
// that differs holds the new pin.
func onlyImages(before, after []byte, pin string) error {
	front := 0
	for front < len(before) && front < len(after) && before[front] == after[front] {
		front++
	}
	end := 0
	for end < len(before)-front && end < len(after)-front && before[len(before)-1-end] == after[len(after)-1-end] {
		end++
	}
	if !strings.Contains(string(after[max(0, front-80):len(after)-end+min(end, 80)]), pin) || bytes.ContainsAny(before[front:len(before)-end], "\r\n") {
		return errors.New("more than one span changed")
	}
	var a, b any
	if err := yaml.Unmarshal(before, &a); err != nil {
		return err
	}
	if err := yaml.Unmarshal(after, &b); err != nil {
		return err
	}
	return same(a, b, pin)
}

func same(a, b any, pin string) error {
	switch a := a.(type) {
	case map[string]any:
		other, ok := b.(map[string]any)
		if !ok || len(a) != len(other) {
			return errors.New("a mapping changed")
		}
		for key := range a {
			if err := same(a[key], other[key], pin); err != nil {
				return err
			}
		}
	case []any:
		other, ok := b.([]any)
		if !ok || len(a) != len(other) {
			return errors.New("a list changed")
		}
		for i := range a {
			if err := same(a[i], other[i], pin); err != nil {
				return err
			}
		}
	case string:
		if text, ok := b.(string); !ok || a != text && !strings.Contains(text, pin) {
			return errors.New("a string changed: " + a)
		}
	default:
		if !slices.Equal([]any{a}, []any{b}) {
			return errors.New("a value changed")
		}
	}
	return nil
}
