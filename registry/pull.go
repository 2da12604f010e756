package registry

import (
	"cmp"
	"context"
	"encoding/base64"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// PullCredentials are for an engine on another machine, which is trusted with no more than it needs: a token that
// pulls from the one repository, and only for some minutes. Where the registry gives no such tokens they are the
// login itself (Credentials.IsLogin). Without a login they are anonymous.
func (c *Client) PullCredentials(ctx context.Context, repository string) (Credentials, error) {
	login, err := c.Credentials(ctx, repository)
	if err != nil || !login.IsLogin() {
		return login, err
	}
	repo, err := c.repository(repository)
	if err != nil {
		return Credentials{}, err
	}
	token, err := c.pullToken(ctx, repo, login)
	if err != nil {
		return Credentials{}, explain(ctx, repo.Registry, repository, err)
	}
	if token == "" || discloses(token, login) {
		return login, nil
	}
	return Credentials{Registry: login.Registry, RegistryToken: token}, nil
}

// LoginFor is a login for a repository's registry.
func LoginFor(repository, username, password string) (Credentials, error) {
	repo, err := name.NewRepository(repository)
	return Credentials{Registry: address(repo.Registry), Username: username, Password: password}, err
}

// HostOf is the registry that a repository is in, HOST or HOST:PORT; Docker Hub is index.docker.io.
func HostOf(repository string) (string, error) {
	repo, err := name.NewRepository(repository)
	return repo.RegistryStr(), err
}

// IsLogin reports whether they are more than a token: whoever has them can do all that their owner can.
func (c Credentials) IsLogin() bool { return c.Password != "" || c.IdentityToken != "" }

// pullToken exchanges a login for a token. It is empty where the registry wants none.
func (c *Client) pullToken(ctx context.Context, repo name.Repository, login Credentials) (string, error) {
	end, err := c.endpoint(repo.Registry)
	if err != nil {
		return "", err
	}
	sending := transport.NewUserAgent(end.transport, c.userAgent)
	challenge, err := transport.Ping(ctx, repo.Registry, sending)
	if err != nil || !strings.EqualFold(challenge.Scheme, "bearer") {
		return "", err
	}
	auth := authn.FromConfig(authn.AuthConfig{Username: login.Username, Password: login.Password, IdentityToken: login.IdentityToken})
	token, err := transport.Exchange(ctx, repo.Registry, auth, sending, []string{repo.Scope(transport.PullScope)}, challenge)
	if err != nil {
		return "", err
	}
	return cmp.Or(token.AccessToken, token.Token), nil
}

// discloses reports whether a token gives the login away: that of some registries is the password in base64.
func discloses(token string, login Credentials) bool {
	readable := token
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		decoded, _ := encoding.DecodeString(strings.TrimRight(token, "="))
		readable += "\n" + string(decoded)
	}
	return strings.Contains(readable, cmp.Or(login.IdentityToken, login.Password))
}
