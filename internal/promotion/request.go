package promotion

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"promote/registry"
	"promote/semver"
)

// Request is everything that a plan depends on.
type Request struct {
	Kind      Kind
	ID        string // of the deployment
	By        string // who, from where
	Reason    string
	Target    Target
	State     State
	Upstream  *State                              // of the environment that this one takes its releases from
	Published map[string][]registry.TaggedVersion // by service; only of those that Lookups named
	Files     map[string]Files                    // by service; only of those that have tasks which ask
	Wanted    []Want                              // empty: every service
	Policy    Policy
	Reverts   string // the deployment that this takes back whole, since another host failed
	Look      bool   // nothing will be deployed: what the policy refuses is noted
	Options
}

// Options are what somebody may say on purpose.
type Options struct {
	Again       bool // take a release that is bad or was left
	Downgrade   bool // let deploy go to a lower version
	Keep        bool // pin: hold also when something newer is published
	Until       time.Time
	AcceptDrift bool
	// AcceptDigest takes the digest that the upstream environment verified without comparing it with the registry.
	AcceptDigest bool
	Emergency    bool   // pass the policy
	Schema       string // rollback: what becomes of migrations, one of SchemaKeep, SchemaUndo, SchemaRestore; empty: not said
}

// Want names a service and, where it matters, what it should be put on.
type Want struct {
	Service string
	Version semver.Version
	Tag     string // an exact tag that is not a version
}

// ParseWant reads SERVICE, SERVICE@VERSION or SERVICE@TAG.
func ParseWant(s string) (Want, error) {
	service, version, given := strings.Cut(s, "@")
	if service == "" || given && version == "" {
		return Want{}, fmt.Errorf("%q is not SERVICE or SERVICE@VERSION", s)
	}
	return Want{Service: service}.At(version)
}

// At is the same want at a version or tag; an empty one leaves it open.
func (w Want) At(version string) (Want, error) {
	if version == "" {
		return w, nil
	}
	if v, err := semver.Parse(version); err == nil {
		w.Version = v
		return w, nil
	}
	if err := semver.ValidTag(version); err != nil {
		return w, err
	}
	w.Tag = version
	return w, nil
}

// Open reports whether the want leaves the release to be chosen.
func (w Want) Open() bool { return w.Version.IsZero() && w.Tag == "" }

func (w Want) String() string {
	if w.Tag != "" {
		return w.Tag
	}
	return w.Version.String()
}

// Lookups names the services whose published versions the registry must be asked for before
// [Choose]. Going back needs none: a rollback works when the registry doesn't.
func Lookups(r Request) []string {
	var names []string
	for _, w := range r.wants() {
		known := false
		if s, ok := r.State.Service(w.Service); ok && !w.Open() {
			_, known = wantedIn(fold(s.Marks).ran, w)
		}
		if r.Kind == Pin && !known || r.Kind == Deploy && r.Upstream == nil {
			names = append(names, w.Service)
		}
	}
	return names
}

// wants are the services asked for; all of the target's when none is named.
func (r Request) wants() []Want {
	if len(r.Wanted) > 0 {
		return r.Wanted
	}
	var all []Want
	for _, s := range r.Target.Services {
		all = append(all, Want{Service: s.Name})
	}
	return all
}

// service finds a service of the target; an unknown name lists those that there are.
func (r Request) service(name string) (Service, error) {
	i := slices.IndexFunc(r.Target.Services, func(s Service) bool { return s.Name == name })
	if i < 0 {
		var names []string
		for _, s := range r.Target.Services {
			names = append(names, s.Name)
		}
		return Service{}, fmt.Errorf("no service %q in %s; there are %s", name, r.Target.Environment, strings.Join(names, ", "))
	}
	return r.Target.Services[i], nil
}

// wantedIn finds what is wanted among releases, newest first.
func wantedIn(releases []registry.Release, w Want) (registry.Release, bool) {
	for _, known := range slices.Backward(releases) {
		if w.Tag != "" && known.Tag == w.Tag || !w.Version.IsZero() && known.Version == w.Version {
			return known, true
		}
	}
	return registry.Release{}, false
}
