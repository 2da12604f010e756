package docker

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
)

// An engine that hangs takes connections and says nothing, for ever.
const (
	answerLimit  = 2 * time.Minute  // until an engine begins to answer: what then comes may take its time
	pingLimit    = 10 * time.Second // for what every engine answers at once
	commandLimit = 15 * time.Minute // of a docker command, which asks the engine many things and stops containers
)

// AnswerWithin has every call of an engine fail to which no answer begins in time; Connect takes 2 minutes where it is
// not among the options.
func AnswerWithin(limit time.Duration) client.Opt {
	return func(c *client.Client) error {
		if transport, ok := c.HTTPClient().Transport.(*http.Transport); ok {
			transport.ResponseHeaderTimeout = limit
		}
		return nil
	}
}

// HangingError is an engine that takes connections and does not answer.
type HangingError struct {
	Doing string // what it was asked for, if that is known
}

func (e *HangingError) Error() string {
	if e.Doing == "" {
		return "the engine does not answer"
	}
	return "the engine does not answer: " + e.Doing
}

// Hint looks at the engine first.
func (e *HangingError) Hint() string {
	return "docker info; if that hangs, too: systemctl restart docker"
}

// Hanging returns a *HangingError if the engine takes a connection and does not even say that it is there.
func (e *Engine) Hanging(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	if _, err := e.API.Ping(asking); err == nil {
		return nil
	}
	conn, err := e.API.Dialer()(ctx)
	if err != nil {
		return nil // it is not there at all
	}
	conn.Close()
	return &HangingError{}
}

// awaitStop waits for a container that may take longer to stop than an engine may take to answer.
func (e *Engine) awaitStop(ctx context.Context, id string, cause error) error {
	d, err := e.API.ContainerInspect(ctx, id)
	if err != nil || d.Config.StopTimeout == nil {
		return cause
	}
	grace := time.Duration(*d.Config.StopTimeout)*time.Second + pingLimit
	ctx, cancel := context.WithTimeoutCause(ctx, grace, &HangingError{fmt.Sprintf("%s did not stop within %s", d.Name, grace)})
	defer cancel()
	ended, failed := e.API.ContainerWait(ctx, id, container.WaitConditionNotRunning)
	select {
	case <-ended:
		return nil
	case err := <-failed:
		return errors.Join(context.Cause(ctx), err)
	}
}
