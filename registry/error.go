package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// ErrNotFound says that the registry has no such tag, digest or repository.
var ErrNotFound = errors.New("not found")

// ErrUnauthorized says that the registry wants other credentials. An error that is ErrUnauthorized is
// an *UnavailableError too.
var ErrUnauthorized = errors.New("unauthorized")

// NotFoundError names what a registry does not have. It is ErrNotFound.
type NotFoundError struct {
	Reference string // as it was asked for
	Registry  string // host, and port if there is one
}

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("%s: not found in %s", e.Reference, e.Registry)
}

// Unwrap makes it ErrNotFound.
func (e *NotFoundError) Unwrap() error { return ErrNotFound }

// UnavailableError says that a registry gave no usable answer: nothing may be concluded about what it
// holds, least of all that something is missing.
type UnavailableError struct {
	Reference string // what was asked for
	Registry  string // host, and port if there is one
	Status    int    // of HTTP; 0 when there was no answer
	Reason    string // in few words, without URLs
	Err       error  // ErrUnauthorized, or what the connection said
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("%s: registry %s: %s", e.Reference, e.Registry, e.Reason)
}

// Unwrap gives the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

// Hint tells what may mend it.
func (e *UnavailableError) Hint() string {
	switch {
	case errors.Is(e.Err, ErrUnauthorized):
		return "docker login " + loginName(e.Registry)
	case e.Status == http.StatusTooManyRequests:
		return "wait, or raise the limit with docker login " + loginName(e.Registry)
	case e.Status >= http.StatusInternalServerError:
		return "try again; the registry itself is in trouble"
	case untrusted(e.Err):
		return "put the certificate of its authority into " + SystemCertificates + "/" + e.Registry + "/ca.crt"
	case isPlain(e.Err):
		return "let it speak TLS, or allow it in promote.yaml: registry: {insecure: [\"" + e.Registry + "\"]}"
	case turnedAway(e.Err):
		return "put our certificate for it into " + SystemCertificates + "/" + e.Registry + "/client.cert and client.key"
	}
	return "is it the right address, and the network up? curl -i https://" + e.Registry + "/v2/"
}

// loginName is what docker login takes: Docker Hub goes by no name there.
func loginName(registry string) string {
	if registry == name.DefaultRegistry {
		return ""
	}
	return registry
}

// explain puts an error of the library into one of this package's kinds.
func explain(ctx context.Context, registry name.Registry, reference string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", reference, ctx.Err())
	}
	host := registry.RegistryStr()
	var answer *transport.Error
	if !errors.As(err, &answer) || untrusted(err) || turnedAway(err) {
		why := cause(registry, err)
		return &UnavailableError{Reference: reference, Registry: host, Reason: why.Error(), Err: why}
	}
	if answer.StatusCode == http.StatusNotFound && !isPing(answer.Request) {
		return &NotFoundError{Reference: reference, Registry: host}
	}
	e := &UnavailableError{Reference: reference, Registry: host, Status: answer.StatusCode, Reason: reason(answer), Err: cause(registry, err)}
	if refused(answer) {
		e.Err = ErrUnauthorized
	}
	return e
}

// untrusted is a certificate that nobody vouches for. What was then answered to plain HTTP means nothing.
func untrusted(err error) bool {
	var unverified *tls.CertificateVerificationError
	return errors.As(err, &unverified)
}

// turnedAway is a registry that wants to see a certificate, and says so in TLS.
func turnedAway(err error) bool {
	var alert *net.OpError
	return errors.As(err, &alert) && alert.Op == "remote error"
}

// isPing tells a server that is no registry from a registry that lacks something.
func isPing(r *http.Request) bool { return r != nil && strings.TrimSuffix(r.URL.Path, "/") == "/v2" }

func refused(answer *transport.Error) bool {
	return answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden
}

// reason is the registry's own code and message where it gave one. Bodies that are not the registry's
// (a proxy's page) are left out.
func reason(answer *transport.Error) string {
	text := fmt.Sprintf("%d %s", answer.StatusCode, strings.ToLower(http.StatusText(answer.StatusCode)))
	for _, d := range answer.Errors {
		text += ", " + strings.TrimSuffix(strings.TrimSpace(string(d.Code)+": "+d.Message), ":")
	}
	return strings.Join(strings.Fields(text), " ")
}

// isPlain is a registry that would have to be spoken with in plain HTTP, and may not be.
func isPlain(err error) bool {
	var plain *plainError
	return errors.As(err, &plain)
}

// cause strips the URL from a failed request: it may be a signed one.
func cause(registry name.Registry, err error) error {
	var request *url.Error
	if !errors.As(err, &request) {
		return err
	}
	if strings.Contains(request.Err.Error(), "server gave HTTP response to HTTPS client") {
		if isPlain(err) || registry.Scheme() == "https" {
			return &plainError{registry.RegistryStr()}
		}
		// Plain HTTP was tried after that, and how it went stands at the end.
		text := err.Error()
		return errors.New(text[strings.LastIndex(text, `": `)+len(`": `):])
	}
	return request.Err
}

// AmbiguousError says that two tags for one version point to different digests.
type AmbiguousError struct {
	Repository string
	Tags       [2]string
	Digests    [2]string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%s: %s (%s) and %s (%s) are one version and differ",
		e.Repository, e.Tags[0], short(e.Digests[0]), e.Tags[1], short(e.Digests[1]))
}

// Hint tells how to find the right one.
func (e *AmbiguousError) Hint() string {
	return "delete the wrong one of the two tags in the registry"
}

// short is enough of a digest to recognise it.
func short(digest string) string {
	if len(digest) > len("sha256:")+12 {
		return digest[:len("sha256:")+12]
	}
	return digest
}
