package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const sample = `# a comment
x-log: &log {driver: json-file}

services:
  core:
    logging: *log
    image: core:v1 # behind it
  "flow": {restart: always, "image": "flow:v1"}
  none:
    build: .
`

func TestForms(t *testing.T) {
	for _, f := range forms {
		t.Run(f.name, func(t *testing.T) {
			got, ok := f.write([]byte(sample))
			if !ok {
				t.Fatal("it can't be written so")
			}
			if !maps.Equal(imagesOf(got), imagesOf([]byte(sample))) {
				t.Errorf("it does not say the same:\n%s", got)
			}
			if f.name != asItIs && string(got) == sample {
				t.Error("it is as it was")
			}
		})
	}
}

// written is the sample in a form.
func written(t *testing.T, name string) []byte {
	t.Helper()
	for _, f := range forms {
		if f.name == name {
			data, _ := f.write([]byte(sample))
			return data
		}
	}
	t.Fatalf("no form %s", name)
	return nil
}

func TestFormsAreWhatTheySay(t *testing.T) {
	if crlf := written(t, "CRLF"); bytes.Count(crlf, []byte("\r\n")) != strings.Count(sample, "\n") {
		t.Errorf("CRLF: %q", crlf)
	}
	if both := written(t, "CRLF and BOM"); !bytes.HasPrefix(both, []byte(byteOrderMark+"# a comment\r\n")) {
		t.Errorf("CRLF and BOM: %q", both)
	}
	if cut := written(t, "no final newline"); string(cut)+"\n" != sample {
		t.Errorf("no final newline: %q", cut)
	}
	for _, name := range []string{"accents and emoji", onOneLine + ", all in front"} {
		line, _, _ := strings.Cut(string(written(t, name)), "flow:v1")
		if line = line[strings.LastIndex(line, "\n")+1:]; !strings.Contains(line, accents) {
			t.Errorf("%s: nothing on the line of the image: %q", name, line)
		}
	}
	for name, separator := range map[string]string{"NEL": "\u0085", "LS": "\u2028", "PS": "\u2029"} {
		if got := strings.Count(string(written(t, name)), separator); got != 3 {
			t.Errorf("%s: %d separators, want one at the top and one before each image", name, got)
		}
	}
	if line := written(t, onOneLine); !json.Valid(line) || bytes.Count(line, []byte("\n")) != 1 {
		t.Errorf("JSON on one line: %q", line)
	}
	if text := written(t, "JSON indented"); !json.Valid(text) || bytes.Count(text, []byte("\n")) < 10 {
		t.Errorf("JSON indented: %q", text)
	}
}

func TestFormsThatCannotBe(t *testing.T) {
	for name, data := range map[string]string{
		"CRLF": "services: {}", "BOM": byteOrderMark + "services: {}", "no final newline": "services: {}",
		"NEL": "- a list\n", "accents and emoji": "services: [", "JSON on one line": "services: [", "JSON indented": "a: .nan\n", "LS": "",
	} {
		for _, f := range forms {
			if f.name != name {
				continue
			}
			if got, ok := f.write([]byte(data)); ok {
				t.Errorf("%s of %q is %q", name, data, got)
			}
		}
	}
}

func TestStringKeys(t *testing.T) {
	var value any
	if err := yaml.Unmarshal([]byte("a: [{1: {true: x}}]"), &value); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(stringKeys(value))
	if err != nil || string(got) != `{"a":[{"1":{"true":"x"}}]}` {
		t.Errorf("got %s, %v", got, err)
	}
}
