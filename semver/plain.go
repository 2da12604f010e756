package semver

import (
	"bytes"
	"fmt"
	"regexp"
)

// wholeFile finds the version in a file of nothing else, such as VERSION.
func wholeFile(d *document) ([]scalar, error) {
	data, offset := d.content()
	text := bytes.TrimSpace(data)
	if len(text) == 0 {
		return nil, nil
	}
	start := offset + bytes.Index(data, text)
	return []scalar{d.literal(start, start+len(text))}, nil
}

// byRegex finds what the expression's only group matches.
func byRegex(expression string) (finder, error) {
	re, err := regexp.Compile(expression)
	if err != nil {
		return nil, err
	}
	if re.NumSubexp() != 1 {
		return nil, fmt.Errorf("%q must have one capture group, which is the version: version = (.*)", expression)
	}
	return func(d *document) ([]scalar, error) { return d.matches(re, 0, len(d.data)), nil }, nil
}

// matches are what the first group of an expression matches in a part of the document.
func (d *document) matches(re *regexp.Regexp, from, to int) (found []scalar) {
	for _, m := range re.FindAllSubmatchIndex(d.data[from:to], -1) {
		if m[2] >= 0 {
			found = append(found, d.literal(from+m[2], from+m[3]))
		}
	}
	return found
}

// literal is the scalar of bytes that are their own value.
func (d *document) literal(start, end int) scalar {
	return scalar{start: start, end: end, text: string(d.data[start:end]), isString: true}
}
