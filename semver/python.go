package semver

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Python has a notation of its own, PEP 440. Its tools read 1.5.0-rc.1 as the same version as 1.5.0rc1,
// so its files hold Semantic Versioning here; what PEP 440 would take for something else is refused.
// Tools write lock files in the normal form.
var (
	pythonNotation     = &notation{readPython, writePython}
	pythonLockNotation = &notation{readPEP440, writePEP440}
)

var (
	pythonBuild = lazily(`^[0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*$`)
	pythonPre   = lazily(`(?i)^(alpha|a|beta|b|c|rc|pre|preview|dev)[.-]?(\d*)$`)
	pep440      = lazily(`(?i)^(\d+\.\d+\.\d+)(?:[._-]?(alpha|a|beta|b|c|rc|pre|preview|dev)[._-]?(\d*))?(\+[a-z0-9.]+)?$`)
	// normalPre are the prereleases of PEP 440 by what they are called elsewhere.
	normalPre = map[string]string{"alpha": "a", "a": "a", "beta": "b", "b": "b", "c": "rc", "rc": "rc", "pre": "rc", "preview": "rc", "dev": ".dev"}
	// longPre are the prereleases of Semantic Versioning by what PEP 440 calls them.
	longPre = map[string]string{"a": "alpha", "b": "beta", "rc": "rc", ".dev": "dev"}
)

// setupFile finds the version of a setup.cfg. One that says where else the version is holds none.
func setupFile(d *document) ([]scalar, error) {
	found, err := byKey(walkINI, "metadata", "version")(d)
	for _, s := range found {
		if strings.HasPrefix(s.text, "attr:") || strings.HasPrefix(s.text, "file:") {
			return nil, d.fail(s.start, "name that file in place of this one", "the version is in another file: %s", s.text)
		}
	}
	return found, err
}

func readPython(text string) (Version, error) {
	v, err := Parse(text)
	if err == nil {
		_, err = writePEP440(v)
		return v, err
	}
	if v, pepErr := readPEP440(text); pepErr == nil {
		return Version{}, &notationError{err.Error(), "write it as " + v.Number() + ", which is the same version to Python"}
	}
	return Version{}, err
}

func writePython(v Version) (string, error) {
	_, err := writePEP440(v)
	return v.Number(), err
}

func readPEP440(text string) (Version, error) {
	m := pep440().FindStringSubmatch(text)
	if m == nil {
		return Parse(text)
	}
	pre := ""
	if m[2] != "" {
		pre = "-" + longPre[normalPre[strings.ToLower(m[2])]] + "." + number(m[3])
	}
	return Parse(m[1] + pre + m[4])
}

// number is a number that may be left out, or have zeros in front.
func number(digits string) string {
	if digits = strings.TrimLeft(digits, "0"); digits != "" {
		return digits
	}
	return "0"
}

// writePEP440 writes a version in the normal form of PEP 440.
func writePEP440(v Version) (string, error) {
	p := v.parsed()
	text := fmt.Sprintf("%d.%d.%d", p.Major(), p.Minor(), p.Patch())
	if pre := p.Prerelease(); pre != "" {
		m := pythonPre().FindStringSubmatch(pre)
		if m == nil {
			return "", &notationError{fmt.Sprintf("Python has no prerelease such as %s", v.Number()), "take alpha, beta, rc or dev and a number: " + text + "-rc.1"}
		}
		text += normalPre[strings.ToLower(m[1])] + number(m[2])
	}
	if build := p.Metadata(); build != "" {
		if !pythonBuild().MatchString(build) {
			return "", &notationError{fmt.Sprintf("Python has no build such as %s", v.Number()), "part its letters and numbers by single dots: " + text + "+b.5"}
		}
		text += "+" + strings.ReplaceAll(strings.ToLower(build), "-", ".")
	}
	return text, nil
}

// uvLock is the nearest uv.lock, which holds the versions of the packages that are developed there. Those
// of Poetry, PDM and Pipenv hold the dependencies only.
func uvLock(dir string, d *document) ([]companion, error) {
	folder, found, err := nearest(dir, d.path, "uv.lock")
	if err != nil || found == nil {
		return nil, err
	}
	project, err := filepath.Rel(folder, filepath.Dir(d.path))
	if err != nil {
		return nil, err
	}
	place := filepath.ToSlash(project)
	find := lockedVersions(func(p lockedPackage) bool {
		return p["source.virtual"].text == place || p["source.editable"].text == place
	})
	return []companion{{filepath.Join(folder, "uv.lock"), spelled(pythonLockNotation, find)}}, nil
}
