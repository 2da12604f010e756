package notes

import (
	"bytes"
	"slices"
	"strings"
)

// splice replaces data[start:end].
type splice struct {
	start, end int
	text       string
}

func apply(data []byte, splices []splice) []byte {
	slices.SortStableFunc(splices, func(a, b splice) int { return a.start - b.start })
	var b bytes.Buffer
	at := 0
	for _, s := range splices {
		b.Write(data[at:s.start])
		b.WriteString(s.text)
		at = s.end
	}
	b.Write(data[at:])
	return b.Bytes()
}

// addresses changes those at the end of the file, by what stands there: the address that compares the
// last version with the branch tells how one that compares two versions looks.
func (c *Changelog) addresses(s Section, look style) (splices []splice) {
	unreleased, newest := c.definition("unreleased"), c.newestDefinition()
	label := look.v + s.Version.Number()
	if d := unreleased; d != nil {
		before, from, between, to, ok := comparison(d.url)
		if !ok {
			return nil
		}
		splices = append(splices, splice{d.urlStart, d.urlEnd, compared(before, s.Tag, between, to)})
		if look.open != "" && look.link == "" {
			splices = append(splices, c.defined(d.end, label, compared(before, from, between, s.Tag)))
		}
		return splices
	}
	if newest == nil || look.open == "" {
		return nil
	}
	if address := onward(newest.url, s.Tag); address != "" {
		splices = append(splices, c.defined(newest.start, label, address))
	}
	return splices
}

// defined is a new definition in a line of its own.
func (c *Changelog) defined(at int, label, address string) splice {
	line := "[" + label + "]: " + address + c.newline
	return splice{at, at, c.opened(at) + line}
}

func (c *Changelog) definition(label string) *definition {
	for i, d := range c.links {
		if strings.EqualFold(d.label, label) {
			return &c.links[i]
		}
	}
	return nil
}

// newestDefinition is that of the newest version.
func (c *Changelog) newestDefinition() *definition {
	if c.newest == nil || c.newest.style.open == "" {
		return nil
	}
	return c.definition(c.newest.style.v + c.versions[0].Number())
}

// bitbucketDots separate the revisions of a comparison on Bitbucket, the later one first.
const bitbucketDots = "%0D"

// comparison takes the address of a comparison apart.
func comparison(address string) (before, from, between, to string, ok bool) {
	at := strings.LastIndex(address, "/compare/")
	if at < 0 {
		return "", "", "", "", false
	}
	at += len("/compare/")
	before = address[:at]
	for _, between := range []string{"...", "..", bitbucketDots} {
		if from, to, ok := strings.Cut(address[at:], between); ok && from != "" && to != "" {
			if between == bitbucketDots {
				from, to = to, from
			}
			return before, from, between, to, true
		}
	}
	return "", "", "", "", false
}

func compared(before, from, between, to string) string {
	if between == bitbucketDots {
		from, to = to, from
	}
	return before + from + between + to
}

// onward is the address for the version after the one that has this address; empty if that can't be
// told. A first version has that of its tag.
func onward(address, tag string) string {
	if before, _, between, to, ok := comparison(address); ok {
		return compared(before, to, between, tag)
	}
	if at := strings.LastIndex(address, "/tag/"); at >= 0 {
		return address[:at] + "/tag/" + tag
	}
	return ""
}
