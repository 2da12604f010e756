package registry

import (
	"context"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// defaultBackoff is three attempts, after a pause of one second and another of three.
var defaultBackoff = remote.Backoff{Duration: time.Second, Factor: 3, Jitter: 0.1, Steps: 3}

// retryable are the answers of a registry that another attempt may mend.
var retryable = []int{
	http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
	http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
}

// retrying is for the one call of the library that neither retries nor takes a context.
func (c *Client) retrying(ctx context.Context) http.RoundTripper {
	retry := transport.NewRetry(c.transport,
		transport.WithRetryBackoff(c.backoff), transport.WithRetryStatusCodes(retryable...))
	return transport.NewUserAgent(bound{ctx, retry}, c.userAgent)
}

// bound sends every request with a context of ours.
type bound struct {
	ctx   context.Context
	inner http.RoundTripper
}

func (b bound) RoundTrip(r *http.Request) (*http.Response, error) {
	return b.inner.RoundTrip(r.WithContext(b.ctx))
}
