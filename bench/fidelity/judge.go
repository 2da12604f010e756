package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"go.yaml.in/yaml/v4"

	"promote/compose"
)

// plan is what an edit was asked for, by service.
type plan map[string]compose.Change

func planOf(changes []compose.Change) plan {
	p := plan{}
	for _, c := range changes {
		p[c.Service] = c
	}
	return p
}

// any is one of the changes; those of one place are alike.
func (p plan) any() compose.Change {
	for _, c := range p {
		return c
	}
	return compose.Change{}
}

// behind is a pin as it stands behind a repository.
func behind(p compose.Pin) string {
	text := ""
	if p.Tag != "" {
		text = ":" + p.Tag
	}
	if p.Digest != "" {
		text += "@" + p.Digest
	}
	return text
}

// swap is text that takes the place of other text.
type swap struct {
	at, end int
	text    string
}

// swapped finds the one span in which two texts differ, if it is the change's pin and nothing else: with
// what separates it from a repository, or alone, as in a variable.
func swapped(before, after string, c compose.Change) (swap, bool) {
	from, to := behind(c.From), behind(c.To)
	if s, ok := swappedText(before, after, from, to); ok {
		return s, true
	}
	if c.From.Tag == "" || c.To.Tag == "" {
		return swap{}, false
	}
	return swappedText(before, after, from[1:], to[1:])
}

func swappedText(before, after, from, to string) (swap, bool) {
	if len(before)-len(from) != len(after)-len(to) || from == to {
		return swap{}, false
	}
	front := 0
	for front < min(len(before), len(after)) && before[front] == after[front] {
		front++
	}
	for at := max(0, front-len(from)); at <= front; at++ {
		if strings.HasPrefix(before[at:], from) && strings.HasPrefix(after[at:], to) && before[at+len(from):] == after[at+len(to):] {
			return swap{at, at + len(from), to}, true
		}
	}
	return swap{}, false
}

// checkFile says what is wrong with one file of an edit of one place. Alone says that it is all of the
// project.
func checkFile(f compose.FileEdit, p plan, alone bool) (swap, error) {
	s, ok := swapped(string(f.Before), string(f.After), p.any())
	if !ok {
		return s, errors.New("the bytes differ in more than the pin")
	}
	before, err := decoded(f.Path, f.Before)
	if err != nil {
		return s, err
	}
	after, err := decoded(f.Path, f.After)
	if err != nil {
		return s, fmt.Errorf("after the edit: %w", err)
	}
	found := differences(nil, before, after)
	if len(found) == 0 {
		return s, errors.New("the file, decoded, does not differ")
	}
	for _, d := range found {
		if !isEnv(f.Path) && !d.ofImage(p, alone) || !d.isSwap(p.any()) {
			return s, fmt.Errorf("the file, decoded, also differs in %s", d)
		}
	}
	return s, nil
}

// decoded reads a file into plain values.
func decoded(path string, data []byte) (any, error) {
	if isEnv(path) {
		variables, err := dotenv.Parse(bytes.NewReader(data))
		values := map[string]any{}
		for name, value := range variables {
			values[name] = value
		}
		return values, err
	}
	var value any
	err := yaml.Unmarshal(data, &value)
	return value, err
}

// difference is where two trees of values differ.
type difference struct {
	path          []string
	before, after any
}

func (d difference) String() string {
	return fmt.Sprintf("%s: %v, was %v", strings.Join(d.path, "."), d.after, d.before)
}

// ofImage reports whether the difference is in the image of a planned service or in an extension, which
// means nothing to compose but may hold an anchored image. Of several files, one may call the service
// otherwise, which another extends, or give an anchored image to a service that gets its own elsewhere:
// which services change there, the project says.
func (d difference) ofImage(p plan, alone bool) bool {
	for _, key := range d.path {
		if strings.HasPrefix(key, "x-") {
			return true
		}
	}
	if len(d.path) != 3 || d.path[0] != "services" || d.path[2] != "image" {
		return false
	}
	_, planned := p[d.path[1]]
	return planned || !alone
}

func (d difference) isSwap(c compose.Change) bool {
	before, isText := d.before.(string)
	after, isTextNow := d.after.(string)
	_, ok := swapped(before, after, c)
	return isText && isTextNow && ok
}

// differences are all places in which two trees differ.
func differences(path []string, a, b any) []difference {
	one, other := children(a), children(b)
	switch {
	case fmt.Sprintf("%T %d", a, len(one)) != fmt.Sprintf("%T %d", b, len(other)):
		return []difference{{path, a, b}}
	case one == nil && fmt.Sprint(a) != fmt.Sprint(b):
		return []difference{{path, a, b}}
	}
	var found []difference
	for _, key := range slices.Sorted(maps.Keys(one)) {
		below := append(path[:len(path):len(path)], key)
		if value, there := other[key]; there {
			found = append(found, differences(below, one[key], value)...)
		} else {
			found = append(found, difference{below, one[key], nil})
		}
	}
	return found
}

// children are the values in a mapping or a list; nil if it is neither.
func children(value any) map[string]any {
	list := map[string]any{}
	switch value := value.(type) {
	case map[string]any:
		return value
	case map[any]any:
		for key, item := range value {
			list[fmt.Sprintf("%T %v", key, key)] = item
		}
	case []any:
		for i, item := range value {
			list[strconv.Itoa(i)] = item
		}
	default:
		return nil
	}
	return list
}

// checkProject says what is wrong with a project after an edit, as compose-go has it.
func checkProject(before, after *view, p plan) error {
	if len(before.images) != len(after.images) {
		return errors.New("the project has other services")
	}
	for name, image := range before.images {
		want := image
		if c, planned := p[name]; planned {
			repository, pinned := strings.CutSuffix(image, behind(c.From))
			if !pinned || c.From == (compose.Pin{}) && strings.ContainsAny(filepath.Base(image), ":@") {
				return fmt.Errorf("the image of %s was %s, which is not at %q", name, image, c.From)
			}
			want = repository + behind(c.To)
		}
		if after.images[name] != want {
			return fmt.Errorf("the image of %s became %s, not %s", name, after.images[name], want)
		}
	}
	if bytes.Equal(before.rest, after.rest) {
		return nil
	}
	return checkRest(before.rest, after.rest, p)
}

// checkRest allows one thing to differ beside images: a planned service may be given the variable that
// holds its own version.
func checkRest(before, after []byte, p plan) error {
	var a, b any
	if err := errors.Join(json.Unmarshal(before, &a), json.Unmarshal(after, &b)); err != nil {
		return err
	}
	for _, d := range differences(nil, a, b) {
		if len(d.path) == 4 && d.path[0] == "services" && d.path[2] == "environment" {
			if c, planned := p[d.path[1]]; planned && d.isSwap(c) {
				continue
			}
		}
		return fmt.Errorf("the project also differs in %s", d)
	}
	return nil
}
