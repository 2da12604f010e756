package semver

import (
	"slices"
	"testing"
)

func TestNotations(t *testing.T) {
	tests := []struct {
		name     string
		notation *notation
		version  string
		text     string // empty: it can't be spelled
	}{
		{"Python", pythonNotation, "1.4.2", "1.4.2"},
		{"Python", pythonNotation, "1.5.0-rc.1+b.5", "1.5.0-rc.1+b.5"},
		{"Python", pythonNotation, "1.5.0-dev", "1.5.0-dev"},
		{"Python", pythonNotation, "1.5.0-next.1", ""},
		{"Python", pythonNotation, "1.5.0-1", ""}, // a post-release to Python
		{"Python", pythonNotation, "1.5.0-rc.1.2", ""},
		{"Python", pythonNotation, "1.5.0+b--5", ""},

		{"lock of uv", pythonLockNotation, "1.4.2", "1.4.2"},
		{"lock of uv", pythonLockNotation, "1.5.0-alpha.0", "1.5.0a0"},
		{"lock of uv", pythonLockNotation, "1.5.0-beta.10", "1.5.0b10"},
		{"lock of uv", pythonLockNotation, "1.5.0-rc.1", "1.5.0rc1"},
		{"lock of uv", pythonLockNotation, "1.5.0-dev.3+b.5", "1.5.0.dev3+b.5"},
		{"lock of uv", pythonLockNotation, "1.5.0-next.1", ""},

		{"gem", gemNotation, "1.4.2", "1.4.2"},
		{"gem", gemNotation, "1.5.0-rc.1", "1.5.0.rc.1"},
		{"gem", gemNotation, "1.5.0-rc1", "1.5.0.rc1"},
		{"gem", gemNotation, "1.5.0-0.pre", "1.5.0.0.pre"},
		{"gem", gemNotation, "1.5.0-1", ""}, // a fourth number, not a prerelease
		{"gem", gemNotation, "1.5.0-rc-1", ""},
		{"gem", gemNotation, "1.5.0+b", ""},
	}
	for _, test := range tests {
		v := MustParse(test.version)
		text, err := test.notation.write(v)
		if text != test.text && err == nil || (err == nil) != (test.text != "") {
			t.Errorf("%s: %s is written %q, %v", test.name, v, text, err)
		}
		if back, err := test.notation.read(text); test.text != "" && (err != nil || back != v) {
			t.Errorf("%s: %q is read %s, %v", test.name, text, back, err)
		}
	}
}

// What a tool other than uv wrote is read as well, and what is written for it is normal.
func TestNormalForm(t *testing.T) {
	tests := map[string]string{
		"1.5.0rc1": "1.5.0rc1", "1.5.0-rc.1": "1.5.0rc1", "1.5.0_RC-01": "1.5.0rc1", "1.5.0c1": "1.5.0rc1", "1.5.0-preview": "1.5.0rc0",
		"1.5.0.alpha.2": "1.5.0a2", "1.5.0b2": "1.5.0b2", "1.5.0dev4": "1.5.0.dev4",
	}
	for text, want := range tests {
		v, err := readPEP440(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := writePEP440(v); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", text, got, err, want)
		}
	}
	for _, long := range []string{"1.5.0-a.1", "1.5.0-alpha1", "1.5.0-ALPHA.1", "1.5.0-a-1"} {
		if got, err := writePEP440(MustParse(long)); err != nil || got != "1.5.0a1" {
			t.Errorf("%s: %s, %v", long, got, err)
		}
	}
}

// A file of Python that has no lock keeps Semantic Versioning; the lock beside it has Python's own.
func TestPrereleaseInLock(t *testing.T) {
	dir := write(t, map[string]string{
		"pyproject.toml": "[project]\nversion = \"1.4.2\"\n",
		"uv.lock":        "[[package]]\nname = \"core\"\nversion = \"1.4.2\"\nsource = { virtual = \".\" }\n",
	})
	file := File{Path: "pyproject.toml"}
	applied(t, file, dir, MustParse("1.5.0-rc.1"))
	holds(t, dir, map[string]string{
		"pyproject.toml": "[project]\nversion = \"1.5.0-rc.1\"\n",
		"uv.lock":        "[[package]]\nname = \"core\"\nversion = \"1.5.0rc1\"\nsource = { virtual = \".\" }\n",
	})
	edits := applied(t, file, dir, MustParse("1.5.0"))
	paths := []string{edits[0].Path, edits[1].Path}
	if !slices.Equal(paths, []string{"pyproject.toml", "uv.lock"}) {
		t.Errorf("%v", paths)
	}
}

// FuzzNotation makes sure that what is written is read as the same version, and what is read is written
// as the same text.
func FuzzNotation(f *testing.F) {
	for _, number := range []string{"1.4.2", "1.5.0-rc.1", "1.5.0.rc.1", "1.5.0-rc-1", "1.5.0rc1", "1.5.0-1", "1.5.0-beta+b.5"} {
		f.Add(number)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, n := range []*notation{pythonNotation, gemNotation} {
			if v, err := n.read(text); err == nil {
				if back, err := n.format(v, text); err != nil || back != text {
					t.Errorf("%q is %s and written %q, %v", text, v, back, err)
				}
			}
		}
		v, err := Parse(text)
		if err != nil {
			return
		}
		for _, n := range []*notation{pythonNotation, gemNotation} {
			written, err := n.write(v)
			if err != nil {
				continue
			}
			if back, err := n.read(written); err != nil || back != v {
				t.Errorf("%s is written %q and read %s, %v", v, written, back, err)
			}
		}
		// The normal form is one for several versions, and stays the same.
		if normal, err := writePEP440(v); err == nil {
			if back, err := readPEP440(normal); err != nil {
				t.Errorf("%s: %q can't be read: %v", v, normal, err)
			} else if again, err := writePEP440(back); err != nil || again != normal {
				t.Errorf("%s: %q became %q, %v", v, normal, again, err)
			}
		}
	})
}
