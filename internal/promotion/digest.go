package promotion

import (
	"cmp"
	"fmt"
	"slices"

	"promote/registry"
)

// Unvouched reports whether only the upstream environment says which digest a choice is. The registry has to be
// asked what its tag is, before [New]: who can write the history there must not decide what runs here.
func (r Request) Unvouched(c Choice) bool {
	return !r.AcceptDigest && r.fromUpstreamOnly(c)
}

func (r Request) fromUpstreamOnly(c Choice) bool {
	digest := c.Release.Digest
	if r.Upstream == nil || c.Skip != "" || digest == "" || c.State.Present(c.Service.Tag).Digest == digest {
		return false
	}
	ran := fold(c.State.Marks).ran
	return !slices.ContainsFunc(ran, func(known registry.Release) bool { return known.Digest == digest })
}

// Tagged is what the registry says that the tag of a choice is.
type Tagged struct {
	Digest string // empty: there is no such tag
	Err    error  // it could not be told; only where nothing will be deployed
}

// gateDigest refuses a release that the registry knows as another one than the upstream environment. Either the
// tag was moved since it was verified, or the history there says what is not so; a person has to look.
func (r Request) gateDigest(c *Choice) error {
	if r.AcceptDigest && c.Tagged == nil && r.fromUpstreamOnly(*c) {
		c.Notes = append(c.Notes, fmt.Sprintf("it is %s, as %s says; not compared with the registry (--accept-digest)", c.Release.Digest, r.Upstream.Environment))
		return nil
	}
	reason := r.doubt(*c)
	if reason == "" {
		return nil
	}
	if r.Look {
		c.Notes = append(c.Notes, "a deployment would be refused: "+reason)
		return nil
	}
	advice := fmt.Sprintf("find out who moved the tag; then, for what %s verified, promote %s %s %s@%s --accept-digest --reason WHY",
		r.Upstream.Environment, r.Kind, r.Target.Environment, c.Service.Name, Label(c.Release))
	return refuse(c.Service.Name, "digest", "%s", advice, reason)
}

// doubt is why a choice may not be what it is called, or empty.
func (r Request) doubt(c Choice) string {
	if !r.Unvouched(c) {
		return ""
	}
	verified := fmt.Sprintf("%s verified %s as %s", r.Upstream.Environment, Label(c.Release), c.Release.Digest)
	version, ok := c.Service.Tag.Parse(c.Release.Tag)
	switch {
	case c.Tagged == nil:
		return verified + ", and the registry was not asked"
	case c.Tagged.Err != nil:
		return fmt.Sprintf("%s, and the registry can't be asked: %v", verified, c.Tagged.Err)
	case !c.Release.Version.IsZero() && (!ok || version != c.Release.Version):
		return fmt.Sprintf("%s by the tag %q, which is no tag of that version", verified, c.Release.Tag)
	case c.Tagged.Digest != c.Release.Digest:
		return fmt.Sprintf("%s, but in the registry its tag is %s", verified, cmp.Or(c.Tagged.Digest, "not there any more"))
	}
	return ""
}
