package registry

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
)

func TestTagsAndDigest(t *testing.T) {
	s, c := newServer(t), client()
	want := s.push(t, "v1.0.0", image(t, nil))
	s.push(t, "other", image(t, nil))
	tags, err := c.Tags(t.Context(), s.core())
	if err != nil || !slices.Equal(tags, []string{"other", "v1.0.0"}) {
		t.Errorf("tags %v, %v", tags, err)
	}
	requests := s.during(func() {
		if got, err := c.Digest(t.Context(), s.core(), "v1.0.0"); err != nil || got != want {
			t.Errorf("digest %s, want %s: %v", got, want, err)
		}
	})
	if !slices.Equal(requests, []string{"HEAD /v2/core/manifests/v1.0.0"}) {
		t.Errorf("the second call asked %q: it should find everything set up", requests)
	}
}

func TestRetag(t *testing.T) {
	s, c := newServer(t), client()
	image := s.push(t, "v1.0.0", image(t, nil))
	index := s.push(t, "v2.0.0", index(t, nil, nil, "linux/amd64", "linux/arm64"))
	for _, digest := range []string{image, index} {
		requests := s.during(func() {
			if err := c.Retag(t.Context(), s.core(), digest, "latest"); err != nil {
				t.Fatal(err)
			}
		})
		if got, err := c.Digest(t.Context(), s.core(), "latest"); err != nil || got != digest {
			t.Errorf("latest is %s, want %s: %v", got, digest, err)
		}
		if count(requests, "PUT ") != 1 || count(requests, "GET /v2/core/blobs") != 0 || count(requests, "POST ") != 0 {
			t.Errorf("requests %q, want one manifest", requests)
		}
	}
}

func TestRetagMissing(t *testing.T) {
	s, c := newServer(t), client()
	s.push(t, "v1.0.0", image(t, nil))
	err := c.Retag(t.Context(), s.core(), "sha256:"+strings.Repeat("0", 64), "latest")
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
	if _, err := c.Digest(t.Context(), s.core(), "latest"); !errors.Is(err, ErrNotFound) {
		t.Errorf("latest: %v", err)
	}
}

func TestMistakesAreFoundBeforeAsking(t *testing.T) {
	s, c := newServer(t), client()
	calls := map[string]func() error{
		"tag begins with a dot":    func() error { _, err := c.Digest(t.Context(), s.core(), ".v1"); return err },
		"tag with a plus":          func() error { _, err := c.Digest(t.Context(), s.core(), "v1.0.0+1"); return err },
		"empty tag":                func() error { return c.Retag(t.Context(), s.core(), "sha256:1", "") },
		"digest too short":         func() error { return c.Retag(t.Context(), s.core(), "sha256:1", "latest") },
		"no digest":                func() error { _, err := c.Release(t.Context(), s.core(), "v1:2"); return err },
		"repository in upper case": func() error { _, err := c.Tags(t.Context(), s.addr+"/Core"); return err },
		"empty repository":         func() error { return c.Writable(t.Context(), "") },
		"credentials of nothing":   func() error { _, err := c.Credentials(t.Context(), ""); return err },
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			requests := s.during(func() {
				var unavailable *UnavailableError
				if err := call(); err == nil || errors.Is(err, ErrNotFound) || errors.As(err, &unavailable) {
					t.Errorf("got %v", err)
				}
			})
			if len(requests) > 0 {
				t.Errorf("asked %q", requests)
			}
		})
	}
}

func TestLoopback(t *testing.T) {
	tests := map[string]bool{
		"127.0.0.1:5000": true, "127.4.5.6": true, "127.4.5.6:5000": true, "localhost": true, "localhost:5000": true,
		"[::1]:5000": true, "ghcr.io": false, "10.0.0.1:5000": false, "localhost.example.org": false, "index.docker.io": false,
	}
	for registry, want := range tests {
		if isLoopback(registry) != want {
			t.Errorf("%s: %v", registry, !want)
		}
	}
}

// docker takes all of 127.0.0.0/8; the library's own rule is 127.0.0.1.
func TestPlainHTTPOnLoopback(t *testing.T) {
	server := httptest.NewUnstartedServer(Serve(t.TempDir(), log.New(io.Discard, "", 0)))
	server.Listener.Close()
	listener, err := net.Listen("tcp", "127.5.6.7:0")
	if err != nil {
		t.Skipf("only 127.0.0.1 is the loopback here: %v", err)
	}
	server.Listener = listener
	server.Start()
	defer server.Close()
	if _, err := client().Digest(t.Context(), listener.Addr().String()+"/core", "v1"); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestWritable(t *testing.T) {
	s, c := newServer(t), client()
	requests := s.during(func() {
		if err := c.Writable(t.Context(), s.core()); err != nil {
			t.Error(err)
		}
	})
	if count(requests, "POST /v2/core/blobs/uploads/") != 1 {
		t.Errorf("asked %q", requests)
	}
	s.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"errors":[{"code":"DENIED","message":"read only"}]}`)
		}
		return r.Method == http.MethodPost
	})
	if err := c.Writable(t.Context(), s.core()); !errors.Is(err, ErrUnauthorized) || !strings.Contains(err.Error(), "read only") {
		t.Errorf("got %v", err)
	}
}

// basic lets in one user.
func basic(w http.ResponseWriter, r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	if user == "ada" && password == "s3cret" {
		return false
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
	w.WriteHeader(http.StatusUnauthorized)
	io.WriteString(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`)
	return true
}

// keychain counts how often it is asked.
type keychain struct {
	auth  authn.AuthConfig
	err   error
	asked atomic.Int32
}

func (k *keychain) Resolve(authn.Resource) (authn.Authenticator, error) {
	k.asked.Add(1)
	return authn.FromConfig(k.auth), k.err
}

func TestBasicAuth(t *testing.T) {
	s := newServer(t)
	digest := s.push(t, "v1.0.0", image(t, nil))
	s.failing(basic)
	for _, password := range []string{"", "wrong"} {
		c := client(WithKeychain(&keychain{auth: authn.AuthConfig{Username: "ada", Password: password}}))
		_, err := c.Digest(t.Context(), s.core(), "v1.0.0")
		var unavailable *UnavailableError
		if !errors.Is(err, ErrUnauthorized) || !errors.As(err, &unavailable) || errors.Is(err, ErrNotFound) {
			t.Fatalf("password %q: %v", password, err)
		}
		if want := "docker login " + s.addr; unavailable.Hint() != want {
			t.Errorf("hint %q", unavailable.Hint())
		}
	}
	k := &keychain{auth: authn.AuthConfig{Username: "ada", Password: "s3cret"}}
	c := client(WithKeychain(k))
	if _, err := c.Digest(t.Context(), s.core(), "v1.0.0"); err != nil {
		t.Fatal(err)
	}
	if err := c.Retag(t.Context(), s.core(), digest, "latest"); err != nil {
		t.Fatal(err)
	}
	if err := c.Writable(t.Context(), s.core()); err != nil {
		t.Fatal(err)
	}
	if n := k.asked.Load(); n != 1 {
		t.Errorf("the credential helper ran %d times", n)
	}
}

// A token server that issues tokens for one password, as Docker Hub and ghcr.io have it.
func TestBearerToken(t *testing.T) {
	s := newServer(t)
	digest := s.push(t, "v1.0.0", image(t, nil))
	s.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/token" {
			if !basic(w, r) {
				fmt.Fprintf(w, `{"token":%q}`, strings.Join(r.URL.Query()["scope"], " "))
			}
			return true
		}
		wanted := "repository:core:pull"
		if r.Method == http.MethodPut {
			wanted = "repository:core:push,pull"
		}
		if strings.Contains(r.Header.Get("Authorization"), wanted) {
			return false
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="http://%s/token",service="test"`, r.Host))
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	c := client(WithKeychain(&keychain{auth: authn.AuthConfig{Username: "ada", Password: "s3cret"}}))
	if err := c.Retag(t.Context(), s.core(), digest, "latest"); err != nil {
		t.Error(err)
	}
	expired := client(WithKeychain(&keychain{auth: authn.AuthConfig{Username: "ada", Password: "old"}}))
	_, err := expired.Digest(t.Context(), s.core(), "v1.0.0")
	var unavailable *UnavailableError
	if !errors.Is(err, ErrUnauthorized) || !errors.As(err, &unavailable) {
		t.Errorf("expired login: %v", err)
	}
}

func TestBrokenCredentialHelper(t *testing.T) {
	s := newServer(t)
	c := client(WithKeychain(&keychain{err: errors.New("docker-credential-desktop: exec format error")}))
	_, byCall := c.Digest(t.Context(), s.core(), "v1.0.0")
	_, byCredentials := c.Credentials(t.Context(), s.core())
	for _, err := range []error{byCall, byCredentials} {
		if !errors.Is(err, ErrUnauthorized) || !strings.Contains(err.Error(), "docker-credential-desktop") {
			t.Errorf("got %v", err)
		}
	}
}

func TestCredentials(t *testing.T) {
	k := &keychain{auth: authn.AuthConfig{Username: "ada", Password: "s3cret"}}
	tests := []struct{ repository, registry string }{
		{"aegee/core", "https://index.docker.io/v1/"}, {"ghcr.io/aegee/core", "ghcr.io"}, {"127.0.0.1:5000/core", "127.0.0.1:5000"},
	}
	for _, test := range tests {
		got, err := client(WithKeychain(k)).Credentials(t.Context(), test.repository)
		if err != nil {
			t.Fatal(err)
		}
		text, err := base64.URLEncoding.DecodeString(got.Header())
		if err != nil {
			t.Fatal(err)
		}
		var header map[string]string
		if err := json.Unmarshal(text, &header); err != nil {
			t.Fatal(err)
		}
		if header["username"] != "ada" || header["password"] != "s3cret" || header["serveraddress"] != test.registry {
			t.Errorf("%s: %v", test.repository, header)
		}
	}
	anonymous, err := client().Credentials(t.Context(), "ghcr.io/aegee/core")
	if err != nil || anonymous.Header() != "" || !anonymous.Anonymous() {
		t.Errorf("anonymous: %v, %v", anonymous, err)
	}
}

func TestCredentialsNeverPrint(t *testing.T) {
	c := Credentials{Registry: "ghcr.io", Username: "ada", Password: "s3cret", IdentityToken: "t0ken", RegistryToken: "be4rer"}
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("push", "credentials", c)
	text, err := json.Marshal(map[string]any{"credentials": c})
	if err != nil {
		t.Fatal(err)
	}
	printed := []string{logged.String(), string(text), fmt.Sprint(c), c.GoString()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		printed = append(printed, fmt.Sprintf(verb, c), fmt.Sprintf(verb, &c), fmt.Sprintf(verb, []any{c, struct{ C Credentials }{c}}))
	}
	for _, p := range printed {
		for _, secret := range []string{"ada", "s3cret", "t0ken", "be4rer"} {
			if strings.Contains(p, secret) {
				t.Errorf("printed %s", p)
			}
		}
		if !strings.Contains(p, "ghcr.io") {
			t.Errorf("%s does not tell the registry", p)
		}
	}
}
