package promotion

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/distribution/reference"

	"promote/compose"
	"promote/registry"
)

// goodOnes is how many good releases stay at hand besides the present one.
const goodOnes = 3

// Kept is a release whose image stays on an environment's machine, and why: a rollback to it takes no
// longer than a restart, and needs no registry.
type Kept struct {
	Release registry.Release `json:"release"`
	Why     string           `json:"why"`
}

// Keep are the releases of one service that stay at hand, by the marks that an environment's journal has of
// it: the current one, the one it is held at, where a rollback goes, and the last three others that were
// good there. What ran and is not bad was good: a deployment that does not end well leaves no mark.
func Keep(marks []Mark, now time.Time) []Kept {
	r := fold(marks)
	var kept []Kept
	add := func(release registry.Release, why string) {
		if !slices.ContainsFunc(kept, func(k Kept) bool { return Same(k.Release, release) }) {
			kept = append(kept, Kept{release, why})
		}
	}
	if len(r.ran) > 0 {
		add(r.current, "current")
	}
	if hold := Hold(marks, now); hold != nil {
		held, known := r.find(hold.Release)
		if !known {
			held = hold.Release
		}
		add(held, "held")
	}
	good := 0
	for _, release := range slices.Backward(r.ran) {
		if good < goodOnes && !Same(release, r.current) && verdict(r.bad, release) == nil {
			before := len(kept)
			add(release, "good")
			good += len(kept) - before
		}
	}
	if back, ok := r.back(r.current); ok {
		add(back, "a rollback goes there")
	}
	return kept
}

// Image is one that an engine has.
type Image struct {
	ID    string   `json:"id"`
	Names []string `json:"names"`             // REPOSITORY:TAG and REPOSITORY@DIGEST
	Size  int64    `json:"size"`              // bytes, layers that it shares with others included
	User  string   `json:"used_by,omitempty"` // a container that was made from it, running or not
}

// Holdings is what decides which images of a machine may go when those of one environment are tidied.
type Holdings struct {
	Repositories []string           // of the environment's services, as its compose files name them
	Known        []registry.Release // that its history knows
	Kept         []Kept             // by all histories that the machine has
	Doubts       []Doubt            // histories that could not be read
}

// Doubt is an image of whose repository nothing may go, since it is not known what has to stay.
type Doubt struct{ Image, Why string }

// Fate is an image of the environment's services, and what becomes of it.
type Fate struct {
	Image
	Why string `json:"why,omitempty"` // it stays; empty: it may go
}

// Judge says of each image of the environment's repositories whether it may go, sorted by name. Other images
// are not mentioned. One goes only if nothing speaks for it: no container was made from it, no history that
// the machine has keeps it, it has no name in another repository, and the environment's own history knows its
// digest: promote brought it, and it can be had again. What somebody built or pulled by hand stays.
func (h Holdings) Judge(images []Image) []Fate {
	var fates []Fate
	for _, i := range images {
		if slices.ContainsFunc(i.Names, h.ours) {
			fates = append(fates, Fate{i, h.reason(i)})
		}
	}
	slices.SortFunc(fates, func(a, b Fate) int { return cmp.Or(strings.Compare(a.Label(), b.Label()), strings.Compare(a.ID, b.ID)) })
	return fates
}

// Label is the image's name for people: its tag where it has one.
func (i Image) Label() string {
	if len(i.Names) == 0 {
		return i.ID
	}
	return slices.MinFunc(i.Names, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(a, "@"), strings.Count(b, "@")), strings.Compare(a, b))
	})
}

// reason is why an image stays, or empty.
func (h Holdings) reason(i Image) string {
	for _, k := range h.Kept {
		if i.is(k.Release) {
			return k.Why
		}
	}
	if i.User != "" {
		return i.User + " is made from it"
	}
	for _, name := range i.Names {
		if !h.ours(name) {
			return "it is also " + name
		}
		for _, d := range h.Doubts {
			if compose.SameRepository(named(name).Repository, named(d.Image).Repository) {
				return d.Why
			}
		}
	}
	if !slices.ContainsFunc(h.Known, i.pulledAs) {
		return "it is in no history"
	}
	return ""
}

func (h Holdings) ours(name string) bool {
	repository := named(name).Repository
	return slices.ContainsFunc(h.Repositories, func(r string) bool { return compose.SameRepository(r, repository) })
}

// is reports whether an image is a release, by its digest or by its tag: one that somebody gave the tag of a
// release that stays, stays too.
func (i Image) is(r registry.Release) bool {
	return i.pulledAs(r) || slices.ContainsFunc(i.Names, func(name string) bool {
		n := named(name)
		tag := r.Tag
		if r.Digest == "" {
			tag = cmp.Or(tag, "latest")
		}
		return n.Tag != "" && n.Tag == tag && compose.SameRepository(n.Repository, r.Repository)
	})
}

// pulledAs reports whether an image is known under the digest of a release.
func (i Image) pulledAs(r registry.Release) bool {
	return r.Digest != "" && slices.ContainsFunc(i.Names, func(name string) bool {
		n := named(name)
		return n.Digest == r.Digest && compose.SameRepository(n.Repository, r.Repository)
	})
}

// named takes an engine's name of an image apart. What is no name is of no repository.
func named(name string) registry.Release {
	ref, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return registry.Release{}
	}
	r := registry.Release{Repository: ref.Name()}
	if tagged, ok := ref.(reference.Tagged); ok {
		r.Tag = tagged.Tag()
	}
	if digested, ok := ref.(reference.Digested); ok {
		r.Digest = digested.Digest().String()
	}
	return r
}
