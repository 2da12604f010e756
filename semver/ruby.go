package semver

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// gemNotation is that of gems: 1.5.0.rc.1. A hyphen is something else to them.
var gemNotation = &notation{readGem, writeGem}

var (
	gemVersion = regexp.MustCompile(`^(\d+\.\d+\.\d+)(?:\.([0-9A-Za-z.]*[A-Za-z][0-9A-Za-z.]*))?$`)
	gemPre     = regexp.MustCompile(`^[0-9A-Za-z.]*[A-Za-z][0-9A-Za-z.]*$`)

	// rubyText is what can hold a # or a quote in Ruby: strings and comments.
	rubyText     = regexp.MustCompile(`(?ms)^=begin\b.*?^=end\b[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#[^\n]*`)
	rubyConstant = regexp.MustCompile(`(?m)(?:^|;)[ \t]*(?:\w+::)*VERSION[ \t]*=[ \t]*["']([^"'\n]*)["'](?:\.freeze)?(?:[ \t]+unless\b[^\n;]*)?[ \t\r]*(?:;|$)`)
	gemAttribute = regexp.MustCompile(`(?m)(?:^|[;|])[ \t]*\w+\.version[ \t]*=[ \t]*["']([^"'\n]*)["'](?:\.freeze)?[ \t\r]*(?:;|$)`)

	// The sections of a Gemfile.lock that name the gem which is developed beside it.
	gemPath      = regexp.MustCompile(`(?m)^PATH\r?\n  remote: \.\r?\n(?:  [^\n]*\n)*?  specs:\r?\n((?:    [^\n]*\n?)*)`)
	gemChecksums = regexp.MustCompile(`(?m)^CHECKSUMS\r?\n((?:  [^\n]*\n?)*)`)
)

// inRuby finds what an expression matches in a Ruby source.
func inRuby(expression *regexp.Regexp) finder {
	return func(d *document) ([]scalar, error) {
		return readCode(d, rubyText).matches(expression, 0, len(d.data)), nil
	}
}

func readGem(text string) (Version, error) {
	m := gemVersion.FindStringSubmatch(text)
	switch {
	case m == nil:
		v, err := Parse(text)
		if err != nil {
			return Version{}, err
		}
		dotted, err := writeGem(v)
		if err != nil {
			return Version{}, err
		}
		return Version{}, &notationError{fmt.Sprintf("%q is not a version of a gem", text), "write it as " + dotted}
	case m[2] == "":
		return Parse(m[1])
	}
	return Parse(m[1] + "-" + m[2])
}

func writeGem(v Version) (string, error) {
	p := v.parsed()
	pre := p.Prerelease()
	if p.Metadata() != "" || pre != "" && !gemPre.MatchString(pre) {
		return "", &notationError{fmt.Sprintf("a gem can't have the version %s", v.Number()), "take letters and numbers, and no build metadata: 1.5.0-rc.1"}
	}
	return strings.Replace(v.Number(), "-", ".", 1), nil
}

// gemLock is the nearest Gemfile.lock, which holds the versions of the gems that are developed beside it.
func gemLock(dir string, d *document) ([]companion, error) {
	folder, found, err := nearest(dir, d.path, "Gemfile.lock")
	if err != nil || !found {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(dir, folder))
	if err != nil {
		return nil, err
	}
	var gems []finder
	for _, e := range entries {
		if gem, is := strings.CutSuffix(e.Name(), ".gemspec"); is {
			gems = append(gems, lockedGem(gem))
		}
	}
	return []companion{{filepath.Join(folder, "Gemfile.lock"), spelled(gemNotation, each(gems...))}}, nil
}

func lockedGem(name string) finder {
	entry := regexp.MustCompile(`(?m)^ {2,4}` + regexp.QuoteMeta(name) + ` \(([^()\s]+)\)`)
	return func(d *document) (found []scalar, err error) {
		for _, section := range []*regexp.Regexp{gemPath, gemChecksums} {
			for _, m := range section.FindAllSubmatchIndex(d.data, -1) {
				found = append(found, d.matches(entry, m[2], m[3])...)
			}
		}
		return found, nil
	}
}
