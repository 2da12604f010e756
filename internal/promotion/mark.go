package promotion

import (
	"slices"
	"time"

	"promote/registry"
	"promote/semver"
)

// MarkKind is what a mark says about a release in an environment.
type MarkKind string

const (
	Running   MarkKind = "running"   // the service was put on it
	Verified  MarkKind = "verified"  // its checks passed here, or a person said so
	Unchecked MarkKind = "unchecked" // it stayed up, but nothing checks its health
	Bad       MarkKind = "bad"       // rolled back or blocked here
	Cleared   MarkKind = "cleared"   // no longer bad
	Approved  MarkKind = "approved"  // somebody wants it here
	Held      MarkKind = "held"      // plain deploy leaves the service alone
	Freed     MarkKind = "freed"     // the hold ended
	Locked    MarkKind = "locked"    // of no service: nobody deploys here
	Unlocked  MarkKind = "unlocked"  // of no service: they may again
)

// Mark is one thing that the journal says about a service. A deployment leaves marks when it ends well;
// verify, block and unpin leave marks of their own.
type Mark struct {
	Service    string           `json:"service"`
	Kind       MarkKind         `json:"kind"`
	Release    registry.Release `json:"release,omitzero"`
	Left       registry.Release `json:"left,omitzero"`        // Held: the newest that it keeps away, mostly what the service was on before
	Keep       bool             `json:"keep,omitempty"`       // Held: also when something newer is published
	Until      time.Time        `json:"until,omitzero"`       // Held: ends by itself then
	By         string           `json:"by,omitempty"`         // who
	At         time.Time        `json:"at,omitzero"`          // when, by the environment's clock
	Reason     string           `json:"reason,omitempty"`     // why
	Deployment string           `json:"deployment,omitempty"` // which deployment left it
}

// record is what a service's marks add up to.
type record struct {
	ran      []registry.Release // what it was put on, one after the other
	current  registry.Release   // the last one it was put on
	since    time.Time          // when
	verified []Mark
	bad      []Mark
	approved []Mark
	hold     *Mark
}

// fold reads marks in the order they were made.
func fold(marks []Mark) record {
	var r record
	for _, m := range marks {
		switch m.Kind {
		case Running:
			r.current, r.since = m.Release, m.At
			r.ran = append(r.ran, m.Release)
		case Verified:
			r.verified = append(r.verified, m)
		case Bad:
			r.bad = append(r.bad, m)
		case Cleared:
			r.bad = slices.DeleteFunc(r.bad, func(b Mark) bool { return Same(b.Release, m.Release) })
		case Approved:
			r.approved = append(r.approved, m)
		case Held:
			r.hold = &m
		case Freed:
			r.hold = nil
		}
	}
	return r
}

// Lock returns the mark by which somebody locked the environment, or nil. marks are those of no service.
func Lock(marks []Mark) *Mark {
	for i := range slices.Backward(marks) {
		switch marks[i].Kind {
		case Locked:
			return &marks[i]
		case Unlocked:
			return nil
		}
	}
	return nil
}

// find returns the release as the record knows it, with its digest.
func (r record) find(release registry.Release) (registry.Release, bool) {
	for _, known := range slices.Backward(r.ran) {
		if Same(known, release) {
			return known, true
		}
	}
	return registry.Release{}, false
}

// verdict returns the last mark of a list about a release.
func verdict(marks []Mark, release registry.Release) *Mark {
	for i := range slices.Backward(marks) {
		if Same(marks[i].Release, release) {
			return &marks[i]
		}
	}
	return nil
}

// back is where a rollback from present goes: the newest release that ran here before it, is not bad,
// and is not newer. A rollback never goes forward.
func (r record) back(present registry.Release) (registry.Release, bool) {
	for _, known := range slices.Backward(r.ran) {
		if !Same(known, present) && verdict(r.bad, known) == nil && !older(present, known) {
			return known, true
		}
	}
	return registry.Release{}, false
}

// Hold returns the hold that a service's marks amount to at a time, or nil.
func Hold(marks []Mark, now time.Time) *Mark {
	hold := fold(marks).hold
	if hold == nil || !hold.Until.IsZero() && !now.Before(hold.Until) {
		return nil
	}
	return hold
}

// Recorded is the mark of the release that the service was put on last, or nil.
func Recorded(marks []Mark) *Mark {
	for i := range slices.Backward(marks) {
		if marks[i].Kind == Running {
			return &marks[i]
		}
	}
	return nil
}

// Known is the release that a want names, as the marks know it, or else by its name alone.
func Known(s ServiceState, tag semver.Template, w Want) registry.Release {
	if w.Open() {
		return s.Present(tag)
	}
	for _, m := range slices.Backward(s.Marks) {
		if known, ok := wantedIn([]registry.Release{m.Release}, w); ok {
			return known
		}
	}
	if w.Tag != "" {
		return registry.Release{Repository: s.Image, Tag: w.Tag}
	}
	return registry.Release{Repository: s.Image, Tag: tag.Format(w.Version), Version: w.Version}
}

// Proven reports whether a release was verified in an environment and is not bad there.
func Proven(marks []Mark, release registry.Release) bool {
	r := fold(marks)
	return verdict(r.verified, release) != nil && verdict(r.bad, release) == nil
}

// Standing is what the marks say of a release in one word: verified, bad, unchecked, or nothing.
func Standing(marks []Mark, release registry.Release) string {
	switch {
	case IsBad(marks, release) != nil:
		return string(Bad)
	case Proven(marks, release):
		return string(Verified)
	case verdict(marks, release) != nil:
		return string(Unchecked)
	}
	return ""
}

// IsBad returns the mark that makes a release bad, or nil.
func IsBad(marks []Mark, release registry.Release) *Mark { return verdict(fold(marks).bad, release) }

// Same reports whether two releases are one: by digest where both have it, else by name. A release's
// identity is its digest; the version is only its name.
func Same(a, b registry.Release) bool {
	if a.Digest != "" && b.Digest != "" {
		return a.Digest == b.Digest
	}
	if !a.Version.IsZero() && !b.Version.IsZero() {
		return a.Version == b.Version
	}
	return a.Tag == b.Tag
}
