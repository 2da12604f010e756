package config

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("promote.schema.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("promote.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, data []byte) error {
	t.Helper()
	var document any
	if err := yaml.Unmarshal(data, &document); err != nil {
		t.Fatal(err)
	}
	return s.Validate(document)
}

func TestSchemaAcceptsWhatIsAccepted(t *testing.T) {
	s := compiled(t)
	for _, file := range []string{"testdata/full.yaml", "testdata/usual.yaml"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate(t, s, data); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestSchemaRefusesMistakes(t *testing.T) {
	s := compiled(t)
	for _, file := range []string{"ten", "types", "tasks", "checks"} {
		data, err := os.ReadFile(filepath.Join("testdata/mistakes", file+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if validate(t, s, data) == nil {
			t.Errorf("%s is accepted", file)
		}
	}
	for _, text := range []string{
		"{}", "services: {a: }", "services: {a: {image: i, x: y}}", "services: {a: {image: 1}}", "services: {'a b': {image: i}}",
		"services: {a: {image: i, version: {file: f, key: k, regex: r}}}",
		"services: {a: {image: i, build: {secrets: [{id: i}]}}}",
		"services: {a: {image: i, checks: [{timeout: 1s}]}}", "services: {a: {image: i, checks: [{tcp: 1, run: x}]}}",
		"services: {a: {image: i, checks: [{tcp: 65536}]}}", "services: {a: {image: i, checks: [{http: {port: 80, status: 99}}]}}",
		"services: {a: {image: i, after: []}}", "services: {a: {image: i, after: [b, b]}}",
		"{services: {a: {image: i}}, environments: {p: {confirm: yes}}}",
		"{services: {a: {image: i}}, environments: {p: {host: ssh://a, hosts: [ssh://b]}}}",
		"{services: {a: {image: i}}, environments: {p: {engine: k8s}}}",
	} {
		if validate(t, s, []byte(text)) == nil {
			t.Errorf("%s is accepted", text)
		}
		if _, err := parse("f", []byte(text), variables()); err == nil {
			t.Errorf("%s is accepted by the decoder", text)
		}
	}
}

// TestSchemaAndDecoderKnowTheSameKeys asks the decoder, not the tables: a key that it does not know is
// the one mistake that says "unknown key".
func TestSchemaAndDecoderKnowTheSameKeys(t *testing.T) {
	data, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	inSchema := schemaKeys(root, "")
	var inTables []string
	for _, l := range configKeys.lines("") {
		inTables = append(inTables, l.path)
	}
	slices.Sort(inSchema)
	slices.Sort(inTables)
	// An item of a list that may also stand alone is in the tables once.
	alone := slices.DeleteFunc(slices.Clone(inSchema), func(path string) bool {
		short := strings.ReplaceAll(path, "version[]", "version")
		return short != path && slices.Contains(inSchema, short)
	})
	if !slices.Equal(alone, inTables) {
		t.Errorf("schema\n%v\ntables\n%v", alone, inTables)
	}
	for _, path := range inSchema {
		_, err := parse("f", []byte(fileWith(path)), variables())
		if err != nil && strings.Contains(err.Error(), "unknown key") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// schemaKeys lists the properties within a schema as the reference writes them.
func schemaKeys(s map[string]any, path string) []string {
	var keys []string
	properties, _ := s["properties"].(map[string]any)
	for name, property := range properties {
		key := strings.TrimPrefix(path+"."+name, ".")
		keys = append(append(keys, key), schemaKeys(property.(map[string]any), key)...)
	}
	for keyword, suffix := range map[string]string{"additionalProperties": ".NAME", "items": "[]"} {
		if inner, ok := s[keyword].(map[string]any); ok {
			keys = append(keys, schemaKeys(inner, path+suffix)...)
		}
	}
	for _, keyword := range []string{"oneOf", "anyOf"} {
		alternatives, _ := s[keyword].([]any)
		for _, inner := range alternatives {
			keys = append(keys, schemaKeys(inner.(map[string]any), path)...)
		}
	}
	return keys
}

// fileWith is a file in which the key stands, with nothing for its value.
func fileWith(path string) string {
	var b strings.Builder
	for _, part := range strings.Split(path, ".") {
		name, item := strings.CutSuffix(part, "[]")
		b.WriteString("{" + name + ": ")
		if item {
			b.WriteString("[")
		}
	}
	text := b.String()
	for i := len(text) - 1; i >= 0; i-- {
		switch text[i] {
		case '{':
			b.WriteString("}")
		case '[':
			b.WriteString("]")
		}
	}
	return b.String()
}

func TestEveryKeyIsDescribed(t *testing.T) {
	for _, l := range configKeys.lines("") {
		if !strings.HasSuffix(l.doc, ".") || strings.Count(l.doc, ". ") > 0 {
			t.Errorf("%s: %q is not one sentence", l.path, l.doc)
		}
		if l.fallback != "" && l.words != "" || l.required && l.standard() != "required" {
			t.Errorf("%s has two defaults", l.path)
		}
	}
}

func TestReference(t *testing.T) { golden(t, "testdata/reference.golden", Reference()) }
