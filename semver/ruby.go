package semver

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
)

// gemNotation is that of gems: 1.5.0.rc.1. A hyphen is something else to them.
var gemNotation = &notation{readGem, writeGem}

var (
	gemVersion = lazily(`^(\d+\.\d+\.\d+)(?:\.([0-9A-Za-z.]*[A-Za-z][0-9A-Za-z.]*))?$`)
	gemPre     = lazily(`^[0-9A-Za-z.]*[A-Za-z][0-9A-Za-z.]*$`)

	// rubyText is what can hold a # or a quote in Ruby: strings and comments.
	rubyText     = lazily(`(?ms)^=begin\b.*?^=end\b[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#[^\n]*`)
	rubyConstant = lazily(`(?m)(?:^|;)[ \t]*(?:\w+::)*VERSION[ \t]*=[ \t]*["']([^"'\n]*)["'](?:\.freeze)?(?:[ \t]+unless\b[^\n;]*)?[ \t\r]*(?:;|$)`)
	gemAttribute = lazily(`(?m)(?:^|[;|])[ \t]*\w+\.version[ \t]*=[ \t]*["']([^"'\n]*)["'](?:\.freeze)?[ \t\r]*(?:;|$)`)
	gemChecksums = lazily(`(?m)^CHECKSUMS\r?\n((?:  [^\n]*\n?)*)`)
)

// inRuby finds what an expression matches in a Ruby source.
func inRuby(expression func() *regexp.Regexp) finder {
	return func(d *document) ([]scalar, error) {
		return readCode(d, rubyText()).matches(expression(), 0, len(d.data)), nil
	}
}

func readGem(text string) (Version, error) {
	m := gemVersion().FindStringSubmatch(text)
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
	if p.Metadata() != "" || pre != "" && !gemPre().MatchString(pre) {
		return "", &notationError{fmt.Sprintf("a gem can't have the version %s", v.Number()), "take letters and numbers, and no build metadata: 1.5.0-rc.1"}
	}
	return strings.Replace(v.Number(), "-", ".", 1), nil
}

// gemLock is the nearest Gemfile.lock, which holds the version of a gem that is developed beside it, or in
// a folder below. Where several gems share a folder, it can't be told whose version a version.rb holds.
func gemLock(dir string, d *document) ([]companion, error) {
	home, gems, err := nearest(dir, d.path, "*.gemspec")
	if own := filepath.Base(d.path); filepath.Ext(own) == ".gemspec" {
		gems = []string{own}
	}
	if err != nil || len(gems) != 1 {
		return nil, err
	}
	folder, found, err := nearest(dir, d.path, "Gemfile.lock")
	if err != nil || found == nil {
		return nil, err
	}
	remote, err := filepath.Rel(folder, home)
	if err != nil {
		return nil, err
	}
	find := lockedGem(strings.TrimSuffix(gems[0], ".gemspec"), filepath.ToSlash(remote))
	return []companion{{filepath.Join(folder, "Gemfile.lock"), spelled(gemNotation, find)}}, nil
}

// lockedGem finds the version of a gem that is developed in a folder: in its own section, and where
// Bundler keeps checksums.
func lockedGem(name, remote string) finder {
	path := regexp.MustCompile(`(?m)^PATH\r?\n  remote: ` + regexp.QuoteMeta(remote) + `\r?\n(?:  [^\n]*\n)*?  specs:\r?\n((?:    [^\n]*\n?)*)`)
	entry := regexp.MustCompile(`(?m)^ {2,4}` + regexp.QuoteMeta(name) + ` \(([^()\s]+)\)`)
	return func(d *document) (found []scalar, err error) {
		for _, m := range path.FindAllSubmatchIndex(d.data, -1) {
			found = append(found, d.matches(entry, m[2], m[3])...)
		}
		if len(found) == 0 {
			return nil, nil
		}
		for _, m := range gemChecksums().FindAllSubmatchIndex(d.data, -1) {
			found = append(found, d.matches(entry, m[2], m[3])...)
		}
		return found, nil
	}
}
