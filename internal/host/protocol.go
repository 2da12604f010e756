package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// Protocol is the version of what the two ends say to each other. It changes whenever an older end
// would misunderstand.
const Protocol = 1

// Verb is what the host side is asked to do.
type Verb string

const (
	DoState      Verb = "state"      // look at the environment
	DoCheckup    Verb = "checkup"    // look at all that a deployment will need
	DoPending    Verb = "pending"    // have the tasks of a plan say what they would do
	DoHistory    Verb = "history"    // read the journal
	DoHolder     Verb = "holder"     // who works on the environment
	DoQuiet      Verb = "quiet"      // wait until nobody does
	DoMark       Verb = "mark"       // add marks to the journal
	DoDeployment Verb = "deployment" // read a deployment's plan and events
	DoApply      Verb = "apply"      // have a worker do a job, and follow it
	DoFollow     Verb = "follow"     // follow a deployment
	DoStop       Verb = "stop"       // ask the worker of a deployment to stop and put back
	DoCollect    Verb = "collect"    // remove images and deployment folders that nothing needs any more
	DoDump       Verb = "dump"       // have data said, to be read
	DoRead       Verb = "read"       // read a chunk of it
	DoFeed       Verb = "feed"       // give the worker of a deployment a chunk
)

// Request is one thing that the host side is asked. It is complete: the far end knows nothing of
// promote.yaml.
type Request struct {
	Protocol    int               `json:"protocol"`
	ID          int               `json:"id"` // of the request, on its connection
	Do          Verb              `json:"do"`
	Target      promotion.Target  `json:"target"`
	By          string            `json:"by,omitempty"`
	Reason      string            `json:"reason,omitempty"`
	Kind        string            `json:"kind,omitempty"` // DoMark
	Marks       []promotion.Mark  `json:"marks,omitempty"`
	Deployment  string            `json:"deployment,omitempty"`
	After       int               `json:"after,omitempty"` // number of the last event that is known already
	Wait        time.Duration     `json:"wait,omitempty"`
	Trial       bool              `json:"trial,omitempty"` // DoCollect: only say what would go
	Job         *Job              `json:"job,omitempty"`
	Data        *promotion.Data   `json:"data,omitempty"`        // DoDump
	Chunk       *rollout.Chunk    `json:"chunk,omitempty"`       // DoFeed; DoRead: its number
	Credentials map[string]string `json:"credentials,omitempty"` // DoCheckup
}

// Answer is what the host side has to say in the end.
type Answer struct {
	State      *promotion.State    `json:"state,omitempty"`
	Collection *rollout.Collection `json:"collection,omitempty"`
	Checkup    *rollout.Checkup    `json:"checkup,omitempty"`
	Pending    []rollout.Pending   `json:"pending,omitempty"`
	Entries    []journal.Entry     `json:"entries,omitempty"`
	Holder     *journal.Holder     `json:"holder,omitempty"`
	Plan       *promotion.Plan     `json:"plan,omitempty"`
	Events     []rollout.Event     `json:"events,omitempty"`
	Result     *rollout.Result     `json:"result,omitempty"`
	Chunk      *rollout.Chunk      `json:"chunk,omitempty"`
}

// Job is what a worker is asked to do.
type Job struct {
	Plan        promotion.Plan    `json:"plan"`
	Resume      string            `json:"resume,omitempty"` // the interrupted deployment to end instead
	Forget      bool              `json:"forget,omitempty"` // Resume: only say in the history that it ended
	Credentials map[string]string `json:"credentials,omitempty"`
}

// hello is the first line that the far end says.
type hello struct {
	Promote  string `json:"promote"` // version
	Protocol int    `json:"protocol"`
}

// reply is every other line: an event of a request, or its end.
type reply struct {
	ID     int            `json:"id"`
	Event  *rollout.Event `json:"event,omitempty"`
	Answer *Answer        `json:"answer,omitempty"`
	Error  *failure       `json:"error,omitempty"`
}

// failure is an error on its way from one end to the other. What callers tell apart has a kind.
type failure struct {
	Kind   string          `json:"kind,omitempty"`
	Text   string          `json:"text"`
	Hint   string          `json:"hint,omitempty"`
	Holder *journal.Holder `json:"holder,omitempty"`
	Died   *DiedError      `json:"died,omitempty"`
}

const (
	kindLocked   = "locked"
	kindDied     = "died"
	kindDetached = "detached"
)

func toFailure(err error) *failure {
	f := &failure{Text: err.Error(), Hint: rollout.Advice(err)}
	locked, died := (*journal.LockedError)(nil), (*DiedError)(nil)
	switch {
	case errors.As(err, &locked):
		f.Kind, f.Holder = kindLocked, &locked.Holder
	case errors.As(err, &died):
		f.Kind, f.Died = kindDied, died
	case errors.Is(err, ErrDetached):
		f.Kind = kindDetached
	}
	return f
}

// err is the error that the failure was, as far as this end needs to know.
func (f *failure) err(host string) error {
	switch {
	case f.Kind == kindLocked && f.Holder != nil:
		return &journal.LockedError{Holder: *f.Holder}
	case f.Kind == kindDied && f.Died != nil:
		return f.Died
	}
	far := &FarError{Host: host, Text: f.Text, Advice: f.Hint}
	if f.Kind == kindDetached {
		far.cause = ErrDetached
	}
	return far
}

// FarError is what went wrong on a host, in its own words.
type FarError struct {
	Host, Text, Advice string
	cause              error // what callers tell apart
}

func (e *FarError) Error() string { return e.Host + ": " + e.Text }

// Unwrap gives what callers tell apart, if it is that.
func (e *FarError) Unwrap() error { return e.cause }

// Hint is the host's own.
func (e *FarError) Hint() string { return e.Advice }

// strictly reads a line of the connection. What a newer end means by a field that is not known here could
// be anything, so that it is an error.
func strictly(text []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(v)
}

// line is a value as it goes over the connection.
func line(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	return append(data, '\n'), err
}
