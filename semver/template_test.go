package semver

import (
	"fmt"
	"strings"
	"testing"
)

func TestTemplate(t *testing.T) {
	tests := []struct {
		template, version, tag string
		also, not              []string
	}{
		{"", "1.4.2", "v1.4.2", []string{"1.4.2"}, []string{"vv1.4.2", "core/v1.4.2", "1.4", ""}},
		{"v{version}", "1.4.2+b", "v1.4.2_b", []string{"1.4.2_b"}, nil},
		{"{version}", "1.4.2", "1.4.2", nil, []string{"v1.4.2"}},
		{"core/v{version}", "1.4.2", "core/v1.4.2", []string{"core/1.4.2"}, []string{"v1.4.2", "mail/v1.4.2"}},
		{"{version}-alpine", "1.4.2", "1.4.2-alpine", nil, []string{"1.4.2"}},
		{"v{version}-alpine", "1.4.2-rc.1", "v1.4.2-rc.1-alpine", []string{"1.4.2-rc.1-alpine"}, []string{"-alpine"}},
	}
	for _, test := range tests {
		var template Template
		if test.template != "" {
			template = unmarshal[Template](t, test.template)
		}
		v := MustParse(test.version)
		if got := template.Format(v); got != test.tag {
			t.Errorf("%s: %s", template, got)
		}
		for _, tag := range append(test.also, test.tag) {
			if got, ok := template.Parse(tag); got != v || !ok {
				t.Errorf("%s: %s is %s, %t", template, tag, got, ok)
			}
		}
		for _, tag := range test.not {
			if got, ok := template.Parse(tag); ok {
				t.Errorf("%s: %s is %s", template, tag, got)
			}
		}
	}
	for _, text := range []string{"", "v", "{version}{version}"} {
		if _, err := ParseTemplate(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestValidTag(t *testing.T) {
	for tag, valid := range map[string]bool{
		"v1.4.2": true, "_": true, strings.Repeat("a", 128): true,
		"": false, "v1+b": false, ".v1": false, "-v1": false, "core/v1": false, strings.Repeat("a", 129): false,
	} {
		if err := ValidTag(tag); (err == nil) != valid {
			t.Errorf("%q: %v", tag, err)
		}
	}
}

func ExampleTemplate() {
	t, err := ParseTemplate("core/v{version}")
	fmt.Println(t.Format(MustParse("1.4.2")), err)
	fmt.Println(t.Parse("core/v1.5.0"))
	// Output:
	// core/v1.4.2 <nil>
	// v1.5.0 true
}
