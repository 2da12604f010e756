package promotion

import (
	"fmt"

	"promote/registry"
	"promote/semver"
)

// Drift lists, in words, where the files, the journal and the running containers of a service do not
// say the same. A service that nobody has deployed with promote, and that does not run, has none.
func Drift(s ServiceState, tag semver.Template) []string {
	var drift []string
	r := fold(s.Marks)
	pin := s.Pin()
	present := registry.Release{Repository: s.Image, Tag: pin.Tag, Digest: pin.Digest}
	present.Version, _ = tag.Parse(pin.Tag)
	if len(r.ran) > 0 && !Same(r.current, present) {
		drift = append(drift, fmt.Sprintf("the file says %s, the history %s", Label(present), Label(r.current)))
	}
	for _, p := range s.Parts {
		if p.Compose.Pin != pin {
			drift = append(drift, fmt.Sprintf("%s is on %s, %s on %s in the files", s.Parts[0].Compose.Name, pinLabel(pin.String()), p.Compose.Name, pinLabel(p.Compose.Pin.String())))
		}
		drift = append(drift, containerDrift(p, r)...)
	}
	return drift
}

func containerDrift(p Part, r record) []string {
	var drift []string
	for _, c := range p.Containers {
		switch {
		case c.Image != p.Compose.Image:
			drift = append(drift, fmt.Sprintf("container %s runs %s, the file says %s", c.Name, c.Image, p.Compose.Image))
		case r.current.Digest != "" && c.Digest != "" && c.Digest != r.current.Digest:
			drift = append(drift, fmt.Sprintf("container %s runs another digest of %s than was deployed", c.Name, c.Image))
		}
	}
	return drift
}

// Label names a release for people: the version where there is one, else the tag, else the digest.
func Label(r registry.Release) string {
	switch {
	case !r.Version.IsZero():
		return r.Version.String()
	case r.Tag != "":
		return r.Tag
	case r.Digest != "":
		return Short(r.Digest)
	}
	return "latest (implicit)"
}

// Short is a digest as people compare them: the algorithm and twelve digits.
func Short(digest string) string {
	const shown = len("sha256:") + 12
	if len(digest) > shown {
		return digest[:shown]
	}
	return digest
}

func pinLabel(pin string) string {
	if pin == "" {
		return "latest (implicit)"
	}
	return pin
}
