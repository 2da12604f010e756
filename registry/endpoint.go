package registry

import (
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// endpoint is one registry, with the connections and tokens that were needed so far.
type endpoint struct {
	transport http.RoundTripper
	puller    *remote.Puller
	pusher    *remote.Pusher
}

// endpoint finds the registry that a repository is in. Its certificates count for the token server and
// for the places that it sends us on to as well, as they do for docker.
func (c *Client) endpoint(registry name.Registry) (*endpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	host := registry.RegistryStr()
	if e, found := c.endpoints[host]; found {
		return e, nil
	}
	t, err := c.roundTripper(host)
	if err != nil {
		return nil, &UnavailableError{Reference: host, Registry: host, Reason: err.Error(), Err: err}
	}
	e := &endpoint{transport: t}
	once := remote.Backoff{Steps: 1} // the transport tries again by itself
	settings := []remote.Option{
		remote.WithAuthFromKeychain(c.keychain), remote.WithTransport(t), remote.WithRetryBackoff(once), remote.WithUserAgent(c.userAgent),
	}
	if e.puller, err = remote.NewPuller(settings...); err != nil {
		return nil, err
	}
	if e.pusher, err = remote.NewPusher(settings...); err != nil {
		return nil, err
	}
	c.endpoints[host] = e
	return e, nil
}

// roundTripper sends requests to one registry: with its certificates, in plain HTTP only where that is
// allowed, with an end to waiting, and again where that may help.
func (c *Client) roundTripper(host string) (http.RoundTripper, error) {
	inner := c.transport
	if inner == nil {
		config, err := certificates(c.certificates, host)
		if err != nil {
			return nil, err
		}
		own := remote.DefaultTransport.(*http.Transport).Clone()
		own.TLSClientConfig = config
		inner = own
	}
	return &retry{inner: &attentive{&encrypted{inner, c.mayBePlain}, c.patience}, pauses: c.pauses, pause: c.pause}, nil
}
