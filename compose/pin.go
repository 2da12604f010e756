package compose

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Pin is what follows the repository in an image reference: a tag, a digest, both, or nothing, which
// docker takes as the tag latest.
type Pin struct {
	Tag    string // v1.4.2
	Digest string // sha256:…
}

// grammar of tags and digests: OCI image spec; of the registered algorithms registries use sha256 and
// sha512.
var (
	tagGrammar    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)
	digestGrammar = regexp.MustCompile(`^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$`)
)

// ParsePin reads a pin as String writes it: "", v1.4.2, v1.4.2@sha256:…, @sha256:….
func ParsePin(s string) (Pin, error) {
	tag, digest, pinned := strings.Cut(s, "@")
	p := Pin{tag, digest}
	if tag != "" && !tagGrammar.MatchString(tag) {
		return Pin{}, fmt.Errorf("%q is not a tag", tag)
	}
	if pinned && !digestGrammar.MatchString(digest) {
		return Pin{}, fmt.Errorf("%q is not a digest", digest)
	}
	return p, nil
}

// String is the pin as it stands behind the repository, without the colon in front of a tag.
func (p Pin) String() string {
	if p.Digest == "" {
		return p.Tag
	}
	return p.Tag + "@" + p.Digest
}

// Join is the full reference of a repository at the pin.
func (p Pin) Join(repository string) string { return repository + p.suffix() }

// suffix is what stands behind the repository, separators included.
func (p Pin) suffix() string {
	s := ""
	if p.Tag != "" {
		s = ":" + p.Tag
	}
	if p.Digest != "" {
		s += "@" + p.Digest
	}
	return s
}

// MarshalText writes the pin as String does.
func (p Pin) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Pin) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePin(string(text))
	return err
}

// SplitReference splits an image reference into its repository and its pin. A colon before the last
// slash belongs to the registry's port.
func SplitReference(image string) (repository string, pin Pin, err error) {
	repository, digest, pinned := strings.Cut(image, "@")
	text := ""
	if pinned {
		text = "@" + digest
	}
	name := repository[strings.LastIndexByte(repository, '/')+1:]
	if i := strings.IndexByte(name, ':'); i >= 0 {
		text = name[i+1:] + text
		repository = repository[:len(repository)-len(name)+i]
		if name[i+1:] == "" {
			return "", Pin{}, fmt.Errorf("%q ends in a colon", image)
		}
	}
	if repository == "" || strings.HasSuffix(repository, "/") || strings.ContainsFunc(repository, unicode.IsSpace) {
		return "", Pin{}, fmt.Errorf("%q names no image", image)
	}
	pin, err = ParsePin(text)
	return repository, pin, err
}

// SameRepository reports whether two repositories are one for docker, which reads core as
// docker.io/library/core.
func SameRepository(a, b string) bool { return normal(a) == normal(b) }

func normal(repository string) string {
	registry, rest, found := strings.Cut(repository, "/")
	isRegistry := found && (strings.ContainsAny(registry, ".:") || registry == "localhost")
	if !isRegistry {
		registry, rest = "docker.io", repository
	}
	if registry == "index.docker.io" {
		registry = "docker.io"
	}
	if registry == "docker.io" && !strings.Contains(rest, "/") {
		rest = "library/" + rest
	}
	return registry + "/" + rest
}
