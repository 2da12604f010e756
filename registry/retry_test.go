package registry

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// unhurried is a client whose pauses take no time and are noted.
func unhurried(pauses *[]time.Duration, options ...Option) *Client {
	return client(append(options, func(c *Client) {
		c.pauses = defaultPauses
		c.pause = func(_ context.Context, d time.Duration) error {
			*pauses = append(*pauses, d.Truncate(time.Second))
			return nil
		}
	})...)
}

func TestPauses(t *testing.T) {
	const times = 2 // that the registry fails
	answer := func(status int, after string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", after)
			w.WriteHeader(status)
		}
	}
	tests := []struct {
		name   string
		fail   func(http.ResponseWriter)
		pauses []time.Duration
		failed bool
	}{
		{"trouble", answer(500, ""), []time.Duration{time.Second, 3 * time.Second}, false},
		{"rate limit", answer(429, "7"), []time.Duration{7 * time.Second, 7 * time.Second}, false},
		{"at once", answer(503, "0"), []time.Duration{0, 0}, false},
		{"nonsense", answer(503, "soon"), []time.Duration{time.Second, 3 * time.Second}, false},
		{"a date that is past", answer(503, "Fri, 31 Dec 1999 23:59:59 GMT"), []time.Duration{0, 0}, false},
		{"longer than anybody waits", answer(429, "3600"), nil, true},
		{"cut off", func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, []time.Duration{time.Second, 3 * time.Second}, false},
		{"said no", answer(403, "1"), nil, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var pauses []time.Duration
			s, c := newServer(t), unhurried(&pauses)
			digest := s.push(t, "v1.0.0", image(t, nil))
			failures := 0
			s.failing(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPut || failures == times {
					return false
				}
				failures++
				test.fail(w)
				return true
			})
			err := c.Retag(t.Context(), s.core(), digest, "latest")
			if (err != nil) != test.failed || !slices.Equal(pauses, test.pauses) {
				t.Errorf("pauses %v, %v", pauses, err)
			}
			if got, _ := c.Digest(t.Context(), s.core(), "latest"); (got == digest) == test.failed {
				t.Errorf("latest is %q", got)
			}
		})
	}
}

// A registry that never recovers is given up after three attempts.
func TestPausesEnd(t *testing.T) {
	var pauses []time.Duration
	var calls atomic.Int32
	s, c := newServer(t), unhurried(&pauses)
	s.failing(func(w http.ResponseWriter, _ *http.Request) bool {
		calls.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	_, err := c.Tags(t.Context(), s.core())
	var unavailable *UnavailableError
	if !errors.As(err, &unavailable) || unavailable.Status != http.StatusServiceUnavailable {
		t.Errorf("got %v", err)
	}
	if n := calls.Load(); n%3 != 0 { // HTTPS and HTTP are tried side by side
		t.Errorf("asked %d times", n)
	}
}

func TestPauseIsCancelled(t *testing.T) {
	s, c := newServer(t), client(func(c *Client) { c.pauses = []time.Duration{time.Hour} })
	ctx, cancel := context.WithCancel(t.Context())
	s.failing(func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		cancel()
		return true
	})
	if _, err := c.Tags(ctx, s.core()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A registry that accepts a connection and says nothing, or stops in the middle of an answer.
func TestSilence(t *testing.T) {
	const patience = 50 * time.Millisecond
	silences := map[string]func(http.ResponseWriter){
		"before the answer": func(http.ResponseWriter) {},
		"in the middle": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", strconv.Itoa(100))
			_, _ = w.Write([]byte("{"))
			w.(http.Flusher).Flush()
		},
	}
	for name, silence := range silences {
		t.Run(name, func(t *testing.T) {
			s, c := newServer(t), client(WithPatience(patience))
			s.push(t, "v1.0.0", image(t, nil))
			s.failing(func(w http.ResponseWriter, r *http.Request) bool {
				if !strings.HasSuffix(r.URL.Path, "/manifests/v1.0.0") {
					return false
				}
				silence(w)
				<-r.Context().Done()
				return true
			})
			_, err := c.Release(t.Context(), s.core(), "v1.0.0")
			var unavailable *UnavailableError
			if !errors.As(err, &unavailable) || !strings.Contains(unavailable.Reason, "said nothing for 50ms") {
				t.Errorf("got %v", err)
			}
		})
	}
}
