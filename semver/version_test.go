package semver

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct{ in, number, mistake string }{
		{"1.4.2", "1.4.2", ""},
		{"v1.4.2", "1.4.2", ""},
		{"v2.0.0-rc.1+build.5", "2.0.0-rc.1+build.5", ""},
		{"0.0.0", "0.0.0", ""},
		{"", "", `"" is not a version: it is empty`},
		{"v", "", `"v" is not a version: it is empty`},
		{"1.5", "", `"1.5" is not a version: it should look like v1.4.2`},
		{"vv1.4.2", "", `"vv1.4.2" is not a version: it should look like v1.4.2`},
		{"1.04.2", "", `"1.04.2" is not a version: a number starts with 0`},
		{"latest", "", `"latest" is not a version: it should look like v1.4.2`},
	}
	for _, test := range tests {
		v, err := Parse(test.in)
		if v.Number() != test.number || message(err) != test.mistake {
			t.Errorf("%q: %q, %v", test.in, v.Number(), err)
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestMustParsePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a mistake was taken")
		}
	}()
	MustParse("1.5")
}

func TestFromTag(t *testing.T) {
	tests := map[string]string{
		"v1.4.2": "v1.4.2", "1.4.2": "v1.4.2", "v1.4.2-rc.1_b5": "v1.4.2-rc.1+b5",
		"1.5": "", "latest": "", "5f2c1e9": "", "v1.4.2_a_b": "", "": "",
	}
	for tag, want := range tests {
		v, ok := FromTag(tag)
		if v.String() != want || ok != (want != "") {
			t.Errorf("%s: %s, %t", tag, v, ok)
		}
		if ok && tag[0] == 'v' && v.Tag() != tag {
			t.Errorf("%s as a tag is %s", v, v.Tag())
		}
	}
}

func TestOrder(t *testing.T) {
	// SemVer 2.0.0, section 11, with the zero Version in front.
	order := []string{"", "0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.10", "1.2.0", "10.0.0"}
	var want []Version
	for _, s := range order {
		want = append(want, unmarshal[Version](t, s))
	}
	for i, v := range want {
		for j, w := range want {
			if v.Compare(w) != compareInts(i, j) || v.Less(w) != (i < j) {
				t.Errorf("%s against %s: %d", v, w, v.Compare(w))
			}
		}
	}
	sorted := slices.Clone(want)
	slices.Reverse(sorted)
	Sort(sorted)
	if !slices.Equal(sorted, want) {
		t.Errorf("sorted: %v", sorted)
	}
	if a, b := MustParse("1.0.0+a"), MustParse("1.0.0+b"); a == b || a.Compare(b) != 0 {
		t.Error("build metadata must tell versions apart and not order them")
	}
}

func compareInts(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func TestStable(t *testing.T) {
	for in, want := range map[string]bool{"": false, "1.0.0": true, "1.0.0+b": true, "1.0.0-rc.1": false} {
		if v := unmarshal[Version](t, in); v.Stable() != want {
			t.Errorf("%s: %t", v, v.Stable())
		}
	}
}

func TestBump(t *testing.T) {
	// The rows are what npm's semver.inc gives.
	tests := []struct{ from, major, minor, patch string }{
		{"1.4.2", "v2.0.0", "v1.5.0", "v1.4.3"},
		{"1.4.2+build", "v2.0.0", "v1.5.0", "v1.4.3"},
		{"2.0.0-rc.1", "v2.0.0", "v2.0.0", "v2.0.0"},
		{"1.5.0-rc.1", "v2.0.0", "v1.5.0", "v1.5.0"},
		{"1.4.2-rc.1", "v2.0.0", "v1.5.0", "v1.4.2"},
		{"0.0.0", "v1.0.0", "v0.1.0", "v0.0.1"},
		{"", "v1.0.0", "v0.1.0", "v0.0.1"},
	}
	for _, test := range tests {
		v := unmarshal[Version](t, test.from)
		for part, want := range map[Part]string{Major: test.major, Minor: test.minor, Patch: test.patch} {
			if got := v.Bump(part).String(); got != want {
				t.Errorf("%s bumped by %s: %s, not %s", v, part, got, want)
			}
		}
	}
}

func TestParsePart(t *testing.T) {
	for _, part := range []Part{Major, Minor, Patch} {
		if got, ok := ParsePart(part.String()); got != part || !ok {
			t.Errorf("%s: %s, %t", part, got, ok)
		}
	}
	if part, ok := ParsePart("huge"); ok {
		t.Errorf("huge is %s", part)
	}
}

func TestVersionText(t *testing.T) {
	type release struct {
		Version  Version
		Template Template
		Range    Range
	}
	for _, in := range []string{
		`{"Version":"v1.4.2-rc.1+b","Template":"core/v{version}","Range":"\u003e=1.0.0"}`,
		`{"Version":"","Template":"v{version}","Range":""}`,
	} {
		var r release
		if err := json.Unmarshal([]byte(in), &r); err != nil {
			t.Fatal(err)
		}
		if out, err := json.Marshal(r); err != nil || string(out) != in {
			t.Errorf("%s: %s, %v", in, out, err)
		}
	}
	for _, in := range []string{`{"Version":"1.5"}`, `{"Template":"v"}`, `{"Range":"newest"}`} {
		if err := json.Unmarshal([]byte(in), &release{}); err == nil {
			t.Errorf("%s was taken", in)
		}
	}
}

func unmarshal[T any, P interface {
	*T
	UnmarshalText([]byte) error
}](t *testing.T, text string) T {
	t.Helper()
	var value T
	if err := P(&value).UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return value
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"1.4.2", "v1.4.2-rc.1+b.5", "", "1.5", "v0.0.0", "99999999999999999999.0.0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := Parse(s)
		if err != nil {
			return
		}
		if s != v.String() && s != v.Number() {
			t.Errorf("%q became %s", s, v)
		}
		if again, ok := FromTag(v.Tag()); again != v || !ok {
			t.Errorf("%s came back from its tag as %s", v, again)
		}
		if next := v.Bump(Patch); !v.Less(next) || !next.Stable() {
			t.Errorf("%s bumped is %s", v, next)
		}
	})
}

func ExampleVersion_Bump() {
	v := MustParse("1.4.2")
	fmt.Println(v.Bump(Major), v.Bump(Minor), v.Bump(Patch))
	// Output: v2.0.0 v1.5.0 v1.4.3
}
