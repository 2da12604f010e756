package registry

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
)

// everywhere is a transport for which every address is the server's, and that trusts it.
func everywhere(s *httptest.Server) *http.Transport {
	t := s.Client().Transport.(*http.Transport).Clone()
	t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, s.Listener.Addr().String())
	}
	if t.TLSClientConfig != nil {
		t.TLSClientConfig.ServerName = "example.com" // of httptest's certificate
	}
	return t
}

// The library by itself sends the login in the clear to addresses that it takes for private.
func TestPlainHTTPElsewhere(t *testing.T) {
	var heard []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		heard = append(heard, r.Host+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
	}))
	defer server.Close()
	login := WithKeychain(authn.NewKeychainFromHelper(oneLogin{"ada", "s3cret"}))
	for _, host := range []string{"10.1.2.3:5000", "192.168.1.9", "172.16.0.1:5000", "registry.local:5000", "registry.internal:5000", "registry.example.org"} {
		_, err := client(WithTransport(everywhere(server)), login).Digest(t.Context(), host+"/core", "v1.0.0")
		hinted, ok := err.(interface{ Hint() string })
		if !ok || !strings.Contains(err.Error(), host+" wants plain HTTP") || !strings.Contains(hinted.Hint(), `registry: {insecure: ["`+host+`"]}`) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if len(heard) > 0 {
		t.Errorf("heard in the clear: %q", heard)
	}
	_, _ = client(WithTransport(everywhere(server)), WithInsecure("10.1.2.3:5000")).Digest(t.Context(), "10.1.2.3:5000/core", "v1.0.0")
	if len(heard) == 0 {
		t.Error("what may be plain was not asked")
	}
}

// A registry behind TLS sends on to where there is none, or names such a token server.
func TestNoWayIntoTheClear(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://cdn.example.org"+r.URL.Path, http.StatusTemporaryRedirect)
		},
		"realm": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="http://auth.example.org/token",service="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewTLSServer(answer)
			defer server.Close()
			way := everywhere(server)
			plain := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked %s", r.Host+r.URL.Path) }))
			defer plain.Close()
			direct := way.DialContext
			way.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
				if strings.HasSuffix(address, ":80") {
					return (&net.Dialer{}).DialContext(ctx, network, plain.Listener.Addr().String())
				}
				return direct(ctx, network, address)
			}
			_, err := client(WithTransport(way)).Digest(t.Context(), "registry.example.org/core", "v1.0.0")
			if err == nil || !strings.Contains(err.Error(), `scheme "http" not allowed`) && !strings.Contains(err.Error(), "cdn.example.org wants plain HTTP") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// oneLogin is a credential helper that has one login for all.
type oneLogin struct{ user, password string }

func (h oneLogin) Get(string) (string, string, error) { return h.user, h.password, nil }
