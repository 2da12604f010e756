package release

import (
	"fmt"

	"promote/semver"
)

// BumpRequest is what a version is to become: one of Auto, Part and Exact is set.
type BumpRequest struct {
	Auto  bool           // what the commits ask for
	Part  semver.Part    // the part that is raised
	Exact semver.Version // this one
	// Prerelease is the identifier of a prerelease of that version; empty for the version itself.
	Prerelease string
	// Changed leaves out the services that no commit touched since their last version.
	Changed bool
}

// ParseBump reads auto, a part or a version, and the identifier of a prerelease, which may be empty.
func ParseBump(word, prerelease string) (BumpRequest, error) {
	request := BumpRequest{Prerelease: prerelease}
	if prerelease != "" {
		if _, err := semver.MustParse("1.0.0").Prerelease(prerelease, 1); err != nil {
			return request, &fixableError{text: err.Error(), hint: "promote bump auto --pre rc"}
		}
	}
	if word == "auto" {
		request.Auto = true
		return request, nil
	}
	part, ok := semver.ParsePart(word)
	if request.Part = part; ok {
		return request, nil
	}
	var err error
	if request.Exact, err = semver.Parse(word); err != nil {
		return request, &fixableError{text: fmt.Sprintf("%q is neither auto, major, minor, patch nor a version such as v1.4.2", word), hint: "promote bump --help"}
	}
	if prerelease != "" {
		return request, &fixableError{text: "a version and --pre exclude each other", hint: "promote bump auto --pre " + prerelease}
	}
	return request, nil
}
