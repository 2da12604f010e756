package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"promote/internal/deploy"
	"promote/internal/host"
	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/internal/release"
	"promote/internal/rollout"
)

// Exit codes. This table is the only place where they stand: the help, the documentation and the tests
// are made from it.
const (
	exitDone        = 0
	exitFailed      = 1
	exitRefused     = 3
	exitLocked      = 4
	exitRestored    = 5
	exitStuck       = 6
	exitDetached    = 7
	exitPending     = 10
	exitDrift       = 11
	exitInterrupted = 130
)

var exitCodes = []struct {
	code    int
	meaning string
}{
	{exitDone, "done, or nothing to do"},
	{exitFailed, "failed, and nothing was changed (usage and configuration too)"},
	{exitRefused, "refused by a gate, a hold, a mark or drift"},
	{exitLocked, "locked by another deployment or by somebody, or changed meanwhile"},
	{exitRestored, "failed, and everything was put back"},
	{exitStuck, "failed, and a person is needed"},
	{exitDetached, "lost contact or detached; the deployment goes on"},
	{exitPending, "changes are pending, or nothing is to be released (--exit-code)"},
	{exitDrift, "drift (--exit-code)"},
	{exitInterrupted, "interrupted before anything began"},
}

// exitText is the table as the help shows it.
func exitText() string {
	var b strings.Builder
	for _, e := range exitCodes {
		fmt.Fprintf(&b, "  %3d  %s\n", e.code, e.meaning)
	}
	return strings.TrimRight(b.String(), "\n")
}

// quietError ends the program with a code and without a message: the answer was given already.
type quietError struct{ code int }

func (e *quietError) Error() string { return fmt.Sprintf("exit status %d", e.code) }

// exitCode is what an error means for whoever called the program.
func exitCode(err error) int {
	var (
		quiet   *quietError
		outcome *deploy.OutcomeError
		refusal *promotion.Refusal
		locked  *journal.LockedError
		died    *host.DiedError
		halfway *deploy.InterruptedError
		taken   *release.TakenError
	)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &quiet):
		return quiet.code
	case errors.As(err, &outcome):
		return outcomeCode(outcome.Outcome)
	case errors.As(err, &locked), errors.As(err, &refusal) && refusal.Locked():
		return exitLocked
	case refusal != nil, errors.As(err, &halfway), errors.As(err, &taken) && taken.Refused:
		return exitRefused
	case errors.Is(err, host.ErrDetached):
		return exitDetached
	case errors.As(err, &died):
		return exitStuck
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitFailed
}

func outcomeCode(o rollout.Outcome) int {
	switch o {
	case rollout.OutcomeDone:
		return exitDone
	case rollout.OutcomeChanged:
		return exitLocked
	case rollout.OutcomeRestored:
		return exitRestored
	case rollout.OutcomeStuck:
		return exitStuck
	}
	return exitFailed
}
