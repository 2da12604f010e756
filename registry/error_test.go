package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestNotFound(t *testing.T) {
	s, c := newServer(t), client()
	s.push(t, "v1.0.0", image(t, nil))
	_, byHead := c.Digest(t.Context(), s.core(), "v9.9.9")
	_, byGet := c.Release(t.Context(), s.core(), "v9.9.9")
	_, byList := c.Tags(t.Context(), s.addr+"/nothing")
	for _, err := range []error{byHead, byGet, byList} {
		var unavailable *UnavailableError
		if !errors.Is(err, ErrNotFound) || errors.As(err, &unavailable) {
			t.Errorf("got %v", err)
		}
	}
	if want := s.core() + ":v9.9.9: not found in " + s.addr; byHead.Error() != want {
		t.Errorf("got %q, want %q", byHead, want)
	}
}

func TestUnavailable(t *testing.T) {
	always := func(status int, body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(status)
			io.WriteString(w, body)
			return true
		}
	}
	tests := []struct {
		name, reason, hint string
		status             int
		fail               func(http.ResponseWriter, *http.Request) bool
	}{
		{"rate limit", "429 too many requests, TOOMANYREQUESTS: slow down", "raise the limit with docker login", 429,
			always(429, `{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}`)},
		{"proxy page", "502 bad gateway", "try again", 502, always(502, "<html>internal.example.org is down</html>")},
		{"database", "503 service unavailable", "try again", 503, always(503, "")},
		{"no registry there", "404 not found", "right address", 404, always(404, "<html>nothing here</html>")},
		{"cut off", "EOF", "curl", 0, func(w http.ResponseWriter, _ *http.Request) bool { panic(http.ErrAbortHandler) }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, c := newServer(t), client()
			s.failing(test.fail)
			_, err := c.Digest(t.Context(), s.core(), "v1.0.0")
			var unavailable *UnavailableError
			if !errors.As(err, &unavailable) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrUnauthorized) {
				t.Fatalf("got %v", err)
			}
			if unavailable.Status != test.status || unavailable.Reason != test.reason || unavailable.Registry != s.addr {
				t.Errorf("got %+v", unavailable)
			}
			if !strings.Contains(unavailable.Hint(), test.hint) {
				t.Errorf("hint %q", unavailable.Hint())
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	_, err := client().Tags(t.Context(), closed.Listener.Addr().String()+"/core")
	var unavailable *UnavailableError
	if !errors.As(err, &unavailable) || !strings.Contains(unavailable.Reason, "connection refused") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(err.Error(), "http") {
		t.Errorf("%q has a URL", err)
	}
}

// A certificate that nobody vouches for tells nothing about what the registry has.
func TestUntrustedCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	transport := &http.Transport{TLSClientConfig: &tls.Config{ServerName: "registry.example.org"}}
	_, err := client(WithTransport(transport)).Digest(t.Context(), server.Listener.Addr().String()+"/core", "v1.0.0")
	var unavailable *UnavailableError
	if !errors.As(err, &unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestRetries(t *testing.T) {
	s, c := newServer(t), client()
	want := s.push(t, "v1.0.0", image(t, nil))
	var calls atomic.Int32
	s.failing(func(w http.ResponseWriter, _ *http.Request) bool {
		if calls.Add(1)%3 == 0 {
			return false
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	if got, err := c.Digest(t.Context(), s.core(), "v1.0.0"); err != nil || got != want {
		t.Errorf("%s, %v", got, err)
	}
	if err := c.Writable(t.Context(), s.core()); err != nil {
		t.Error(err)
	}
}

func TestCancelled(t *testing.T) {
	s, c := newServer(t), client()
	digest := s.push(t, "v1.0.0", image(t, nil))
	ctx, cancel := context.WithCancel(t.Context())
	s.failing(func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		<-r.Context().Done() // the client went away
		return true
	})
	_, byHead := c.Digest(ctx, s.core(), "v1.0.0")
	for _, err := range []error{byHead, c.Writable(ctx, s.core()), c.Retag(ctx, s.core(), digest, "latest")} {
		var unavailable *UnavailableError
		if !errors.Is(err, context.Canceled) || errors.As(err, &unavailable) {
			t.Errorf("got %v", err)
		}
	}
}

// Registries keep layers and configurations elsewhere, behind signed URLs.
func TestSignedURLIsNotTold(t *testing.T) {
	s, c := newServer(t), client()
	s.push(t, "v1.0.0", image(t, nil))
	s.failing(func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.URL.Path == "/bucket":
			panic(http.ErrAbortHandler)
		case strings.Contains(r.URL.Path, "/blobs/"):
			http.Redirect(w, r, "/bucket?X-Signature=s3cret", http.StatusTemporaryRedirect)
			return true
		}
		return false
	})
	_, err := c.Release(t.Context(), s.core(), "v1.0.0")
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
	for cause := err; cause != nil; cause = errors.Unwrap(cause) {
		if strings.Contains(cause.Error(), "s3cret") {
			t.Errorf("the cause tells it: %v", cause)
		}
	}
}
