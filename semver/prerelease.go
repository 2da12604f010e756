package semver

import (
	"fmt"
	"strconv"
	"strings"

	masterminds "github.com/Masterminds/semver/v3"
)

// Initial reports whether the major version is 0: there is no promise yet (SemVer 2.0.0, section 4).
func (v Version) Initial() bool { return v.parsed().Major() == 0 }

// Final is the version without prerelease and build metadata; the zero Version stays that.
func (v Version) Final() Version {
	if v.IsZero() {
		return v
	}
	old := v.parsed()
	return Version{masterminds.New(old.Major(), old.Minor(), old.Patch(), "", "").String()}
}

// Prerelease is the numbered prerelease of a final version: v1.5.0 with rc and 2 is v1.5.0-rc.2. It
// fails for an identifier that SemVer 2.0.0, section 9, does not allow.
func (v Version) Prerelease(identifier string, number int) (Version, error) {
	next, err := Parse(fmt.Sprintf("%s-%s.%d", v.Final(), identifier, number))
	if err != nil || strings.Contains(identifier, "+") {
		return Version{}, fmt.Errorf("%q can't name a prerelease: letters, digits and hyphens, as in rc", identifier)
	}
	return next, nil
}

// PrereleaseNumber is the number of a prerelease with the identifier: 2 for v1.5.0-rc.2 and rc.
func (v Version) PrereleaseNumber(identifier string) (number int, ok bool) {
	text, ok := strings.CutPrefix(v.parsed().Prerelease(), identifier+".")
	if !ok {
		return 0, false
	}
	number, err := strconv.Atoi(text)
	return number, err == nil
}
