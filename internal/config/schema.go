package config

import (
	"strconv"

	"encoding/json"
	"slices"

	"github.com/invopop/jsonschema"
)

// Schema gives the JSON Schema (draft 2020-12) of promote.yaml, indented, for editors. It is made from
// the tables that decode the file. It says what can be said about single values; what joins several (a
// `from` that names nothing, a cycle) only [Load] finds.
func Schema() ([]byte, error) {
	s := configKeys.schema()
	s.Version = jsonschema.Version
	s.Title = "promote.yaml"
	data, err := json.MarshalIndent(s, "", "  ")
	return append(data, '\n'), err
}

func (o object[T]) schema() *jsonschema.Schema {
	s := &jsonschema.Schema{
		Type:                 "object",
		Properties:           jsonschema.NewProperties(),
		AdditionalProperties: jsonschema.FalseSchema,
	}
	for _, k := range o.keys {
		s.Properties.Set(k.name, k.property())
		if k.required {
			s.Required = append(s.Required, k.name)
		}
	}
	for _, pair := range o.alone {
		both := &jsonschema.Schema{Required: slices.Clone(pair[:])}
		s.AllOf = append(s.AllOf, &jsonschema.Schema{Not: both})
	}
	for _, names := range o.needed {
		var some []*jsonschema.Schema
		for _, name := range names {
			some = append(some, &jsonschema.Schema{Required: []string{name}})
		}
		s.AllOf = append(s.AllOf, &jsonschema.Schema{AnyOf: some})
	}
	return s
}

func (e entry) property() *jsonschema.Schema {
	s := e.shape.schema()
	s.Description = e.doc
	switch e.fallback {
	case "":
	case "true", "false":
		s.Default = e.fallback == "true"
	default:
		s.Default = e.fallback
		if number, err := strconv.Atoi(e.fallback); err == nil {
			s.Default = number
		}
	}
	return s
}

// entriesSchema is a mapping from the user's names to such objects; an entry may be empty where nothing
// in it is required.
func (o object[T]) entriesSchema() *jsonschema.Schema {
	entry := o.schema()
	if len(entry.Required) == 0 {
		entry = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{entry, {Type: "null"}}}
	}
	return &jsonschema.Schema{
		Type:                 "object",
		PropertyNames:        &jsonschema.Schema{Pattern: entryName.String()},
		AdditionalProperties: entry,
	}
}
