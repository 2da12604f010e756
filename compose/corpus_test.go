package compose_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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
	if os.Getenv("PROMOTE_TEST") == "all" {
		return files
	}
	const every = 10 // for make test
	var some []string
	for i := 0; i < len(files); i += every {
		some = append(some, files[i])
	}
	return some
}

// TestCorpus changes every image of every file, one by one and then all at once, and goes back. An edit
// is right if the bytes outside one span are the same, the file says the same but for this image, and
// going back gives the file again.
func TestCorpus(t *testing.T) {
	logrus.SetOutput(io.Discard)
	files := corpus(t)
	total := tally{refused: map[string]int{}}
	t.Run("files", func(t *testing.T) {
		for _, path := range files {
			t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
				t.Parallel()
				corpusFile(t, path, &total)
			})
		}
	})
	t.Logf("exact %d, wrong %v, files that don't load %d", total.exact, t.Failed(), total.unloadable)
	for _, text := range slices.Sorted(maps.Keys(total.refused)) {
		t.Logf("refused %5d  %s", total.refused[text], text)
	}
	if total.exact == 0 {
		t.Error("nothing was edited")
	}
}

// tally counts what became of the corpus, over files that are tried in parallel.
type tally struct {
	sync.Mutex
	exact, unloadable int
	refused           map[string]int
}

func (c *tally) refuse(text string) {
	c.Lock()
	defer c.Unlock()
	c.refused[reason(text)]++
}

func (c *tally) count(n *int) {
	c.Lock()
	defer c.Unlock()
	*n++
}

func corpusFile(t *testing.T, path string, total *tally) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "compose.yaml"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	project, err := compose.Load(context.Background(), compose.Options{Dir: dir, Files: []string{"compose.yaml"}})
	if err != nil {
		total.count(&total.unloadable)
		return
	}
	var changes []compose.Change
	for _, s := range project.Services() {
		if s.Refusal != "" {
			total.refuse(s.Refusal)
			continue
		}
		err := exact(project, s, data)
		var refusal *compose.Error
		switch {
		case errors.As(err, &refusal):
			total.refuse("edit: " + reason(err.Error()))
		case err != nil:
			t.Errorf("%s: %v", s.Name, err)
		default:
			changes = append(changes, changeTo(s, s.Name))
			total.count(&total.exact)
		}
	}
	if err := thereAndBack(project, changes, data); err != nil {
		t.Error(err)
	}
}

func reason(text string) string {
	parts := strings.SplitN(text, ": ", 3)
	return parts[len(parts)-1]
}

// changeTo takes a service to a version that no file has.
func changeTo(s compose.Service, name string) compose.Change {
	to := compose.Pin{Tag: "v9.8.7-promote"}
	if s.Pin.Digest != "" && s.Pin.Tag == "" {
		to = compose.Pin{Digest: "sha256:" + strings.Repeat("ab", 32)}
	}
	return compose.Change{Service: name, From: s.Pin, To: to}
}

// exact changes one service, with those that share its place.
func exact(project *compose.Project, s compose.Service, original []byte) error {
	var changes []compose.Change
	for _, name := range s.Place.Services {
		changes = append(changes, changeTo(s, name))
	}
	edit, err := project.Edit(changes...)
	if err != nil {
		return err
	}
	if len(edit.Files()) != 1 || !bytes.Equal(edit.Files()[0].Before, original) {
		return errors.New("the edit is not of this file alone")
	}
	return onlyImages(original, edit.Files()[0].After, changes[0].To.String())
}

// thereAndBack changes every service that can be changed, and back. The file is written plainly, since
// syncing a disk a thousand times is not what is tested here.
func thereAndBack(project *compose.Project, changes []compose.Change, original []byte) error {
	if len(changes) == 0 {
		return nil
	}
	edit, err := project.Edit(changes...)
	if err != nil {
		return fmt.Errorf("all at once: %w", err)
	}
	file := edit.Files()[0]
	if err := os.WriteFile(file.Path, file.After, 0o644); err != nil {
		return err
	}
	again, err := compose.Load(context.Background(), compose.Options{Dir: project.Dir(), Files: []string{"compose.yaml"}})
	if err != nil {
		return err
	}
	var back []compose.Change
	for _, c := range changes {
		back = append(back, c.Inverse())
	}
	undo, err := again.Edit(back...)
	if err != nil {
		return fmt.Errorf("no way back: %w", err)
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
