package registry

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
)

// A host that was broken into has what it was sent: a token that pulls, and no password that pushes.
func TestPullCredentials(t *testing.T) {
	login := authn.AuthConfig{Username: "ada", Password: "s3cret"}
	for name, test := range map[string]struct {
		login   authn.AuthConfig
		answer  func(w http.ResponseWriter, r *http.Request) bool
		token   string // what is sent on; empty: the login
		refused bool
	}{
		"tokens":                    {login, tokensFor("ada:s3cret", "pulls-core"), "pulls-core", false},
		"tokens for a refresh one":  {authn.AuthConfig{IdentityToken: "refresh1"}, refreshing, "access1", false},
		"no tokens":                 {login, basic, "", false},
		"nothing wanted":            {login, func(http.ResponseWriter, *http.Request) bool { return false }, "", false},
		"the password as the token": {login, tokensFor("ada:s3cret", base64.StdEncoding.EncodeToString([]byte("s3cret"))), "", false},
		"a wrong password":          {login, tokensFor("ada:other", "pulls-core"), "", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.failing(test.answer)
			got, err := client(WithKeychain(&keychain{auth: test.login})).PullCredentials(t.Context(), s.core())
			if test.refused {
				if !errors.Is(err, ErrUnauthorized) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || got.RegistryToken != test.token || got.IsLogin() != (test.token == "") {
				t.Fatalf("%q %v, %v", got.RegistryToken, got.IsLogin(), err)
			}
			header, err := base64.URLEncoding.DecodeString(got.Header())
			if sent := strings.Contains(string(header), "s3cret"); err != nil || sent != (test.token == "") {
				t.Errorf("sent %s, %v", header, err)
			}
		})
	}
}

func TestPullCredentialsWithoutLogin(t *testing.T) {
	s, c := newServer(t), client()
	requests := s.during(func() {
		if got, err := c.PullCredentials(t.Context(), s.core()); err != nil || !got.Anonymous() {
			t.Errorf("%v, %v", got, err)
		}
	})
	if len(requests) > 0 {
		t.Errorf("asked %q", requests)
	}
}

// tokensFor is a registry whose token server gives one token for one login, and for pulling core only.
func tokensFor(login, token string) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		user, password, _ := r.BasicAuth()
		switch {
		case r.URL.Path == "/token" && user+":"+password == login && r.FormValue("scope") == "repository:core:pull":
			fmt.Fprintf(w, `{"token":%q,"expires_in":300}`, token)
		case r.URL.Path == "/token":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, r.Host))
			w.WriteHeader(http.StatusUnauthorized)
		}
		return true
	}
}
