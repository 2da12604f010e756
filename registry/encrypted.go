package registry

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
)

// encrypted sends nothing in plain HTTP, but to those that it may be spoken with. The library by itself would
// also take private addresses and names in .local for safe, and follow a redirect to anywhere.
type encrypted struct {
	inner      http.RoundTripper
	mayBePlain func(host string) bool
}

// RoundTrip implements http.RoundTripper.
func (e *encrypted) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "https" || e.mayBePlain(r.URL.Host) {
		return e.inner.RoundTrip(r)
	}
	if r.Body != nil {
		r.Body.Close()
	}
	return nil, &plainError{r.URL.Host}
}

// mayBePlain tells whether plain HTTP may be spoken with a host: on the loopback, as docker does, or where it was
// allowed.
func (c *Client) mayBePlain(host string) bool {
	return isLoopback(host) || slices.Contains(c.insecure, host)
}

func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// plainError is a request that would have gone out in the clear.
type plainError struct{ host string }

func (e *plainError) Error() string {
	return fmt.Sprintf("%s wants plain HTTP, which everybody on the way could read and change", e.host)
}
