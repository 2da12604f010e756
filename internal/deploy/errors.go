package deploy

import (
	"fmt"
	"strings"

	"promote/internal/host"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// UsageError is something that was asked for and can't be understood.
type UsageError struct{ Text, Advice string }

func (e *UsageError) Error() string { return e.Text }

// Hint is what to ask for instead.
func (e *UsageError) Hint() string { return e.Advice }

// InterruptedError is a deployment that has to be ended before anything else.
type InterruptedError struct {
	Env  *Environment
	What *promotion.Interrupted
}

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("%s %s by %s in %s began and did not end", e.What.Kind, e.What.ID, e.What.By, e.Env.Label())
}

// Hint is the command that ends it.
func (e *InterruptedError) Hint() string { return "promote resume " + e.Env.Name }

// DetachedError is a deployment that goes on without us.
type DetachedError struct {
	Environment string
	Err         error
}

func (e *DetachedError) Error() string {
	if e.Err == nil {
		return host.ErrDetached.Error()
	}
	return e.Err.Error()
}

// Unwrap says that it goes on.
func (e *DetachedError) Unwrap() error { return host.ErrDetached }

// Hint is the command that follows it again.
func (e *DetachedError) Hint() string { return "promote attach " + e.Environment }

// OutcomeError is a deployment that did not end well.
type OutcomeError struct {
	rollout.Result
	Task   bool     // it was one task by itself: who knows what that changed
	Host   string   // of several
	Before []string // hosts that were done before this one failed, and stay so
}

func (e *OutcomeError) Error() string {
	text := e.Result.Error
	switch e.Outcome {
	case rollout.OutcomeRestored:
		text += "; everything was put back"
		if len(e.Stays) > 0 {
			text += ", but " + strings.Join(e.Stays, ", and ")
		}
	case rollout.OutcomeFailed:
		if e.Task {
			break
		}
		text += "; nothing was changed"
	}
	if e.Host != "" {
		text = e.Host + ": " + text + " there"
	}
	if len(e.Before) > 0 {
		text += "; done before it: " + strings.Join(e.Before, ", ")
	}
	return text
}

// Hint is what to do next.
func (e *OutcomeError) Hint() string {
	if e.Outcome == rollout.OutcomeStuck && e.Repair != "" {
		return e.Repair
	}
	return e.Result.Hint
}

// LastWords are the last lines of the container that failed.
func (e *OutcomeError) LastWords() []string { return e.Logs }
