package notes

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"promote/semver"
)

// Section is a version that comes into a changelog.
type Section struct {
	Version semver.Version
	Tag     string  // of the commit; for the addresses at the end of the file
	Date    string  // 2026-11-21
	Groups  []Group // of what changed; used only where nobody wrote anything under Unreleased
}

// StructureError is a changelog with headings, none of which is that of a version or of Unreleased.
type StructureError struct{}

func (*StructureError) Error() string {
	return "no heading of it is that of a version or of Unreleased, so it is not known where the new version belongs"
}

// Hint is the heading that makes the place known.
func (*StructureError) Hint() string {
	return "write the heading ## [Unreleased] where the next version belongs"
}

// Changelog is a file in the manner of Keep a Changelog 1.1.0 (https://keepachangelog.com): headings of
// the second level, the newest version first, perhaps Unreleased before it.
type Changelog struct {
	mark       string // the byte order mark, if the file begins with one
	data       []byte // without it
	unreleased *heading
	newest     *heading // of a version
	others     bool     // there are headings that are neither
	versions   []semver.Version
	links      []definition
	newline    string
	bullet     string
}

// heading is a line that begins a section; the body goes to the next one.
type heading struct {
	start, end, bodyEnd int
	style               style
}

// style is how the headings of versions look.
type style struct {
	word, open, v, close string // "Version ", "[", "v", "]"
	link                 string // address in the heading itself
	before, after        string // around the date
	dated                bool
}

// definition is the address of a heading at the end of the file: [1.5.0]: https://…
type definition struct {
	start, end       int // of the line
	urlStart, urlEnd int
	label, url       string
}

var (
	anyHeading        = regexp.MustCompile(`^ {0,3}#{1,2}[ \t]`)
	unreleasedHeading = regexp.MustCompile(`(?i)^## +(\[?)unreleased\b`)
	versionHeading    = regexp.MustCompile(`^## +((?:[Vv]ersion|[Rr]elease) +)?(\[?)(v?)(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)(\]?)(?:\(([^)]*)\))?(.*)$`)
	otherHeading      = regexp.MustCompile(`^##|\d+\.\d+\.\d+`) // a title is none, unless it names a version
	headingDate       = regexp.MustCompile(`^([\s–—(-]*)\d{4}-\d{2}-\d{2}(\)?)`)
	linkDefinition    = regexp.MustCompile(`^\[([^\]]+)\]:[ \t]*(\S+)[ \t]*\r?\n?$`)
	fence             = regexp.MustCompile("^ {0,3}(?:```|~~~)")
	firstBullet       = regexp.MustCompile(`(?m)^([-*+]) \S`)
)

// bom is the byte order mark that some editors put in front of UTF-8.
const bom = "\ufeff"

// ReadChangelog looks at the structure of a changelog.
func ReadChangelog(data []byte) *Changelog {
	c := &Changelog{newline: "\n", bullet: "-"}
	if rest, marked := bytes.CutPrefix(data, []byte(bom)); marked {
		c.mark, data = bom, rest
	}
	c.data = data
	if first, _, _ := bytes.Cut(data, []byte("\n")); bytes.HasSuffix(first, []byte("\r")) {
		c.newline = "\r\n"
	}
	if m := firstBullet.FindSubmatch(data); m != nil {
		c.bullet = string(m[1])
	}
	c.scan()
	return c
}

// scan goes through the lines; what stands in code or comments is no structure.
func (c *Changelog) scan() {
	var last *heading
	code, comment := false, false
	for start := 0; start < len(c.data); {
		end := lineEnd(c.data, start)
		line := string(c.data[start:end])
		if fence.MatchString(line) && !comment {
			code = !code
		}
		if !code && !comment {
			if h, found := c.line(start, end, line); found {
				closeBody(last, start)
				last = h
			}
		}
		if !code {
			comment = opens(line, comment)
		}
		start = end
	}
	closeBody(last, c.beforeLinks())
}

func lineEnd(data []byte, start int) int {
	if i := bytes.IndexByte(data[start:], '\n'); i >= 0 {
		return start + i + 1
	}
	return len(data)
}

// opens reports whether a comment is open behind the line.
func opens(line string, comment bool) bool {
	begin, end := strings.LastIndex(line, "<!--"), strings.LastIndex(line, "-->")
	if begin < 0 && end < 0 {
		return comment
	}
	return begin > end
}

func closeBody(h *heading, at int) {
	if h != nil {
		h.bodyEnd = max(at, h.end)
	}
}

// line takes note of a line, and returns the section that it begins; nil for one that is of no interest.
func (c *Changelog) line(start, end int, line string) (h *heading, begins bool) {
	text := strings.TrimRight(line, " \t\r\n")
	if m := linkDefinition.FindStringSubmatchIndex(line); m != nil {
		c.links = append(c.links, definition{start: start, end: end, urlStart: start + m[4], urlEnd: start + m[5],
			label: line[m[2]:m[3]], url: line[m[4]:m[5]]})
		return nil, false
	}
	if !anyHeading.MatchString(text) {
		return nil, false
	}
	h = &heading{start: start, end: end}
	switch m := versionHeading.FindStringSubmatch(text); {
	case m != nil:
		c.version(h, m)
	case unreleasedHeading.MatchString(text):
		c.unreleased = cmp.Or(c.unreleased, h)
		h.style.open = unreleasedHeading.FindStringSubmatch(text)[1]
	default:
		c.others = c.others || otherHeading.MatchString(text)
	}
	return h, true
}

func (c *Changelog) version(h *heading, m []string) {
	v, err := semver.Parse(m[4])
	if err != nil {
		return
	}
	h.style = style{word: m[1], open: m[2], v: m[3], close: m[5], link: m[6]}
	if d := headingDate.FindStringSubmatch(m[7]); d != nil {
		h.style.dated, h.style.before, h.style.after = true, d[1], d[2]
	}
	c.versions = append(c.versions, v)
	c.newest = cmp.Or(c.newest, h)
}

// beforeLinks is where the addresses at the end of the file begin; its end, if there are none.
func (c *Changelog) beforeLinks() int {
	at := len(c.data)
	for _, d := range slices.Backward(c.links) {
		if len(bytes.TrimSpace(c.data[d.end:at])) > 0 {
			break
		}
		at = d.start
	}
	return at
}

// Has reports whether a version has its section already.
func (c *Changelog) Has(v semver.Version) bool { return slices.Contains(c.versions, v) }

// Written reports whether somebody wrote something under Unreleased.
func (c *Changelog) Written() bool {
	if c.unreleased == nil {
		return false
	}
	comment := false
	for line := range strings.Lines(string(c.data[c.unreleased.end:c.unreleased.bodyEnd])) {
		inside := comment
		comment = opens(line, comment)
		text := strings.TrimSpace(line)
		if text != "" && !inside && !strings.HasPrefix(text, "<!--") && !strings.HasPrefix(text, "###") && !linkDefinition.MatchString(line) {
			return true
		}
	}
	return false
}

// Insert is the file with the section of a version. What stands under Unreleased becomes that of the
// version; where nothing stands there, it is made from the groups. Every other byte stays, but for the
// addresses at the end, where the file has them: that of Unreleased goes on from the new version, and
// the new version gets one. A version that has its section already changes nothing.
func (c *Changelog) Insert(s Section) ([]byte, error) {
	if c.Has(s.Version) {
		return append([]byte(c.mark), c.data...), nil
	}
	if c.unreleased == nil && c.newest == nil && c.others {
		return nil, &StructureError{}
	}
	look := c.look()
	splices := c.addresses(s, look)
	line := "## " + look.heading(s) + c.newline
	if c.Written() {
		splices = append(splices, splice{c.unreleased.end, c.unreleased.end, c.opened(c.unreleased.end) + c.newline + line})
	} else {
		at := c.place()
		splices = append(splices, splice{at, at, c.apart(at, line+c.body(s.Groups))})
	}
	return append([]byte(c.mark), apply(c.data, splices)...), nil
}

// opened ends the line before a place, if it is the last of the file and not ended.
func (c *Changelog) opened(at int) string {
	if at > 0 && c.data[at-1] != '\n' {
		return c.newline
	}
	return ""
}

// place is where a section with a body of its own goes.
func (c *Changelog) place() int {
	switch {
	case c.unreleased != nil:
		return c.unreleased.bodyEnd
	case c.newest != nil:
		return c.newest.start
	}
	return c.beforeLinks()
}

// apart puts a blank line between a section and what stands before and after it.
func (c *Changelog) apart(at int, section string) string {
	before, after := "", ""
	if at > 0 && !bytes.HasSuffix(bytes.ReplaceAll(c.data[:at], []byte("\r"), nil), []byte("\n\n")) {
		before = c.opened(at) + c.newline
	}
	if at < len(c.data) {
		after = c.newline
	}
	return before + section + after
}

func (c *Changelog) body(groups []Group) string {
	var b strings.Builder
	for _, g := range groups {
		fmt.Fprintf(&b, "%s### %s%s%s", c.newline, g.Title, c.newline, c.newline)
		for _, e := range g.Entries {
			fmt.Fprintf(&b, "%s %s%s", c.bullet, e.Markdown(), c.newline)
		}
	}
	return b.String()
}

// look is the style of the newest section. A file without one goes by the heading of Unreleased.
func (c *Changelog) look() style {
	if c.newest != nil {
		return c.newest.style
	}
	s := style{dated: true, before: " - "}
	if c.unreleased != nil && c.unreleased.style.open != "" {
		s.open, s.close = "[", "]"
	}
	return s
}

func (l style) heading(s Section) string {
	text := l.word + l.open + l.v + s.Version.Number() + l.close
	if l.link != "" {
		text = l.word + l.v + s.Version.Number()
		if address := onward(l.link, s.Tag); address != "" {
			text = l.word + l.open + l.v + s.Version.Number() + l.close + "(" + address + ")"
		}
	}
	if l.dated {
		text += l.before + s.Date + l.after
	}
	return text
}
