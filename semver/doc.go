// Package semver parses, orders and bumps versions of Semantic Versioning 2.0.0, writes them as tags,
// and changes them in the files that hold them.
//
// A [Version] is a comparable value that is read strictly, with or without a leading v. [Range] is a set
// of versions, [Template] how a version is written as a tag:
//
//	v, err := semver.Parse("1.4.2")
//	next := v.Bump(semver.Minor) // v1.5.0
//
// A [File] is a place that holds a version: package.json, Cargo.toml, mix.exs, pyproject.toml,
// composer.json, VERSION, version.txt, any key of a JSON, TOML or YAML file, or whatever a regular
// expression finds:
//
//	file := semver.File{Path: "package.json"}
//	edits, err := file.Edit(dir, next) // package.json and package-lock.json
//	for _, e := range edits {
//		err = e.Apply(dir)
//	}
//
// What is promised: an edit is a splice of the version's bytes, found by a parser of the format, and no
// other byte moves: order, indentation, comments, line ends and byte order mark stay. It is verified
// before it is returned: the version is found in the edited file again. A change followed by the change
// back gives the original bytes. What can't be edited so is refused with the place, the reason and the
// way out ([Error]). Files are written atomically, and only if they are still as they were read.
package semver
