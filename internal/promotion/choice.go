package promotion

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"promote/registry"
	"promote/semver"
)

// Choice is the release that a service should be put on, or why it is left out. Where Release has no
// digest yet, and where it is [Request.Unvouched], the registry must be asked for the digest of its tag before [New].
type Choice struct {
	Service Service
	State   ServiceState
	Release registry.Release
	Left    *Mark   // the hold that ends with this
	Skip    string  // why it is left out; empty: it is not
	Tagged  *Tagged // what the registry says of the tag, where it was asked
	Notes   []string
}

// Choose picks a release for every service asked for. A service that was named and can't go is an
// error (all of them are given, joined); one that was not named is skipped with its reason.
func Choose(r Request) ([]Choice, error) {
	if err := r.gateLock(); err != nil {
		return nil, err
	}
	targets, err := r.targets()
	if err != nil {
		return nil, err
	}
	if len(targets) == 0 && r.Kind == Rollback {
		return nil, refuse("", gateNothingGood, "nothing was deployed to %s yet, so there is nothing to go back from", "promote history "+r.Target.Environment, r.Target.Environment)
	}
	var choices []Choice
	var failures, skips []error
	for _, w := range targets {
		c, err := r.choose(w)
		if err != nil && r.skippable(err) {
			skips = append(skips, err)
			c.Skip, err = err.(*Refusal).Reason, nil
		}
		if err != nil {
			failures = append(failures, err)
			continue
		}
		choices = append(choices, c)
	}
	if len(skips) == len(choices) {
		failures = append(failures, skips...) // "nothing to do" would hide that every service was refused
	}
	return choices, errors.Join(failures...)
}

// skippable reports whether a refused service may be left out: it wasn't named, and what stands in the
// way isn't drift, which somebody has to look at. Undoing a deployment leaves out what was new in it.
func (r Request) skippable(err error) bool {
	var refusal *Refusal
	if len(r.Wanted) > 0 || !errors.As(err, &refusal) {
		return false
	}
	return r.Kind == Deploy && refusal.Gate != gateDrift || r.Kind == Rollback && refusal.Gate == gateNothingGood
}

// targets are the wants of the request; a rollback without any undoes the last deployment as one unit.
func (r Request) targets() ([]Want, error) {
	for i, w := range r.Wanted {
		if slices.ContainsFunc(r.Wanted[:i], func(o Want) bool { return o.Service == w.Service }) {
			return nil, fmt.Errorf("%s is named twice", w.Service)
		}
	}
	if r.Kind != Rollback || len(r.Wanted) > 0 {
		return r.wants(), nil
	}
	last, when := "", time.Time{}
	for _, s := range r.State.Services {
		for _, m := range s.Marks {
			if m.Kind == Running && m.Deployment != "" && !m.At.Before(when) {
				last, when = m.Deployment, m.At
			}
		}
	}
	var wants []Want
	for _, s := range r.State.Services {
		if slices.ContainsFunc(s.Marks, func(m Mark) bool { return m.Kind == Running && m.Deployment == last && last != "" }) {
			wants = append(wants, Want{Service: s.Service})
		}
	}
	return wants, nil
}

func (r Request) choose(w Want) (Choice, error) {
	service, err := r.service(w.Service)
	if err != nil {
		return Choice{}, err
	}
	state, _ := r.State.Service(w.Service)
	c := Choice{Service: service, State: state}
	if state.Absent {
		return c, refuse(w.Service, "absent", "the compose files of %s don't run it", "name it under runs: in promote.yaml, or leave it out", r.Target.Environment)
	}
	if state.Problem != "" {
		return c, &problemError{state}
	}
	if err := r.gateDrift(service, state); err != nil {
		return c, err
	}
	switch r.Kind {
	case Rollback:
		err = r.goBack(&c)
	case Pin:
		err = r.choosePin(&c, w)
	default:
		err = r.chooseDeploy(&c, w)
	}
	return c, err
}

func (r Request) goBack(c *Choice) error {
	present := c.State.Present(c.Service.Tag)
	release, ok := fold(c.State.Marks).back(present)
	if !ok {
		return refuse(c.Service.Name, gateNothingGood, "nothing older than %s was good in %s, so there is nothing to go back to",
			fmt.Sprintf("promote pin %s %s@VERSION", r.Target.Environment, c.Service.Name), Label(present), r.Target.Environment)
	}
	c.Release = release
	return nil
}

func (r Request) choosePin(c *Choice, w Want) error {
	if w.Open() {
		return fmt.Errorf("%s: pin to which version?", w.Service)
	}
	release, known := wantedIn(fold(c.State.Marks).ran, w)
	if !known {
		var err error
		if release, err = r.published(c.Service, w); err != nil {
			return err
		}
	}
	c.Release = release
	if err := r.gateBad(c, fmt.Sprintf("promote pin %s %s@%s --again", r.Target.Environment, w.Service, Label(release))); err != nil {
		return err
	}
	if r.Upstream != nil && !known {
		up, _ := r.Upstream.Service(w.Service)
		if found, ok := wantedIn(fold(up.Marks).ran, w); ok && Proven(up.Marks, found) {
			c.Release = found
		} else {
			c.Notes = append(c.Notes, fmt.Sprintf("%s was not verified in %s", Label(release), r.Upstream.Environment))
		}
	}
	return r.gatePolicy(c)
}

func (r Request) chooseDeploy(c *Choice, w Want) error {
	var err error
	if c.Release, err = r.deployable(c.Service, w); err != nil {
		return err
	}
	again := fmt.Sprintf("promote deploy %s %s@%s --again", r.Target.Environment, w.Service, Label(c.Release))
	if err := r.gateHold(c, w, again); err != nil {
		return err
	}
	if err := r.gateBad(c, again); err != nil {
		return err
	}
	if err := r.gateOlder(c); err != nil {
		return err
	}
	return r.gatePolicy(c)
}

// deployable is the release that deploy means, before any gate.
func (r Request) deployable(s Service, w Want) (registry.Release, error) {
	switch {
	case r.Upstream != nil:
		return r.fromUpstream(s, w)
	case w.Open():
		return r.newest(s)
	}
	return r.published(s, w)
}

// newest is the highest published version that the environment accepts.
func (r Request) newest(s Service) (registry.Release, error) {
	tags := map[semver.Version]string{}
	var versions []semver.Version
	for _, p := range r.Published[s.Name] {
		versions = append(versions, p.Version)
		tags[p.Version] = p.Tag
	}
	latest, ok := semver.Latest(versions, r.Target.Accept)
	if !ok {
		return registry.Release{}, refuse(s.Name, "accept", "no published version of %s that %s accepts",
			"promote versions "+s.Name, s.Image, r.Target.Environment)
	}
	return registry.Release{Repository: s.Image, Tag: tags[latest], Version: latest}, nil
}

// published is the release that was asked for by name. A tag that is not a version is taken as it is:
// whether it exists is for the registry to say.
func (r Request) published(s Service, w Want) (registry.Release, error) {
	if w.Tag != "" {
		return registry.Release{Repository: s.Image, Tag: w.Tag}, nil
	}
	var nearest semver.Version
	for _, p := range r.Published[s.Name] {
		if p.Version == w.Version {
			return registry.Release{Repository: s.Image, Tag: p.Tag, Version: p.Version}, nil
		}
		nearest = p.Version
	}
	text := ""
	if !nearest.IsZero() {
		text = fmt.Sprintf("; the newest is %s", nearest)
	}
	return registry.Release{}, &NotPublishedError{Service: s.Name, Image: s.Image, Version: w.Version, more: text}
}

// fromUpstream is the release that the upstream environment verified last, or the one asked for if it
// was verified there. Its digest is the one that was proven there; gateDigest compares it with the tag.
func (r Request) fromUpstream(s Service, w Want) (registry.Release, error) {
	up, _ := r.Upstream.Service(s.Name)
	record := fold(up.Marks)
	for _, m := range slices.Backward(record.verified) {
		_, wanted := wantedIn([]registry.Release{m.Release}, w)
		if (wanted || w.Open() && r.Target.Accept.Allows(m.Release.Version)) && verdict(record.bad, m.Release) == nil {
			return m.Release, nil
		}
	}
	env := r.Upstream.Environment
	if !w.Open() {
		return registry.Release{}, refuse(s.Name, "verified", "%s was not verified in %s", fmt.Sprintf("promote deploy %s %s@%s", env, s.Name, w), w, env)
	}
	advice := fmt.Sprintf("promote deploy %s %s", env, s.Name)
	if len(record.ran) > 0 {
		advice = fmt.Sprintf("promote verify %s %s", env, s.Name)
	}
	if len(record.verified) > 0 {
		return registry.Release{}, refuse(s.Name, "verified", "nothing that %s accepts is verified and not bad in %s", advice, r.Target.Environment, env)
	}
	return registry.Release{}, refuse(s.Name, "verified", "nothing is verified in %s yet", advice, env)
}

// problemError is a service that can't be moved, in the words of whoever found that.
type problemError struct{ state ServiceState }

func (e *problemError) Error() string { return e.state.Problem }

// Hint is theirs, too.
func (e *problemError) Hint() string { return e.state.Advice }

// NotPublishedError is a version that the registry doesn't have.
type NotPublishedError struct {
	Service, Image string
	Version        semver.Version
	more           string
}

func (e *NotPublishedError) Error() string {
	return fmt.Sprintf("%s: %s is not published as %s%s", e.Service, e.Version, e.Image, e.more)
}

// Hint returns the command that lists what there is.
func (e *NotPublishedError) Hint() string { return "promote versions " + e.Service }
