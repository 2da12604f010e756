package semver

import (
	"slices"
)

// projectFile finds the version of a .NET project: Version, else VersionPrefix, of a PropertyGroup.
func projectFile(d *document) ([]scalar, error) {
	found := map[string][]scalar{}
	err := walkXML(d, func(path []string, s scalar) {
		if len(path) == 3 && slices.Equal(path[:2], []string{"Project", "PropertyGroup"}) {
			found[path[2]] = append(found[path[2]], s)
		}
	})
	if err != nil || len(found["Version"]) > 0 {
		return found["Version"], err
	}
	prefix, suffix := found["VersionPrefix"], found["VersionSuffix"]
	if len(prefix) > 0 && len(suffix) > 0 {
		return nil, d.fail(suffix[0].start, "write both as one Version", "the version is put together of VersionPrefix and VersionSuffix")
	}
	return prefix, nil
}
