package journal

import (
	"time"

	"promote/registry"
)

// Events of a journal.
const (
	Begun  = "begun"  // a deployment, before it acts
	Ended  = "ended"  // the same one, with its outcome
	Marked = "marked" // somebody marked a release: verify, block, unpin
)

// Entry is one line of an environment's history.
type Entry struct {
	Schema int    `json:"schema"`
	Event  string `json:"event"`
	// Environment it is about: several may lie in one project directory.
	Environment string    `json:"environment,omitempty"`
	ID          string    `json:"id,omitempty"`
	Kind        string    `json:"kind,omitempty"` // deploy, pin, rollback, adopt, resume; of a mark: verify, unpin, …
	At          time.Time `json:"at"`             // by this machine's clock
	By          string    `json:"by"`             // who, from where
	Reason      string    `json:"reason,omitempty"`
	Emergency   bool      `json:"emergency,omitempty"` // the environment's policy was passed on purpose
	// AcceptDigest: the digest was taken from the upstream environment, whatever the registry said.
	AcceptDigest bool     `json:"accept_digest,omitempty"`
	Moves        []Move   `json:"moves,omitempty"`
	Outcome      string   `json:"outcome,omitempty"` // Ended: done, failed, restored, stuck, abandoned
	Error        string   `json:"error,omitempty"`   // Ended: why it is not done
	Marks        []Mark   `json:"marks,omitempty"`   // Ended and Marked: what holds from here on
	Files        []string `json:"files,omitempty"`   // Ended: the user's files that were changed
	Tasks        []Task   `json:"tasks,omitempty"`   // Ended: those that ran
	Data         *Data    `json:"data,omitempty"`    // that it replaced, or was to
}

// Data is what a deployment put in place of an environment's data.
type Data struct {
	From  string   `json:"from,omitempty"` // environment that it came from
	Undo  string   `json:"undo,omitempty"` // or the deployment: what that one had replaced was loaded back
	Names []string `json:"names"`
	Bytes int64    `json:"bytes,omitempty"` // Ended: how much was loaded
}

// Task is a command of the user's that ran in a deployment.
type Task struct {
	Service string `json:"service"`
	Name    string `json:"name"`
	Undo    bool   `json:"undo,omitempty"` // it was taken back
	Of      string `json:"of,omitempty"`   // Undo: in which other deployment it was done
	Done    bool   `json:"done"`           // it ended well
}

// Move is a service and the releases it went from and to.
type Move struct {
	Service string           `json:"service"`
	From    registry.Release `json:"from"`
	To      registry.Release `json:"to"`
}

// Mark is what is known of a release in this environment; package promotion gives the kinds their
// meaning.
type Mark struct {
	Service    string           `json:"service"`
	Kind       string           `json:"kind"`
	Release    registry.Release `json:"release,omitzero"`
	Left       registry.Release `json:"left,omitzero"`
	Keep       bool             `json:"keep,omitempty"`
	Until      time.Time        `json:"until,omitzero"`
	By         string           `json:"by,omitempty"`
	At         time.Time        `json:"at,omitzero"`
	Reason     string           `json:"reason,omitempty"`
	Deployment string           `json:"deployment,omitempty"`
}

// Deployment is a begun entry with its end.
type Deployment struct {
	Entry            // as begun; Outcome, Error and Marks of the end where there is one
	End    time.Time // zero: it has not ended
	Marked bool      // not a deployment, but a mark of somebody's
}

// Deployments pairs the entries of a history, oldest first.
func Deployments(entries []Entry) []Deployment {
	var list []Deployment
	index := map[string]int{}
	for _, e := range entries {
		i, begun := index[e.ID]
		switch {
		case e.Event == Marked:
			list = append(list, Deployment{Entry: e, End: e.At, Marked: true})
		case e.Event == Begun:
			index[e.ID] = len(list)
			list = append(list, Deployment{Entry: e})
		case e.Event == Ended && begun:
			d := &list[i]
			d.End, d.Outcome, d.Error, d.Marks, d.Tasks = e.At, e.Outcome, e.Error, e.Marks, e.Tasks
			if e.Data != nil {
				d.Data = e.Data
			}
		}
	}
	return list
}

// Marks are all marks of a history, oldest first, each with who, when and by which deployment. Of a deployment that
// ended twice the last end counts: the first was written, and could not be brought to disk.
func Marks(entries []Entry) []Mark {
	var marks []Mark
	last := map[string]int{}
	for i, e := range entries {
		if e.Event == Ended {
			last[e.ID] = i
		}
	}
	for i, e := range entries {
		if e.Event == Ended && last[e.ID] != i {
			continue
		}
		for _, m := range e.Marks {
			if m.At.IsZero() {
				m.At = e.At
			}
			marks = append(marks, m)
		}
	}
	return marks
}

// Unfinished returns the last deployment that began and did not end, or nil. One that got stuck has not
// ended as long as none after it ended well: once what kept it from putting everything back is mended, it
// can be tried again.
func Unfinished(entries []Entry) *Deployment {
	list, settled := Deployments(entries), false
	for i := len(list) - 1; i >= 0; i-- {
		d := &list[i]
		switch {
		case d.End.IsZero(), d.Outcome == "stuck" && !settled:
			return d
		case !d.Marked && d.Outcome == "done":
			settled = true
		}
	}
	return nil
}
