// Package host is the far end of promote: the side that stands next to the compose files and the
// engine. It reports state and has plans carried out by a worker, a process of its own session that
// goes on when whoever asked for it is gone.
//
// For an environment on this machine its methods are called in the client's own process; the worker is
// a process of its own all the same.
package host

import (
	"errors"
	"fmt"
)

// ErrDetached says that nobody follows the deployment any more. It goes on.
var ErrDetached = errors.New("detached; the deployment goes on")

// DiedError is a worker that ended without saying how: killed, or the machine lost power.
type DiedError struct {
	ID          string // deployment
	Log         string // its worker.log
	Environment string
}

func (e *DiedError) Error() string {
	return fmt.Sprintf("the worker of %s died in the middle of it; what it said is in %s", e.ID, e.Log)
}

// Hint is the command that ends it.
func (e *DiedError) Hint() string { return "promote resume " + e.Environment }
