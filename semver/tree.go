package semver

import (
	"path/filepath"
	"slices"
	"strings"
)

// visitor gets every value of a document with its path of keys. Items of lists have their index as key.
// The path is valid during the call only.
type visitor func(path []string, s scalar)

// walker goes through a document of one format, in order.
type walker func(*document, visitor) error

var walkers = map[string]walker{
	".cfg": walkINI, ".ini": walkINI, ".json": walkJSON, ".properties": walkProperties, ".toml": walkTOML, ".xml": walkXML, ".yaml": walkYAML, ".yml": walkYAML,
}

// walkerOf is the walker for a file, by its extension.
func walkerOf(path string) (walker, bool) {
	walk, known := walkers[strings.ToLower(filepath.Ext(path))]
	return walk, known
}

// byKey finds the value of a key. A key on the way that stands twice is an error, since programs don't
// agree on which one counts.
func byKey(walk walker, keys ...string) finder {
	return func(d *document) (found []scalar, err error) {
		var double *Error
		seen := make([]bool, len(keys)+1)
		err = walk(d, func(path []string, s scalar) {
			n := len(path)
			if n > len(keys) || !slices.Equal(path, keys[:n]) {
				return
			}
			if seen[n] && double == nil {
				double = d.fail(s.start, "remove one of the two", "%s stands here for the second time", strings.Join(path, "."))
			}
			seen[n] = true
			if n == len(keys) {
				found = append(found, s)
			}
		})
		if err == nil && double != nil {
			err = double
		}
		return found, err
	}
}

// byKeys finds the values of dotted keys in a file whose extension says its format.
func byKeys(path string, keys []string) finder {
	walk, _ := walkerOf(path)
	var finders []finder
	for _, key := range keys {
		finders = append(finders, byKey(walk, strings.Split(key, ".")...))
	}
	return each(finders...)
}

// each finds the places of several finders.
func each(finders ...finder) finder {
	return func(d *document) (found []scalar, err error) {
		for _, find := range finders {
			places, err := find(d)
			if err != nil {
				return nil, err
			}
			found = append(found, places...)
		}
		return found, nil
	}
}
