package registry

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// Credentials are what a docker engine needs to push to or pull from a registry. They never print
// themselves, not in JSON either; Header is the one way out. The zero value is anonymous.
type Credentials struct {
	Registry      string `json:"registry"` // as docker login knows it
	Username      string `json:"-"`
	Password      string `json:"-"`
	IdentityToken string `json:"-"`
	RegistryToken string `json:"-"`
}

// Credentials looks up what docker login has stored for a repository's registry. Anonymous ones are
// not an error.
func (c *Client) Credentials(ctx context.Context, repository string) (Credentials, error) {
	repo, err := c.repository(repository)
	if err != nil {
		return Credentials{}, err
	}
	auth, err := authn.Resolve(ctx, c.keychain, repo)
	if err != nil {
		return Credentials{}, explain(ctx, repo.Registry, repository, err)
	}
	config, err := authn.Authorization(ctx, auth)
	if err != nil {
		return Credentials{}, explain(ctx, repo.Registry, repository, err)
	}
	return Credentials{
		Registry: address(repo.Registry), Username: config.Username, Password: config.Password,
		IdentityToken: config.IdentityToken, RegistryToken: config.RegistryToken,
	}, nil
}

// address is Docker Hub's historical name in an engine's credentials, or the registry's own.
func address(registry name.Registry) string {
	if registry.RegistryStr() == name.DefaultRegistry {
		return authn.DefaultAuthKey
	}
	return registry.RegistryStr()
}

// Anonymous tells whether there is nothing secret in them.
func (c Credentials) Anonymous() bool {
	return c.Password == "" && c.IdentityToken == "" && c.RegistryToken == ""
}

// Header is the value of X-Registry-Auth in calls of the Engine API: base64url of JSON. Anonymous
// credentials give an empty one. It is a secret.
func (c Credentials) Header() string {
	if c.Anonymous() {
		return ""
	}
	text, _ := json.Marshal(map[string]string{ // strings always encode
		"username": c.Username, "password": c.Password, "serveraddress": c.Registry,
		"identitytoken": c.IdentityToken, "registrytoken": c.RegistryToken,
	})
	return base64.URLEncoding.EncodeToString(text)
}

// String tells whose they are and nothing else.
func (c Credentials) String() string {
	if c.Anonymous() {
		return "anonymous at " + c.Registry
	}
	return "redacted credentials at " + c.Registry
}

// GoString is String.
func (c Credentials) GoString() string { return c.String() }

// Format writes String whatever the verb: %d would print the fields.
func (c Credentials) Format(s fmt.State, _ rune) { io.WriteString(s, c.String()) }

// LogValue is String.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }
