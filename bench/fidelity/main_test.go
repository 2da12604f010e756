package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"
)

func TestMain(m *testing.M) {
	logrus.SetOutput(io.Discard)
	os.Exit(m.Run())
}

// folder writes files into a new folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// small is a corpus that every part of the program has something to do with.
var small = map[string]string{
	"INDEX.tsv":                        "file\trepo\tpath\nshop+app/docker__compose.yaml\tshop/app\tdocker/compose.yaml\nshop+app/docker__other.yml\tshop/app\tdocker/other.yml\n",
	"shop+app/docker__compose.yaml":    "# the shop\nservices:\n  core:\n    image: registry:5000/core:v1 # pinned\n  mailer: {image: 'mailer'}\n  worker:\n    image: work:${TAG:-v1}\n  shell:\n    build: .\n",
	"shop+app/docker__other.yml":       "x-image: &image core@sha256:" + strings.Repeat("0", 64) + "\nservices:\n  core:\n    image: *image\n  second: {image: *image}\n",
	"elsewhere/docker-compose.yml":     "services:\n  web:\n    image: web:${VERSION}-alpine\n    extends: {file: common/base.yaml, service: base}\n",
	"elsewhere/common/base.yaml":       "services:\n  base:\n    image: base:1\n",
	"elsewhere/broken/compose.yaml":    "services: [\n",
	"elsewhere/broken/.env":            "A=1\n",
	"elsewhere/not looked at/some.txt": "services: {}\n",
}

func TestRun(t *testing.T) {
	dir := folder(t, small)
	var out, progress bytes.Buffer
	if err := run(t.Context(), []string{"-json", dir}, &out, &progress); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Variants []counts
		All      counts
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{"a tag of several parts": 0, "without an image": 0}
	for reason := range want {
		if got.All.Reasons[reason] == 0 {
			t.Errorf("nothing refused %s: %v", reason, got.All.Reasons)
		}
	}
	// core, mailer, worker and base twice each, the two that share a digest once, and one file's at once
	if first := got.Variants[0]; first.Name != asItIs || first.Exact != 10+1 || first.Refused != 4 || first.NotLoaded != 1 {
		t.Errorf("as it is: %+v", first)
	}
	var names []string
	for _, c := range got.Variants {
		names = append(names, c.Name)
		if c.Exact == 0 && c.Name != "project as found" {
			t.Errorf("no edit was made: %+v", c)
		}
	}
	if got, want := strings.Join(names, ", "), "as it is, CRLF, BOM"; !strings.HasPrefix(got, want) {
		t.Errorf("variants are %s", got)
	}
}

func TestTable(t *testing.T) {
	var out, progress bytes.Buffer
	if err := run(t.Context(), []string{folder(t, small)}, &out, &progress); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CRLF and BOM\n", "without an image\n", "wrong 0, exact 100.00%", "not loaded:\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestRunFails(t *testing.T) {
	index := folder(t, map[string]string{"INDEX.tsv": "name\n", "a/compose.yaml": ""})
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "usage"},
		{[]string{"-nonsense"}, "not defined"},
		{[]string{filepath.Join(index, "nowhere")}, "no such file"},
		{[]string{t.TempDir()}, "no compose files"},
		{[]string{index}, "no columns file and path"},
	} {
		if err := run(t.Context(), test.args, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v", test.args, err)
		}
	}
	if err := run(t.Context(), []string{"-h"}, io.Discard, io.Discard); err != nil {
		t.Errorf("help is no failure: %v", err)
	}
}

// TestCorpus makes every edit over a part of the corpus.
func TestCorpus(t *testing.T) {
	if os.Getenv("PROMOTE_TEST") != "all" {
		t.Skip("left to make test-all")
	}
	dir := os.Getenv("PROMOTE_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	list, err := readCorpus(dir)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("SKIPPED: %v; set PROMOTE_CORPUS", err)
	}
	var part []repository
	for i, r := range list {
		if i%50 == 49 {
			part = append(part, r)
		}
	}
	total, err := tryAll(t.Context(), part, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if sum := total.sum(); sum.Wrong > 0 || sum.Exact == 0 || sum.Unlisted > 0 {
		t.Errorf("%d exact, %d wrong, %d refused for unlisted reasons: %v", sum.Exact, sum.Wrong, sum.Unlisted, sum.Findings)
	}
	if err := total.writeTable(t.Output()); err != nil {
		t.Error(err)
	}
}
