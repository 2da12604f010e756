package promotion

import (
	"fmt"
	"strings"
	"time"

	"promote/registry"
)

// Policy is what an environment wants of a release besides that it works. Somebody can pass it in an
// emergency; going back never asks.
type Policy struct {
	Soak     time.Duration // that it has run, verified, in the upstream environment
	Closed   []Window      // when nothing is deployed
	Approval bool          // of somebody else
}

// gatePolicy holds a release against the environment's policy. In an emergency, and where only a look is
// taken, what stands in the way is noted.
func (r Request) gatePolicy(c *Choice) error {
	if _, ran := fold(c.State.Marks).find(c.Release); ran && r.Kind != Deploy || Same(c.State.Present(c.Service.Tag), c.Release) {
		return nil // it is there, or it goes back
	}
	for _, gate := range []func(*Choice) *Refusal{r.gateSoak, r.gateClosed, r.gateApproval} {
		refusal := gate(c)
		switch {
		case refusal == nil:
			continue
		case r.Emergency:
			c.Notes = append(c.Notes, "passed in an emergency: "+refusal.Reason)
		case r.Look:
			c.Notes = append(c.Notes, "a deployment would be refused: "+refusal.Reason)
		default:
			return refusal
		}
	}
	return nil
}

// emergency is the advice to pass a gate of the policy.
func (r Request) emergency(c *Choice) string {
	return fmt.Sprintf("promote deploy %s %s@%s --emergency --reason WHY", r.Target.Environment, c.Service.Name, Label(c.Release))
}

func (r Request) gateSoak(c *Choice) *Refusal {
	if r.Policy.Soak == 0 || r.Upstream == nil {
		return nil
	}
	up, _ := r.Upstream.Service(c.Service.Name)
	had, since := soaked(up.Marks, c.Release, r.Upstream.Now)
	if had >= r.Policy.Soak {
		return nil
	}
	env, end := r.Upstream.Environment, "it is not there any more"
	if !since.IsZero() {
		end = "that is at " + when(since.Add(r.Policy.Soak))
	}
	return &Refusal{
		Service: c.Service.Name, Gate: "soak", Since: since, Advice: "wait, or " + r.emergency(c),
		Reason: fmt.Sprintf("%s has run verified in %s for %s, and %s wants %s; %s", Label(c.Release), env, spell(had), r.Target.Environment, spell(r.Policy.Soak), end),
	}
}

// soaked is the longest time without a break for which a release ran somewhere, verified and not bad; since is when
// the one that goes on began.
func soaked(marks []Mark, release registry.Release, now time.Time) (longest time.Duration, since time.Time) {
	running, verified := false, false
	end := func(at time.Time) {
		if !since.IsZero() {
			longest, since = max(longest, at.Sub(since)), time.Time{}
		}
	}
	for _, m := range marks {
		about := Same(m.Release, release)
		switch {
		case m.Kind == Running:
			if running = about; !about {
				end(m.At)
			}
		case m.Kind == Bad && about:
			verified = false
			end(m.At)
		case m.Kind == Verified && about:
			verified = true
		}
		if running && verified && since.IsZero() {
			since = m.At
		}
	}
	if !since.IsZero() {
		longest = max(longest, now.Sub(since))
	}
	return longest, since
}

func (r Request) gateClosed(c *Choice) *Refusal {
	for _, w := range r.Policy.Closed {
		if end, in := w.Until(r.State.Now); in {
			return &Refusal{
				Service: c.Service.Name, Gate: "closed", Advice: "wait, or " + r.emergency(c),
				Reason: fmt.Sprintf("%s is closed (%s) until %s", r.Target.Environment, w.Text, end.Format("Mon 2006-01-02 15:04 MST")),
			}
		}
	}
	return nil
}

func (r Request) gateApproval(c *Choice) *Refusal {
	if !r.Policy.Approval {
		return nil
	}
	own := ""
	for _, m := range fold(c.State.Marks).approved {
		if !Same(m.Release, c.Release) {
			continue
		}
		if person(m.By) != person(r.By) {
			return nil
		}
		own = "; that of " + m.By + ", who deploys it, is not enough"
	}
	return &Refusal{
		Service: c.Service.Name, Gate: "approval",
		Advice: fmt.Sprintf("have somebody else run promote approve %s %s@%s", r.Target.Environment, c.Service.Name, Label(c.Release)),
		Reason: fmt.Sprintf("%s needs the approval of somebody else%s", Label(c.Release), own),
	}
}

// person is who somebody is, without the machine.
func person(by string) string {
	name, _, _ := strings.Cut(by, "@")
	return name
}

// spell writes a duration as people do.
func spell(d time.Duration) string {
	d = d.Truncate(time.Second)
	if d >= time.Minute {
		d = d.Truncate(time.Minute)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
