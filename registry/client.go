package registry

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"promote/semver"
)

// Client talks to any number of registries. It keeps connections and tokens between calls and may be
// used by several goroutines at once, so one per program is enough.
type Client struct {
	keychain     authn.Keychain
	transport    http.RoundTripper // nil for our own, with certificates
	certificates []string
	insecure     []string // registries that plain HTTP may be spoken with
	userAgent    string
	patience     time.Duration
	pauses       []time.Duration
	pause        func(context.Context, time.Duration) error

	mu        sync.Mutex
	endpoints map[string]*endpoint // by host
}

// Option changes how a Client works.
type Option func(*Client)

// WithKeychain takes credentials from somewhere else than docker's configuration.
func WithKeychain(k authn.Keychain) Option { return func(c *Client) { c.keychain = k } }

// WithTransport sends requests through t, which then is what knows certificates. Retries and
// authentication are put around it.
func WithTransport(t http.RoundTripper) Option { return func(c *Client) { c.transport = t } }

// WithCertificates looks for the certificates of registries in more folders than SystemCertificates, for
// instance that of an engine that runs without root: ~/.config/docker/certs.d.
func WithCertificates(folders ...string) Option {
	return func(c *Client) { c.certificates = append(c.certificates, folders...) }
}

// WithInsecure allows plain HTTP with registries, HOST or HOST:PORT as image names have them, that don't
// answer to HTTPS. Whoever is on the way there reads the credentials and can answer in the registry's place.
func WithInsecure(registries ...string) Option {
	return func(c *Client) { c.insecure = append(c.insecure, registries...) }
}

// WithPatience is how long a registry may say nothing before it counts as unavailable; 30 s otherwise.
func WithPatience(d time.Duration) Option { return func(c *Client) { c.patience = d } }

// WithUserAgent is what the registry sees as the name of the program.
func WithUserAgent(name string) Option { return func(c *Client) { c.userAgent = name } }

// New makes a client. It sends nothing.
func New(options ...Option) *Client {
	c := &Client{
		certificates: []string{SystemCertificates},
		userAgent:    "promote",
		patience:     30 * time.Second,
		pauses:       defaultPauses,
		pause:        wait,
		endpoints:    map[string]*endpoint{},
	}
	for _, option := range options {
		option(c)
	}
	if c.keychain == nil {
		c.keychain = byRegistry{newRemembered(authn.DefaultKeychain)}
	} else {
		c.keychain = newRemembered(c.keychain)
	}
	return c
}

// Tags lists every tag of a repository, in the registry's order. A repository that is not there is
// ErrNotFound.
func (c *Client) Tags(ctx context.Context, repository string) ([]string, error) {
	repo, err := c.repository(repository)
	if err != nil {
		return nil, err
	}
	end, err := c.endpoint(repo.Registry)
	if err != nil {
		return nil, err
	}
	tags, err := end.puller.List(ctx, repo)
	if err != nil {
		return nil, explain(ctx, repo.Registry, repository, err)
	}
	return tags, nil
}

// Digest tells what a tag points to, of the index where there is one, without fetching it.
func (c *Client) Digest(ctx context.Context, repository, tag string) (string, error) {
	ref, err := c.tag(repository, tag)
	if err != nil {
		return "", err
	}
	end, err := c.endpoint(ref.Registry)
	if err != nil {
		return "", err
	}
	head, err := end.puller.Head(ctx, ref)
	if err != nil {
		return "", explain(ctx, ref.Registry, written(repository, tag), err)
	}
	return head.Digest.String(), nil
}

// Retag makes a tag point to a digest of the same repository, as one manifest written again under
// another name: no layer is pulled or pushed, and an index keeps all its platforms. A digest that is
// not there is ErrNotFound.
func (c *Client) Retag(ctx context.Context, repository, digest, tag string) error {
	target, err := c.tag(repository, tag)
	if err != nil {
		return err
	}
	source, err := c.reference(repository, digest)
	if err != nil {
		return err
	}
	end, err := c.endpoint(target.Registry)
	if err != nil {
		return err
	}
	manifest, err := end.puller.Get(ctx, source)
	if err != nil {
		return explain(ctx, target.Registry, written(repository, digest), err)
	}
	if err := end.pusher.Put(ctx, target, manifest); err != nil {
		return explain(ctx, target.Registry, written(repository, tag), err)
	}
	return nil
}

// Writable tells whether the credentials may push to a repository, by starting an upload and cancelling
// it. It is ErrUnauthorized when they may not.
func (c *Client) Writable(ctx context.Context, repository string) error {
	repo, err := c.repository(repository)
	if err != nil {
		return err
	}
	end, err := c.endpoint(repo.Registry)
	if err != nil {
		return err
	}
	sending := transport.NewUserAgent(bound{ctx, end.transport}, c.userAgent)
	if err := remote.CheckPushPermission(repo.Tag("latest"), c.keychain, sending); err != nil {
		return explain(ctx, repo.Registry, repository, err)
	}
	return nil
}

// repository parses a name once, with the registry's scheme decided by its address.
func (c *Client) repository(repository string) (name.Repository, error) {
	repo, err := name.NewRepository(repository)
	if err == nil && c.mayBePlain(repo.RegistryStr()) {
		repo, err = name.NewRepository(repository, name.Insecure)
	}
	if err != nil {
		return name.Repository{}, fmt.Errorf("image repository %q: %w", repository, err)
	}
	return repo, nil
}

// tag checks the grammar of a tag before anything is sent.
func (c *Client) tag(repository, tag string) (name.Tag, error) {
	repo, err := c.repository(repository)
	if err != nil {
		return name.Tag{}, err
	}
	if err := semver.ValidTag(tag); err != nil {
		return name.Tag{}, err
	}
	return repo.Tag(tag), nil
}

// reference is a tag, or a digest.
func (c *Client) reference(repository, reference string) (name.Reference, error) {
	if !strings.Contains(reference, ":") {
		return c.tag(repository, reference)
	}
	repo, err := c.repository(repository)
	if err != nil {
		return nil, err
	}
	if _, err := name.NewDigest("x@" + reference); err != nil {
		return nil, fmt.Errorf("image digest %q: %w", reference, err)
	}
	return repo.Digest(reference), nil
}

// written is a tag or digest of a repository as docker writes it.
func written(repository, reference string) string {
	if strings.Contains(reference, ":") {
		return repository + "@" + reference
	}
	return repository + ":" + reference
}
