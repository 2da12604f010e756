package examples_test

import (
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

// TestGitLabSchema: the workflow for GitLab is what GitLab's own schema wants. (GitHub's are checked by
// make lint.)
func TestGitLabSchema(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile("ci/testdata/gitlab-ci.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("ci/gitlab/gitlab-ci.yml")
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	if err := valid(t, schema, text); err != nil {
		t.Error(err)
	}
	for right, wrong := range map[string]string{
		"when: manual": "when: by-hand", "dotenv: promote.env": "dotenv: {}", "resource_group: prod": "resource_group: [prod]",
		"    - promote diff prod": "    promote: diff prod", "  before_script:": "  before_scripts:",
	} {
		mistake := strings.Replace(text, right, wrong, 1)
		if mistake == text || valid(t, schema, mistake) == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}

func valid(t *testing.T, schema *jsonschema.Schema, text string) error {
	t.Helper()
	var document any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		return err
	}
	return schema.Validate(document)
}
