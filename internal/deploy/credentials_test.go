package deploy

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"

	"promote/internal/config"
	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/registry"
)

// loggedIn is a keychain with one login for all registries.
type loggedIn struct{}

func (loggedIn) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.FromConfig(authn.AuthConfig{Username: "ada", Password: "may-push"}), nil
}

// registryWith is a registry that challenges with a scheme, Basic or Bearer.
func registryWith(t *testing.T, scheme string) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			fmt.Fprintf(w, `{"token":%q}`, r.FormValue("scope"))
			return
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`%s realm="http://%s/token",service="test"`, scheme, r.Host))
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestLeastCredentials(t *testing.T) {
	tokens, passwords := registryWith(t, "Bearer"), registryWith(t, "Basic")
	login := []config.PullLogin{{Registry: passwords, Username: "ci", Password: "may-pull"}}
	unset := []config.PullLogin{{Registry: passwords, Unset: []string{"PULL_PASSWORD"}}}
	far := []string{"ssh://deploy@prod.example.org"}
	for name, test := range map[string]struct {
		hosts  []string
		engine string
		image  string
		pull   []config.PullLogin
		want   string // what is sent
		warned bool
		says   string // the error
	}{
		"a token":               {far, promotion.EngineCompose, tokens + "/core", login, "repository:core:pull", false, ""},
		"no tokens":             {far, promotion.EngineCompose, passwords + "/core", nil, "may-push", true, ""},
		"no tokens, pull login": {far, promotion.EngineCompose, passwords + "/core", login, "may-pull", false, ""},
		"login not set":         {far, promotion.EngineCompose, passwords + "/core", unset, "", false, "PULL_PASSWORD"},
		"a swarm":               {far, promotion.EngineSwarm, tokens + "/core", nil, "may-push", true, ""},
		"a swarm, pull login":   {far, promotion.EngineSwarm, passwords + "/core", login, "may-pull", false, ""},
		"this machine":          {nil, promotion.EngineCompose, tokens + "/core", login, "may-push", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := &Client{Config: &config.Config{Registry: config.Registry{Pull: test.pull}}, Registry: registry.New(registry.WithKeychain(loggedIn{}))}
			env := &Environment{Environment: &config.Environment{Hosts: test.hosts}, Target: promotion.Target{Engine: test.engine}}
			found, err := c.pullCredentials(t.Context(), env, []string{test.image, test.image})
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("got %v", err)
				}
				return
			}
			got := found[test.image]
			if err != nil || got.Password+got.RegistryToken != test.want {
				t.Errorf("%v, %v", got, err)
			}
			checks := c.checkCredentials(env, found)
			if warned := len(checks) == 1 && checks[0].State == rollout.Warning; warned != test.warned || len(checks) > 1 {
				t.Errorf("checks %+v", checks)
			}
		})
	}
}

// Going back needs no registry.
func TestWayBackWithoutRegistry(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	image := server.Listener.Addr().String() + "/core"
	server.Close()
	env := &Environment{Environment: &config.Environment{Hosts: []string{"ssh://prod.example.org"}}}
	h := &HostDeployment{Env: env, Client: &Client{Config: &config.Config{}, Registry: registry.New(registry.WithKeychain(loggedIn{}))}}
	for kind, wanted := range map[promotion.Kind]bool{promotion.Rollback: false, promotion.Pin: false, promotion.Deploy: true} {
		sent, err := h.planCredentials(t.Context(), promotion.Plan{Kind: kind, Moves: []promotion.Move{{Image: image}}})
		if (err != nil) != wanted || len(sent) > 0 {
			t.Errorf("%s: %v, %v", kind, sent, err)
		}
	}
}
