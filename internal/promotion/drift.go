package promotion

import (
	"fmt"

	"promote/registry"
	"promote/semver"
)

// DriftKind names in which way files, journal and containers do not say the same.
type DriftKind string

const (
	Edited     DriftKind = "edited"       // the file does not say what the journal says was deployed last
	Split      DriftKind = "split"        // the files have compose services of one service on different versions
	NotApplied DriftKind = "not-applied"  // a container was made from another reference than the file has now
	OtherImage DriftKind = "other-digest" // a container runs other bits than were deployed, under the same name
	Missing    DriftKind = "missing"      // deployed, but fewer containers are there than the file wants
	Surplus    DriftKind = "surplus"      // more containers are there than the file wants
	Hosts      DriftKind = "hosts"        // the hosts of an environment are on different releases
)

// Drift is one difference, in words.
type Drift struct {
	Kind DriftKind `json:"kind"`
	Text string    `json:"text"`
}

// blocks reports whether a deployment must not build on it. A number of containers is put right by
// every deployment.
func (d Drift) blocks() bool { return d.Kind != Missing && d.Kind != Surplus }

func drift(kind DriftKind, format string, args ...any) Drift {
	return Drift{kind, fmt.Sprintf(format, args...)}
}

// Drifts lists where the files, the journal and the running containers of a service do not say the
// same. A service that nobody has deployed with promote, and that does not run, has none.
func Drifts(t Target, s ServiceState, tag semver.Template) []Drift {
	var list []Drift
	r := fold(s.Marks)
	pin := s.Pin()
	present := registry.Release{Repository: s.Image, Tag: pin.Tag, Digest: pin.Digest}
	present.Version, _ = tag.Parse(pin.Tag)
	deployed := len(r.ran) > 0
	if deployed && !Same(r.current, present) {
		list = append(list, drift(Edited, "the file says %s, the history %s", Label(present), Label(r.current)))
		r = record{} // what runs is compared with the file
	}
	for _, p := range s.Parts {
		if p.Compose.Pin != pin {
			list = append(list, drift(Split, "%s is on %s, %s on %s in the files", s.Parts[0].Compose.Name, PinLabel(pin.String()), p.Compose.Name, PinLabel(p.Compose.Pin.String())))
		}
		list = append(list, containerDrift(p, r)...)
		if t.Engine != EngineNone {
			list = append(list, countDrift(p, deployed)...)
		}
	}
	return list
}

func containerDrift(p Part, r record) []Drift {
	var list []Drift
	for _, c := range p.Containers {
		switch {
		case c.Image != p.Compose.Image:
			list = append(list, drift(NotApplied, "container %s runs %s, the file says %s", c.Name, c.Image, p.Compose.Image))
		case r.current.Digest != "" && c.Digest != "" && c.Digest != r.current.Digest:
			list = append(list, drift(OtherImage, "container %s runs %s as %s, deployed was %s", c.Name, c.Image, Short(c.Digest), Short(r.current.Digest)))
		}
	}
	return list
}

// countDrift compares how many containers there are with how many the file wants.
func countDrift(p Part, deployed bool) []Drift {
	wanted := p.Compose.Replicas
	if p.Compose.Disabled {
		wanted = 0
	}
	switch n := len(p.Containers); {
	case n < wanted && deployed:
		return []Drift{drift(Missing, "%s has %d of the %d containers that the file wants", p.Compose.Name, n, wanted)}
	case n > wanted && !p.Compose.Disabled:
		return []Drift{drift(Surplus, "%s has %d containers, the file wants %d", p.Compose.Name, n, wanted)}
	}
	return nil
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
func Short(digest string) string { return registry.ShortDigest(digest) }

// PinLabel shows what stands in a compose file behind the name of an image.
func PinLabel(pin string) string {
	if pin == "" {
		return "latest (implicit)"
	}
	return pin
}
