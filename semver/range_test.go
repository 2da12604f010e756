package semver

import (
	"fmt"
	"testing"
)

func TestRange(t *testing.T) {
	tests := []struct {
		text    string
		in, out []string
	}{
		{"", []string{"0.0.1", "9.0.0", "1.0.0+b"}, []string{"", "1.0.0-rc.1"}},
		{">=1.0.0", []string{"1.0.0", "2.1.0"}, []string{"", "0.9.9", "1.1.0-rc.1"}},
		{">=1.0.0-0", []string{"1.0.0-rc.1", "1.1.0-rc.1", "1.0.0"}, []string{"0.9.0"}},
		{">=1.0.0 <2.0.0", []string{"1.9.9"}, []string{"2.0.0", "2.0.0-rc.1"}},
		{"^1.4", []string{"1.4.0", "1.9.0"}, []string{"1.3.9", "2.0.0"}},
		{"~1.4.2", []string{"1.4.9"}, []string{"1.5.0", "1.4.1"}},
		{"1.x", []string{"1.0.0", "1.9.9"}, []string{"2.0.0"}},
		{"^1.0.0 || ^3.0.0", []string{"1.1.0", "3.1.0"}, []string{"2.0.0"}},
	}
	for _, test := range tests {
		r := unmarshal[Range](t, test.text)
		if r.String() != test.text {
			t.Errorf("%q is shown as %q", test.text, r)
		}
		for _, s := range test.in {
			if !r.Allows(unmarshal[Version](t, s)) {
				t.Errorf("%q leaves out %s", r, s)
			}
		}
		for _, s := range test.out {
			if r.Allows(unmarshal[Version](t, s)) {
				t.Errorf("%q has %q", r, s)
			}
		}
	}
	want := `"newest" is not a range of versions, such as >=1.0.0 or ^1.4`
	if _, err := ParseRange("newest"); message(err) != want {
		t.Errorf("%v", err)
	}
}

func TestLatest(t *testing.T) {
	versions := []Version{MustParse("1.9.0"), MustParse("1.10.0"), MustParse("2.0.0-rc.1"), {}, MustParse("1.2.0")}
	tests := map[string]string{"": "v1.10.0", "<1.5.0": "v1.2.0", ">=1.0.0-0": "v2.0.0-rc.1", ">3": ""}
	for text, want := range tests {
		v, found := Latest(versions, unmarshal[Range](t, text))
		if v.String() != want || found != (want != "") {
			t.Errorf("%q: %q, %t", text, v, found)
		}
	}
}

func ExampleRange_Allows() {
	r, err := ParseRange(">=1.0.0 <2.0.0")
	fmt.Println(r.Allows(MustParse("1.4.2")), r.Allows(MustParse("2.0.0")), r.Allows(MustParse("1.5.0-rc.1")), err)
	// Output: true false false <nil>
}
