package registry

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
)

// remembered asks a keychain once for each repository, and again after a while since clouds give out
// credentials that expire: a credential helper is a program that may take a second, and reading,
// writing and pushing would each start it.
type remembered struct {
	inner authn.Keychain

	mu    sync.Mutex
	known map[string]authn.Authenticator
}

// remember is well below the shortest life of credentials that a cloud gives out (15 minutes).
const remember = 5 * time.Minute

func newRemembered(inner authn.Keychain) *remembered {
	return &remembered{inner: authn.RefreshingKeychain(inner, remember), known: map[string]authn.Authenticator{}}
}

// Resolve implements authn.Keychain.
func (r *remembered) Resolve(target authn.Resource) (authn.Authenticator, error) {
	return r.ResolveContext(context.Background(), target)
}

// ResolveContext implements authn.ContextKeychain.
func (r *remembered) ResolveContext(ctx context.Context, target authn.Resource) (authn.Authenticator, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if auth, found := r.known[target.String()]; found {
		return auth, nil
	}
	auth, err := authn.Resolve(ctx, r.inner, target)
	if err != nil {
		return nil, &credentialsError{err}
	}
	r.known[target.String()] = auth
	return auth, nil
}

// byRegistry asks as docker does, for the registry alone: a helper that is set for it goes before the
// store for all others, and runs once for all repositories.
type byRegistry struct{ inner *remembered }

// Resolve implements authn.Keychain.
func (b byRegistry) Resolve(target authn.Resource) (authn.Authenticator, error) {
	return b.ResolveContext(context.Background(), target)
}

// ResolveContext implements authn.ContextKeychain.
func (b byRegistry) ResolveContext(ctx context.Context, target authn.Resource) (authn.Authenticator, error) {
	return b.inner.ResolveContext(ctx, host(target.RegistryStr()))
}

// host is a registry as a keychain is asked for it.
type host string

func (h host) String() string      { return string(h) }
func (h host) RegistryStr() string { return string(h) }

// credentialsError tells a broken docker configuration or credential helper from a broken registry.
// It is ErrUnauthorized, since a login mends both.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string   { return fmt.Sprintf("no credentials: %v", e.err) }
func (e *credentialsError) Unwrap() []error { return []error{ErrUnauthorized, e.err} }
