package compose_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/distribution/reference"

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
			fuzzNarrow(t, p, s, o)
			fuzzService(t, p, s, o)
		}
	})
}

// fuzzNarrow wants the same of a service when only that one matters.
func fuzzNarrow(t *testing.T, whole *compose.Project, s compose.Service, o compose.Options) {
	o.Services = []string{s.Name}
	alone, err := compose.Load(context.Background(), o)
	if err != nil {
		t.Fatalf("alone: %v", err)
	}
	if got := service(t, alone, s.Name); !reflect.DeepEqual(got, s) {
		t.Fatalf("alone it is %+v, not %+v", got, s)
	}
	if got, want := edited(t, alone, s), edited(t, whole, s); got != want {
		t.Fatalf("alone the edit gives %s, not %s", got, want)
	}
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

// FuzzEnvFile: whatever an env file holds, what is changed in it is the value that compose takes from
// it, and compose then reads every other variable as before.
func FuzzEnvFile(f *testing.F) {
	for _, seed := range []string{
		"TAG=1\n", "export TAG='1' # 2\nIMAGE=\"a/b:1\"\r\n", "\ufeffTAG: 1\r\nTAG2=2", "A=\"\nTAG=0\n\"\nTAG=1", "TAG=a#b\nIMAGE=$TAG",
		"TAG", "TAG=\\1", "TAG =\t1\t#2", "exportTAG=1\nTAG=", "IMAGE=localhost:5000/a\n", "TAG=1@" + digestA, "A=${TAG}\nTAG=`1`", "TAG=\u00851",
	} {
		f.Add([]byte(seed))
	}
	file := []byte("services:\n  core: {image: 'core:${TAG:-v0}'}\n  whole: {image: '${IMAGE:-whole:v0}'}\n")
	f.Fuzz(func(t *testing.T, env []byte) {
		if bytes.Contains(env, []byte("COMPOSE")) {
			t.Skip("other files are not ours to look at here")
		}
		dir := folder(t, map[string]string{"compose.yaml": string(file), ".env": string(env)})
		o := compose.Options{Dir: dir}
		p, err := compose.Load(context.Background(), o)
		if err != nil {
			return
		}
		for _, s := range p.Services() {
			fuzzService(t, p, s, o)
			edit, err := p.Edit(compose.Change{Service: s.Name, From: s.Pin, To: compose.Pin{Tag: "v9.8.7"}})
			if err != nil {
				continue
			}
			for _, f := range edit.Files() {
				onlyVariable(t, f, strings.TrimPrefix(s.Place.In, "variable "))
			}
		}
	})
}

// onlyVariable wants the two contents of an env file to give all variables but one the same values.
func onlyVariable(t *testing.T, f compose.FileEdit, name string) {
	if filepath.Base(f.Path) != ".env" {
		return
	}
	before, err := dotenv.Parse(bytes.NewReader(f.Before))
	if err != nil {
		t.Fatal(err)
	}
	after, err := dotenv.Parse(bytes.NewReader(f.After))
	if err != nil {
		t.Fatal(err)
	}
	if before[name] == after[name] || !strings.HasSuffix(after[name], "v9.8.7") {
		t.Fatalf("%s is %q, was %q", name, after[name], before[name])
	}
	for variable, value := range before {
		uses := bytes.Contains(f.Before, []byte("$"+name)) || bytes.Contains(f.Before, []byte("${"+name))
		if variable != name && after[variable] != value && !uses {
			t.Fatalf("%s became %q, was %q", variable, after[variable], value)
		}
	}
	if len(before) != len(after) {
		t.Fatalf("there are %v, were %v", after, before)
	}
}

// FuzzReference: a reference is its repository joined with its pin, and whatever docker takes for a
// reference is split as docker does.
func FuzzReference(f *testing.F) {
	for _, seed := range []string{
		"core", "core:v1", "localhost:5000/core", "a.b:1/c/d:v1@" + digestA, "core@" + digestA, "[::1]:5000/core:v1", "core:", "@", ":", "/", "a//b:c", "core:v1@sha512:00", "core@@", "é:1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, image string) {
		repository, pin, err := compose.SplitReference(image)
		if err == nil && pin.Join(repository) != image {
			t.Fatalf("%q comes back as %q", image, pin.Join(repository))
		}
		if again, failed := compose.ParsePin(pin.String()); failed != nil || again != pin {
			t.Fatalf("%q has the pin %+v, which reads as %+v, %v", image, pin, again, failed)
		}
		named, invalid := reference.ParseNormalizedNamed(image)
		if invalid != nil {
			return
		}
		want := compose.Pin{}
		if tagged, ok := named.(reference.Tagged); ok {
			want.Tag = tagged.Tag()
		}
		if digested, ok := named.(reference.Digested); ok {
			want.Digest = digested.Digest().String()
		}
		if err != nil || pin != want || !compose.SameRepository(repository, named.Name()) {
			t.Fatalf("%q splits into %q and %+v, %v; docker reads %v", image, repository, pin, err, named)
		}
	})
}
