package docker_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"promote/internal/bed"
	"promote/internal/docker"
	"promote/registry"
)

const nowhere = "sha256:0123456789012345678901234567890123456789012345678901234567890123"

// What was verified is pulled, though its tag points to something else by now, here and there.
func TestPullByDigest(t *testing.T) {
	e, r := connect(t), bed.Registry(t)
	repository := r.Addr() + "/core"
	proven := push(t, r, "core", "v1.0.0", "proven")
	moved := push(t, r, "core", "v1.0.0", "moved")
	image(t, repository+":v1.0.0", "something local")
	layers := map[string]docker.Progress{}
	got, err := e.Pull(t.Context(), repository, proven, "v1.0.0", "", func(p docker.Progress) { layers[p.ID] = p })
	if err != nil {
		t.Fatal(err)
	}
	if !got.Known(repository, proven) || got.Known(repository, moved) {
		t.Errorf("pulled %+v", got)
	}
	if tagged, _, err := e.Image(t.Context(), repository+":v1.0.0"); err != nil || tagged.ID != got.ID {
		t.Errorf("the tag is %+v, %v", tagged, err)
	}
	for _, p := range layers {
		if !p.Done {
			t.Errorf("layer ended as %+v", p)
		}
	}
	if len(layers) != 2 {
		t.Errorf("layers %v", layers)
	}
}

func push(t testing.TB, r *bed.RegistryHandle, repository, tag, content string) string {
	t.Helper()
	return r.Push(t, repository, tag, map[string]string{"app/main": content}, bed.ImageConfig{Cmd: []string{"true"}})
}

// Going back must not need a registry: here it is gone.
func TestPullWithoutRegistry(t *testing.T) {
	e := connect(t)
	var repository, digest string
	t.Run("registry", func(t *testing.T) {
		r := bed.Registry(t)
		repository, digest = r.Addr()+"/core", push(t, r, "core", "v1.0.0", "kept")
		if _, err := e.Pull(t.Context(), repository, digest, "v1.0.0", "", nil); err != nil {
			t.Fatal(err)
		}
	})
	got, err := e.Pull(t.Context(), repository, digest, "v1.0.0-again", "", func(p docker.Progress) { t.Errorf("pulled %+v", p) })
	if err != nil || !got.Known(repository, digest) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, found, err := e.Image(t.Context(), repository+":v1.0.0-again"); !found || err != nil {
		t.Errorf("no tag: %v", err)
	}
	var unavailable *registry.UnavailableError
	if _, err := e.Pull(t.Context(), repository, nowhere, "v2.0.0", "", nil); !errors.As(err, &unavailable) {
		t.Errorf("a digest that is not here: %v", err)
	}
}

// What was built and pushed here is not pulled again.
func TestPullAfterPush(t *testing.T) {
	e, r := connect(t), bed.Registry(t)
	image(t, r.Addr()+"/core:v1.0.0", "own")
	digest, err := e.Push(t.Context(), r.Addr()+"/core:v1.0.0", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Pull(t.Context(), r.Addr()+"/core", digest, "v1.0.0", "", func(p docker.Progress) { t.Errorf("pulled %+v", p) })
	if err != nil {
		t.Error(err)
	}
}

func TestPullWithCredentials(t *testing.T) {
	e, r := connect(t), bed.PrivateRegistry(t)
	digest := push(t, r, "core", "v1.0.0", "private")
	if _, err := e.Pull(t.Context(), r.Addr()+"/core", digest, "v1.0.0", "", nil); !errors.Is(err, registry.ErrUnauthorized) {
		t.Errorf("anonymous: %v", err)
	}
	if _, err := e.Pull(t.Context(), r.Addr()+"/core", digest, "v1.0.0", login(t, r), nil); err != nil {
		t.Errorf("with credentials: %v", err)
	}
}

func TestPullMissing(t *testing.T) {
	e, r := connect(t), bed.Registry(t)
	push(t, r, "core", "v1.0.0", "there")
	for _, repository := range []string{"core", "nothing"} {
		if _, err := e.Pull(t.Context(), r.Addr()+"/"+repository, nowhere, "v1.0.0", "", nil); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%s: %v", repository, err)
		}
	}
}

// answers is a registry in trouble.
func answers(t testing.TB, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/" {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String() + "/core"
}

func TestPullFromRegistryInTrouble(t *testing.T) {
	e := connect(t)
	tests := []struct {
		name, body   string
		status, want int
		kind         error
		hint         string
	}{
		{"limit", `{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}`, 429, 429, nil, "docker login"},
		{"broken", `{"errors":[{"code":"UNKNOWN","message":"disk on fire"}]}`, 500, 0, nil, "curl"},
		{"denied", `{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}`, 403, 401, registry.ErrUnauthorized, "docker login"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := e.Pull(t.Context(), answers(t, test.status, test.body), nowhere, "v1.0.0", "", nil)
			var unavailable *registry.UnavailableError
			if !errors.As(err, &unavailable) {
				t.Fatalf("got %v", err)
			}
			if unavailable.Status != test.want || !strings.Contains(unavailable.Hint(), test.hint) {
				t.Errorf("status %d, hint %q: %v", unavailable.Status, unavailable.Hint(), err)
			}
			if test.kind != nil && !errors.Is(err, test.kind) || errors.Is(err, registry.ErrNotFound) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// The registry never answers; the pull is cancelled once it was asked.
func TestPullCancelled(t *testing.T) {
	e := connect(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		cancel()
		<-over // the engine itself goes on asking for a while
	}))
	defer server.Close()
	defer close(over)
	_, err := e.Pull(ctx, server.Listener.Addr().String()+"/core", nowhere, "v1.0.0", "", nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
