// Package notify tells people of deployments: by webhook, by e-mail, by a command.
//
// Use [Tell] with the [Receiver]s that there are. It promises to come back: each of its ways has a
// deadline, and all are gone at the same time. What comes from outside (versions, reasons, errors) can't
// become markup, a mention, a header or a second line of what is told. No error of this package shows the
// secrets of a receiver: of a URL it shows the host.
package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Event is what happened.
type Event string

// The events. A deployment tells Started, and at the end one of the next four.
const (
	Started   Event = "started"   // it is being carried out
	Succeeded Event = "succeeded" // it ended well
	Held      Event = "held"      // it ended well, and a plain deploy leaves alone what it moved
	PutBack   Event = "put-back"  // it failed, and all is as before
	Failed    Event = "failed"    // it failed
	Drift     Event = "drift"     // the files, the history and the containers don't say the same
)

// Events are all of them.
var Events = []Event{Started, Succeeded, Held, PutBack, Failed, Drift}

// Schema is the version of a [Message] as JSON.
const Schema = 1

// Message is what is told. The methods are for templates, too.
type Message struct {
	Schema      int       `json:"schema"`
	Event       Event     `json:"event"`
	Environment string    `json:"environment"`
	Kind        string    `json:"kind,omitempty"`       // of the deployment: deploy, pin, rollback, resume
	Deployment  string    `json:"deployment,omitempty"` // its id
	Services    []Service `json:"services,omitempty"`
	Hosts       []string  `json:"hosts,omitempty"` // where there are several
	By          string    `json:"by,omitempty"`    // who, from where
	Reason      string    `json:"reason,omitempty"`
	Error       string    `json:"error,omitempty"`   // what failed, or what has drifted
	Hint        string    `json:"hint,omitempty"`    // what to do about it
	Seconds     float64   `json:"seconds,omitempty"` // that it took
	URL         string    `json:"url,omitempty"`     // of the CI job
}

// Service is what became of one service; From is empty where it was on nothing before.
type Service struct {
	Name string `json:"name"`
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// Title says in a few words what happened.
func (m Message) Title() string {
	switch m.Event {
	case Started:
		return m.Kind + " started"
	case Succeeded:
		return m.Kind + " succeeded"
	case Held:
		return m.Kind + " succeeded, and is held"
	case PutBack:
		return m.Kind + " failed, and everything was put back"
	case Failed:
		return m.Kind + " failed"
	}
	return string(m.Event)
}

// On is the hosts in words, empty where there is one.
func (m Message) On() string { return strings.Join(m.Hosts, ", ") }

// Elapsed is how long it took, in words; empty where that means nothing.
func (m Message) Elapsed() string {
	elapsed := time.Duration(m.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
	if elapsed <= 0 {
		return ""
	}
	return elapsed.String()
}

// Receiver is somebody to tell, in one way.
type Receiver struct {
	Name         string // in errors; for people
	Channel      Channel
	Events       []Event
	Environments []string // empty: all
	Template     string   // of the text, for a [Message]; empty: the usual one
}

// Channel is a way to tell somebody: a [Webhook], a [Mail] or a [Command].
type Channel interface {
	// compose makes what is sent. An error is about the template: the usual text is sent then.
	compose(m Message, template string) (note, error)
	send(ctx context.Context, n note) error
	// secrets are what must not be seen in an error.
	secrets() []string
}

// note is what is sent.
type note struct {
	Message
	text string // for people
	body []byte // as it is sent
}

// Wants is the first of the events that the receiver is told of, for an environment.
func (r Receiver) Wants(environment string, events ...Event) (Event, bool) {
	if len(r.Environments) > 0 && !slices.Contains(r.Environments, environment) {
		return "", false
	}
	for _, e := range events {
		if slices.Contains(r.Events, e) {
			return e, true
		}
	}
	return "", false
}

// Compose is what would be sent: the body of a POST, a mail, or what a command reads. An error is about
// the template; the usual text stands in for it.
func (r Receiver) Compose(m Message) ([]byte, error) {
	n, err := r.Channel.compose(m.mapped(clean), r.Template)
	return n.body, r.named(err)
}

// Tell tells one message, whatever its event is.
func (r Receiver) Tell(ctx context.Context, m Message) error {
	n, wrong := r.Channel.compose(m.mapped(clean), r.Template)
	if err := r.Channel.send(ctx, n); err != nil {
		return r.named(fmt.Errorf("not told: %w", err))
	}
	return r.named(wrong)
}

// named says whose error it is, without the secrets that others put into it.
func (r Receiver) named(err error) error {
	if err == nil {
		return nil
	}
	return &Error{Receiver: r.Name, err: err, text: redact(err.Error(), r.Channel.secrets())}
}

// Error is why a receiver was not told, or not as its template wants it.
type Error struct {
	Receiver string
	err      error
	text     string
}

func (e *Error) Error() string { return e.Receiver + ": " + e.text }
func (e *Error) Unwrap() error { return e.err }

// lateError is a deadline that has passed; it is [context.DeadlineExceeded].
type lateError struct{ text string }

func (e *lateError) Error() string { return e.text }
func (e *lateError) Unwrap() error { return context.DeadlineExceeded }

// redact takes secrets out of a text. What is shorter than any secret is left, as a word that happens to be
// in a URL, too.
func redact(text string, secrets []string) string {
	const shortest = 6
	for _, secret := range secrets {
		if len(secret) >= shortest {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return text
}

// Tell tells every receiver the first of the events that it wants to know of, side by side, and returns
// what went wrong, in the order of the receivers.
func Tell(ctx context.Context, receivers []Receiver, m Message, events ...Event) []error {
	errs := make([]error, len(receivers))
	var group sync.WaitGroup
	for i, r := range receivers {
		event, wanted := r.Wants(m.Environment, events...)
		if !wanted {
			continue
		}
		own := m
		own.Event = event
		group.Go(func() { errs[i] = r.Tell(ctx, own) })
	}
	group.Wait()
	return slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}
