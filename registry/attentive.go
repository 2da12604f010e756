package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// attentive gives up on a server that says nothing for as long as its patience, before an answer or in
// the middle of one. How long an answer takes as a whole does not matter.
type attentive struct {
	inner    http.RoundTripper
	patience time.Duration
}

// silentError is a server that stopped talking.
type silentError struct{ patience time.Duration }

func (e *silentError) Error() string { return fmt.Sprintf("it said nothing for %s", e.patience) }

// RoundTrip implements http.RoundTripper.
func (a *attentive) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	silence := time.AfterFunc(a.patience, func() { cancel(&silentError{a.patience}) })
	response, err := a.inner.RoundTrip(r.WithContext(ctx))
	silence.Stop() // how long the caller takes to read on is its own affair
	if err != nil {
		defer cancel(nil)
		return nil, silent(ctx, err)
	}
	response.Body = &attended{response.Body, ctx, cancel, silence, a.patience}
	return response, nil
}

// attended is the rest of an answer.
type attended struct {
	io.ReadCloser
	ctx      context.Context
	cancel   context.CancelCauseFunc
	silence  *time.Timer
	patience time.Duration
}

func (a *attended) Read(p []byte) (int, error) {
	a.silence.Reset(a.patience)
	n, err := a.ReadCloser.Read(p)
	a.silence.Stop()
	return n, silent(a.ctx, err)
}

func (a *attended) Close() error {
	a.silence.Stop()
	defer a.cancel(nil)
	return a.ReadCloser.Close()
}

// silent tells our own impatience from somebody's cancelling.
func silent(ctx context.Context, err error) error {
	var cause *silentError
	if err != nil && errors.As(context.Cause(ctx), &cause) {
		return cause
	}
	return err
}
