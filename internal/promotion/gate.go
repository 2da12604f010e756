package promotion

import (
	"fmt"
	"strings"
	"time"

	"promote/registry"
)

// Gates that decide more than their own refusal.
const (
	gateDrift       = "drift"
	gateNothingGood = "nothing-good"
	gateLocked      = "locked"
)

// gateLock refuses everything while somebody keeps the environment locked.
func (r Request) gateLock() error {
	lock := r.State.Locked
	if lock == nil {
		return nil
	}
	return &Refusal{
		Gate: gateLocked, Since: lock.At, Advice: "promote unlock " + r.Target.Environment,
		Reason: fmt.Sprintf("%s is locked since %s by %s%s", r.Target.Environment, when(lock.At), lock.By, because(lock.Reason)),
	}
}

func refuse(service, gate, format, advice string, args ...any) error {
	return &Refusal{Service: service, Gate: gate, Reason: fmt.Sprintf(format, args...), Advice: advice}
}

// gateDrift refuses to build on a state that nobody recorded, unless somebody takes it as it is.
func (r Request) gateDrift(s Service, state ServiceState) error {
	var reasons []string
	for _, d := range Drifts(r.Target, state, s.Tag) {
		if d.blocks() {
			reasons = append(reasons, d.Text)
		}
	}
	if len(reasons) == 0 || r.AcceptDrift {
		return nil
	}
	advice := fmt.Sprintf("promote status %s --long; then promote adopt %s, or again with --accept-drift", r.Target.Environment, r.Target.Environment)
	return refuse(s.Name, gateDrift, "%s", advice, strings.Join(reasons, "; "))
}

// gateHold leaves a held service alone, unless something newer than what it left was published.
func (r Request) gateHold(c *Choice, w Want, again string) error {
	hold := Hold(c.State.Marks, r.State.Now)
	if hold == nil {
		return nil
	}
	if Same(c.Release, hold.Release) {
		return nil // it is where it is held; nothing will move, and the hold goes on
	}
	if r.Again || !hold.Keep && outgrown(hold, c.Release, !w.Open()) {
		c.Left = hold
		return nil
	}
	advice := again
	if hold.Keep {
		advice = fmt.Sprintf("promote unpin %s %s", r.Target.Environment, c.Service.Name)
	}
	return &Refusal{
		Service: c.Service.Name, Gate: "held", Since: hold.At, Advice: advice,
		Reason: fmt.Sprintf("held at %s since %s by %s%s%s", Label(hold.Release), when(hold.At), hold.By, because(hold.Reason), r.endOfHold(hold)),
	}
}

// outgrown reports whether a release ends a hold: it is newer than what is held and than what was left.
// One that is named only has to be another one than that: a hotfix may have a lower version.
func outgrown(hold *Mark, release registry.Release, named bool) bool {
	if !hold.Release.Version.Less(release.Version) {
		return false
	}
	return hold.Left.Version.Less(release.Version) || named && !Same(release, hold.Left)
}

// endOfHold says what would end a hold by itself.
func (r Request) endOfHold(hold *Mark) string {
	switch {
	case !hold.Until.IsZero():
		return ", until " + when(hold.Until)
	case hold.Keep:
		return ", until it is unpinned"
	}
	than := hold.Left
	if older(than, hold.Release) {
		than = hold.Release
	}
	return fmt.Sprintf("; ends when something newer than %s is published", Label(than))
}

func (r Request) gateBad(c *Choice, again string) error {
	bad := IsBad(c.State.Marks, c.Release)
	if bad == nil || r.Again {
		return nil
	}
	return &Refusal{
		Service: c.Service.Name, Gate: "bad", Since: bad.At, Advice: again,
		Reason: fmt.Sprintf("%s is bad in %s since %s, says %s%s", Label(c.Release), r.Target.Environment, when(bad.At), bad.By, because(bad.Reason)),
	}
}

// gateOlder keeps deploy from going back by accident.
func (r Request) gateOlder(c *Choice) error {
	present := c.State.Present(c.Service.Tag)
	if r.Downgrade || !older(c.Release, present) {
		return nil
	}
	return refuse(c.Service.Name, "older", "%s is older than %s, which is there now",
		fmt.Sprintf("promote pin %s %s@%s", r.Target.Environment, c.Service.Name, Label(c.Release)), Label(c.Release), Label(present))
}

func older(a, b registry.Release) bool {
	return !a.Version.IsZero() && !b.Version.IsZero() && a.Version.Less(b.Version)
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return fmt.Sprintf(" (%s)", reason)
}
