package registry

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// retry sends a request again that the registry could not answer.
type retry struct {
	inner  http.RoundTripper
	pauses []time.Duration // before each further attempt, where the registry names none
	pause  func(context.Context, time.Duration) error
}

// defaultPauses make three attempts.
var defaultPauses = []time.Duration{time.Second, 3 * time.Second}

// longestPause is what a registry may ask for with Retry-After and get: a person waits for the answer.
const longestPause = time.Minute

// retryable are the answers of a registry that another attempt may mend.
var retryable = []int{
	http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
	http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
}

// broken are the ends of a connection that another one may not have.
var broken = []error{io.EOF, io.ErrUnexpectedEOF, syscall.EPIPE, syscall.ECONNRESET, net.ErrClosed}

// RoundTrip implements http.RoundTripper.
func (t *retry) RoundTrip(r *http.Request) (*http.Response, error) {
	for attempt := 0; ; attempt++ {
		response, err := t.inner.RoundTrip(r)
		if attempt == len(t.pauses) || !mendable(response, err) {
			return response, err
		}
		pause := jittered(t.pauses[attempt])
		if asked, ok := retryAfter(response, time.Now()); ok {
			pause = asked
		}
		next, possible := again(r)
		if pause > longestPause || !possible {
			return response, err
		}
		if response != nil {
			response.Body.Close()
		}
		if err := t.pause(r.Context(), pause); err != nil {
			return nil, err
		}
		r = next
	}
}

func mendable(response *http.Response, err error) bool {
	if err == nil {
		return slices.Contains(retryable, response.StatusCode)
	}
	return slices.ContainsFunc(broken, func(b error) bool { return errors.Is(err, b) })
}

// again is the request with its body from the start; a body that can't be had twice can't be sent twice.
func again(r *http.Request) (*http.Request, bool) {
	next := r.Clone(r.Context())
	if r.Body == nil || r.Body == http.NoBody {
		return next, true
	}
	if r.GetBody == nil {
		return nil, false
	}
	body, err := r.GetBody()
	next.Body = body
	return next, err == nil
}

// retryAfter is what the registry asks for, in seconds or as a date (RFC 9110, section 10.2.3).
func retryAfter(response *http.Response, now time.Time) (time.Duration, bool) {
	if response == nil {
		return 0, false
	}
	text := response.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	date, err := http.ParseTime(text)
	return max(0, date.Sub(now)), err == nil
}

// jittered keeps clients that were turned away together from coming back together.
func jittered(d time.Duration) time.Duration {
	return d + time.Duration(rand.Int64N(int64(d)/10+1))
}

// wait lets time pass, until it is not wanted any more.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// bound sends every request with a context of ours, for the one call of the library that takes none.
type bound struct {
	ctx   context.Context
	inner http.RoundTripper
}

func (b bound) RoundTrip(r *http.Request) (*http.Response, error) {
	return b.inner.RoundTrip(r.WithContext(b.ctx))
}
