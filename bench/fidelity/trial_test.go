package main

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestProjectTrials(t *testing.T) {
	r := repository{"r", map[string][]byte{".env": []byte("A=1")}}
	var got []string
	for _, tr := range projectTrials(r, ".", []string{"compose.dev.yaml", "z.yml", "compose.yaml"}) {
		got = append(got, tr.variant+" "+string(tr.overlay[".env"])+strings.Join(tr.environ, ""))
	}
	want := []string{
		"project as found ",
		"COMPOSE_FILE in .env A=1\nCOMPOSE_FILE=compose.yaml:z.yml\n",
		"COMPOSE_FILE in .env A=1\nCOMPOSE_FILE=compose.yaml:compose.dev.yaml\n",
		"COMPOSE_FILE, all files COMPOSE_FILE=compose.yaml:z.yml:compose.dev.yaml",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if alone := projectTrials(r, "sub", []string{"some.yml"}); len(alone) > 0 {
		t.Errorf("a file alone is tried as a file: %v", alone)
	}
}

func TestEnvFor(t *testing.T) {
	for file, want := range map[string]string{
		"services: {a: {image: 'a:${TAG}'}}":                    "TAG=1.2.3\n",
		"services: {a: {image: 'a:${TAG:-7}'}}":                 "TAG=7\n",
		"services: {a: {image: '$REG/a:${TAG:?none is set}'}}":  "REG=example.org\nTAG=1.2.3\n",
		"services: {a: {image: '${IMAGE}', ports: ['$P:$$Q']}}": "IMAGE=example.org/app:1.2.3\nP=1\n",
		"services: {a: {image: 'x/${NAME}'}}":                   "NAME=app:1.2.3\n",
		"services: {a: {image: 'a:v${N}-b'}}":                   "N=part\n",
	} {
		if got, ok := envFor([]byte(file)); !ok || got != want {
			t.Errorf("%s: %q", file, got)
		}
	}
	if got, ok := envFor([]byte("services: {a: {image: a}}")); ok {
		t.Errorf("no variables, but %q", got)
	}
}

func TestOverrideFor(t *testing.T) {
	got, ok := overrideFor([]byte("services: {a: {image: a:1}, b: {image: b}, c: {build: .}}"))
	if images := imagesOf(got); !ok || len(images) != 1 || images["a"] != "example.org/over/app0:v0" {
		t.Errorf("got %s", got)
	}
	if got, ok := overrideFor([]byte("services: {c: {build: .}}")); ok {
		t.Errorf("no images, but %s", got)
	}
}

func TestVerdict(t *testing.T) {
	total := &tally{variants: map[string]*counts{}}
	add := func(o outcome) { total.add(attempt{trial: trial{variant: asItIs}, outcomes: []outcome{o}}) }
	add(outcome{edits: 2})
	add(outcome{edits: 1, refused: "it has no image"})
	if err := total.verdict(); err != nil {
		t.Error(err)
	}
	add(outcome{edits: 1, refused: "the moon is full"})
	add(outcome{edits: 2, wrong: errors.New("it is")})
	sum := total.sum()
	if total.verdict() == nil || sum.Exact != 2 || sum.Wrong != 2 || sum.Refused != 2 || sum.Unlisted != 1 || len(sum.Findings) != 2 || sum.share() != "50.00%" {
		t.Errorf("got %+v", sum)
	}
}

func TestUnloadable(t *testing.T) {
	one, other := &tree{root: "/one"}, &tree{root: "/other"}
	a := one.unloadable(errors.New("x"), errors.New(`services.core: /one/a "b" has 3 errors`))
	if b := other.unloadable(errors.New("x"), errors.New(`services.mailer: /other/c/d "e" has 40 errors`)); a != b || strings.Contains(a, "one") {
		t.Errorf("%q and %q are the same", a, b)
	}
	if got := one.unloadable(errors.New("x"), nil); got != "only package compose: x" {
		t.Error(got)
	}
	if got := one.unloadable(nil, errors.New("x")); got != "only compose-go: x" {
		t.Error(got)
	}
}
