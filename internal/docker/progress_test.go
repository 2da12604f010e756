package docker

import (
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"promote/registry"
)

func TestFollow(t *testing.T) {
	stream := `{"status":"Pulling from aegee/core","id":"v1.4.2"}
{"status":"Pulling fs layer","progressDetail":{},"id":"aaa"}
{"status":"Downloading","progressDetail":{"current":10,"total":40},"progress":"[==>  ]","id":"aaa"}
{"status":"Pull complete","progressDetail":{},"id":"aaa"}
{"status":"Mounted from aegee/base","id":"bbb"}
{"status":"Digest: sha256:123"}
`
	var got []Progress
	messages := 0
	err := follow(strings.NewReader(stream), "pull x", func(p Progress) { got = append(got, p) }, func(message) { messages++ })
	if err != nil || messages != 6 {
		t.Errorf("%d messages, %v", messages, err)
	}
	want := []Progress{
		{ID: "aaa", Status: "Pulling fs layer"},
		{ID: "aaa", Status: "Downloading", Current: 10, Total: 40},
		{ID: "aaa", Status: "Pull complete", Done: true},
		{ID: "bbb", Status: "Mounted from aegee/base", Done: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestFollowCutOff(t *testing.T) {
	err := follow(strings.NewReader(`{"status":"Pull`), "pull x", nil, func(message) {})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

// Words of real engines: 20.10, 28 and 29, some of them on behalf of Docker Hub and ghcr.io.
func TestRefusal(t *testing.T) {
	tests := []struct {
		message string
		kind    error // nil: unavailable, and nothing more
		status  int
	}{
		{"write /var/lib/docker/tmp/GetImageBlob1: no space left on device", ErrNoSpace, 0},
		{"manifest for aegee/core@sha256:1 not found: manifest unknown: manifest unknown", registry.ErrNotFound, 0},
		{"failed to resolve reference \"ghcr.io/aegee/core@sha256:1\": ghcr.io/aegee/core@sha256:1: not found", registry.ErrNotFound, 0},
		{"name unknown: repository name not known to registry", registry.ErrNotFound, 0},
		{"An image does not exist locally with the tag: aegee/core", registry.ErrNotFound, 0},
		{"toomanyrequests: You have reached your pull rate limit.", nil, http.StatusTooManyRequests},
		{"received unexpected HTTP status: 429 Too Many Requests", nil, http.StatusTooManyRequests},
		{"pull access denied for aegee/x, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
			registry.ErrUnauthorized, http.StatusUnauthorized},
		{"unauthorized: authentication required", registry.ErrUnauthorized, http.StatusUnauthorized},
		{"Head \"https://ghcr.io/v2/x/manifests/v1\": denied: denied", registry.ErrUnauthorized, http.StatusUnauthorized},
		{"no basic auth credentials", registry.ErrUnauthorized, http.StatusUnauthorized},
		{"Get \"https://ghcr.io/v2/\": dial tcp: lookup ghcr.io on 127.0.0.11:53: no such host", nil, 0},
		{"Get \"https://ghcr.io/v2/\": net/http: TLS handshake timeout", nil, 0},
	}
	for _, test := range tests {
		err := refusal("pull ghcr.io/aegee/core:v1", test.message)
		for _, kind := range []error{ErrNoSpace, registry.ErrNotFound, registry.ErrUnauthorized} {
			if errors.Is(err, kind) != (kind == test.kind) {
				t.Errorf("%q is %v", test.message, err)
			}
		}
		var unavailable *registry.UnavailableError
		tells := test.kind == nil || test.kind == registry.ErrUnauthorized
		if errors.As(err, &unavailable) != tells {
			t.Errorf("%q: unavailable is %v", test.message, !tells)
		}
		if tells && (unavailable.Status != test.status || unavailable.Registry != "ghcr.io") {
			t.Errorf("%q: %+v", test.message, unavailable)
		}
	}
}
