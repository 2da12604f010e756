package semver

import "testing"

func TestPrerelease(t *testing.T) {
	v := MustParse("v1.5.0-rc.9+build")
	if v.Final() != MustParse("v1.5.0") || !(Version{}).Final().IsZero() {
		t.Errorf("final %s", v.Final())
	}
	next, err := v.Prerelease("rc", 10)
	if err != nil || next != MustParse("v1.5.0-rc.10") {
		t.Errorf("%s, %v", next, err)
	}
	for _, identifier := range []string{"", "r c", "rc+", "rc..1", "é", "01"} {
		if got, err := v.Prerelease(identifier, 1); err == nil {
			t.Errorf("%q gives %s", identifier, got)
		}
	}
}

func TestPrereleaseNumber(t *testing.T) {
	tests := []struct {
		version, identifier string
		number              int
		ok                  bool
	}{
		{"1.5.0-rc.2", "rc", 2, true},
		{"1.5.0-rc.2", "beta", 0, false},
		{"1.5.0-rc", "rc", 0, false},
		{"1.5.0-rc.x", "rc", 0, false},
		{"1.5.0-rc.2.3", "rc", 0, false},
		{"1.5.0-rc.2.3", "rc.2", 3, true},
		{"1.5.0", "rc", 0, false},
	}
	for _, test := range tests {
		if number, ok := MustParse(test.version).PrereleaseNumber(test.identifier); number != test.number || ok != test.ok {
			t.Errorf("%s of %s: %d, %v", test.identifier, test.version, number, ok)
		}
	}
}

func TestInInitial(t *testing.T) {
	if Major.InInitial() != Minor || Minor.InInitial() != Minor || Patch.InInitial() != Patch {
		t.Error("only the major part is another one")
	}
	if !MustParse("0.9.0").Initial() || MustParse("1.0.0").Initial() {
		t.Error("0.x is initial, and nothing else")
	}
}
