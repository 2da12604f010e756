package registry

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distribution/reference"
)

// Names mean what they mean to docker.
func TestDockerNames(t *testing.T) {
	for _, written := range []string{
		"core", "aegee/core", "docker.io/core", "docker.io/aegee/core", "index.docker.io/core", "docker.io/library/core",
		"ghcr.io/aegee/core", "registry.example.org:5000/core", "registry.example.org/a/b/c", "localhost/core", "localhost:5000/core",
		"127.0.0.1:5000/aegee/core", "10.0.0.1/core", "aegee.org/core", "a.b/core", "[::1]:5000/core",
	} {
		want, err := reference.ParseNormalizedNamed(written)
		if err != nil {
			t.Fatal(err)
		}
		got, err := client().repository(written)
		if err != nil {
			t.Fatal(err)
		}
		host := strings.Replace(reference.Domain(want), "docker.io", "index.docker.io", 1)
		if got.RegistryStr() != host || got.RepositoryStr() != reference.Path(want) {
			t.Errorf("%s is %s in %s, docker says %s", written, got.RepositoryStr(), got.RegistryStr(), want)
		}
	}
}

// helper is a credential helper that knows one login (docker-credential-helpers, protocol of `get`).
const helper = `#!/bin/sh
read server
echo "$server" >>"$ASKED"
case $server in
%s) echo '{"ServerURL": "'$server'", "Username": "%s", "Secret": "%s"}' ;;
*) echo credentials not found in native keychain; exit 1 ;;
esac
`

// dockerConfig is docker's configuration for a test, with credential helpers called x and broken.
func dockerConfig(t *testing.T, text string, login ...any) {
	t.Helper()
	config, programs := t.TempDir(), t.TempDir()
	t.Setenv("DOCKER_CONFIG", config)
	t.Setenv("HOME", t.TempDir())
	t.Setenv("PATH", programs+":/bin:/usr/bin")
	t.Setenv("ASKED", filepath.Join(programs, "asked"))
	fill(t, config, map[string]string{"config.json": text})
	fill(t, programs, map[string]string{
		"docker-credential-x": fmt.Sprintf(helper, login...), "docker-credential-broken": "#!/bin/sh\nexit 2\n",
	})
}

// docker is a client with docker's own configuration.
func docker() *Client {
	return New(func(c *Client) { c.pauses = []time.Duration{time.Millisecond, time.Millisecond} })
}

func encoded(login string) string { return base64.StdEncoding.EncodeToString([]byte(login)) }

func TestDockerLogin(t *testing.T) {
	s := newServer(t)
	s.push(t, "v1.0.0", image(t, nil))
	s.failing(basic)
	tests := []struct {
		name, config, says string // empty: it gets in
	}{
		{"auths", `{"auths": {"ADDR": {"auth": "` + encoded("ada:s3cret") + `"}}}`, ""},
		{"auths with a URL", `{"auths": {"https://ADDR/v1/": {"auth": "` + encoded("ada:s3cret") + `"}}}`, ""},
		{"auths, wrong password", `{"auths": {"ADDR": {"auth": "` + encoded("ada:old") + `"}}}`, "authentication required"},
		{"auths of another registry", `{"auths": {"ghcr.io": {"auth": "` + encoded("ada:s3cret") + `"}}}`, "authentication required"},
		{"store", `{"credsStore": "x"}`, ""},
		{"helper", `{"credHelpers": {"ADDR": "x"}}`, ""},
		{"helper before store", `{"credsStore": "broken", "credHelpers": {"ADDR": "x"}}`, ""},
		{"store that fails", `{"credsStore": "broken"}`, "exit status 2"},
		{"store that is not installed", `{"credsStore": "nowhere"}`, "docker-credential-nowhere"},
		{"not logged in", `{}`, "authentication required"},
		{"broken configuration", `{"auths": `, "no credentials"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dockerConfig(t, strings.ReplaceAll(test.config, "ADDR", s.addr), s.addr, "ada", "s3cret")
			_, err := docker().Digest(t.Context(), s.core(), "v1.0.0")
			if test.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var unavailable *UnavailableError
			if !errors.Is(err, ErrUnauthorized) || !errors.As(err, &unavailable) || unavailable.Hint() != "docker login "+s.addr {
				t.Fatalf("got %v", err)
			}
			if test.says != "authentication required" && !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v does not say %q", err, test.says)
			}
		})
	}
}

// A credential helper may open a window: it runs once for all repositories of a registry.
func TestHelperRunsOnce(t *testing.T) {
	s := newServer(t)
	s.failing(basic)
	dockerConfig(t, `{"credsStore": "x"}`, s.addr, "ada", "s3cret")
	c := docker()
	for _, repository := range []string{"core", "mailer"} {
		if err := c.Writable(t.Context(), s.addr+"/"+repository); err != nil {
			t.Fatal(err)
		}
	}
	asked, err := os.ReadFile(os.Getenv("ASKED"))
	if err != nil || string(asked) != s.addr+"\n" {
		t.Errorf("it was asked for %q, %v", asked, err)
	}
}

// A login that is a refresh token, as those of clouds are: it gets a token by OAuth2.
func TestIdentityToken(t *testing.T) {
	s := newServer(t)
	digest := s.push(t, "v1.0.0", image(t, nil))
	s.failing(refreshing)
	tests := map[string]string{
		"in the configuration": `{"auths": {"` + s.addr + `": {"auth": "` + encoded("00000000-0000-0000-0000-000000000000:") + `", "identitytoken": "refresh1"}}}`,
		"from a helper":        `{"credsStore": "x"}`,
	}
	for name, config := range tests {
		t.Run(name, func(t *testing.T) {
			dockerConfig(t, config, s.addr, "<token>", "refresh1")
			if err := docker().Retag(t.Context(), s.core(), digest, "latest"); err != nil {
				t.Error(err)
			}
			found, err := docker().Credentials(t.Context(), s.core())
			if err != nil || found.IdentityToken != "refresh1" || found.Password != "" {
				t.Errorf("the engine gets %+v, %v", found, err)
			}
		})
	}
	dockerConfig(t, tests["from a helper"], s.addr, "<token>", "revoked")
	if _, err := docker().Digest(t.Context(), s.core(), "v1.0.0"); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("revoked: %v", err)
	}
}

// refreshing takes tokens, and gives them for refresh1 only.
func refreshing(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case r.URL.Path == "/token" && r.FormValue("grant_type") == "refresh_token" && r.FormValue("refresh_token") == "refresh1":
		fmt.Fprint(w, `{"access_token":"access1","refresh_token":"refresh1"}`)
	case r.URL.Path == "/token":
		w.WriteHeader(http.StatusUnauthorized)
	case r.Header.Get("Authorization") == "Bearer access1":
		return false
	default:
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, r.Host))
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"errors":[]}`)
	}
	return true
}
