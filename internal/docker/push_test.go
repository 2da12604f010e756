package docker_test

import (
	"errors"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"

	"promote/internal/bed"
	"promote/internal/docker"
	"promote/registry"
)

// image puts a small image of its own into the engine.
func image(t testing.TB, reference, content string) {
	t.Helper()
	repository, tag := split(reference)
	bed.Image(t, repository, tag, map[string]string{"app/main": content}, bed.ImageConfig{Cmd: []string{"true"}})
}

// split cuts a reference at its last colon: the registry has a port.
func split(reference string) (repository, tag string) {
	i := strings.LastIndex(reference, ":")
	return reference[:i], reference[i+1:]
}

func TestPush(t *testing.T) {
	e, r := connect(t), bed.Registry(t)
	target := r.Addr() + "/core:v1.0.0"
	image(t, "pushed:v1", "1")
	if err := e.Tag(t.Context(), "pushed:v1", target); err != nil {
		t.Fatal(err)
	}
	layers := map[string]docker.Progress{}
	digest, err := e.Push(t.Context(), target, "", func(p docker.Progress) { layers[p.ID] = p })
	if err != nil {
		t.Fatal(err)
	}
	if there, err := registry.New().Digest(t.Context(), r.Addr()+"/core", "v1.0.0"); err != nil || there != digest {
		t.Errorf("pushed %s, registry has %s, %v", digest, there, err)
	}
	if len(layers) != 2 {
		t.Errorf("layers %v", layers)
	}
	for _, p := range layers {
		if !p.Done || p.Status != "Pushed" {
			t.Errorf("layer ended as %+v", p)
		}
	}
	again, err := e.Push(t.Context(), target, "", nil)
	if err != nil || again != digest {
		t.Errorf("pushed again: %s, %v", again, err)
	}
}

// The registry of demonstrations takes what an engine pushes.
func TestPushToEmbeddedRegistry(t *testing.T) {
	e := connect(t)
	server := httptest.NewServer(registry.Serve(t.TempDir(), log.New(t.Output(), "", 0)))
	defer server.Close()
	target := server.Listener.Addr().String() + "/core:v1.0.0"
	image(t, target, "embedded")
	digest, err := e.Push(t.Context(), target, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	repository, _ := split(target)
	if there, err := registry.New().Digest(t.Context(), repository, "v1.0.0"); err != nil || there != digest {
		t.Errorf("pushed %s, registry has %s, %v", digest, there, err)
	}
}

func TestPushWithCredentials(t *testing.T) {
	e, r := connect(t), bed.PrivateRegistry(t)
	target := r.Addr() + "/core:v1.0.0"
	image(t, target, "private")
	_, err := e.Push(t.Context(), target, "", nil)
	var unavailable *registry.UnavailableError
	if !errors.Is(err, registry.ErrUnauthorized) || !errors.As(err, &unavailable) {
		t.Fatalf("anonymous: %v", err)
	}
	if want := "docker login " + r.Addr(); unavailable.Hint() != want {
		t.Errorf("hint %q, want %q", unavailable.Hint(), want)
	}
	if _, err := e.Push(t.Context(), target, login(t, r), nil); err != nil {
		t.Errorf("with credentials: %v", err)
	}
}

// login gives what registry.Client finds for a private registry.
func login(t testing.TB, r *bed.RegistryHandle) string {
	t.Helper()
	client := registry.New(registry.WithKeychain(keychain{&authn.Basic{Username: bed.User, Password: bed.Password}}))
	credentials, err := client.Credentials(t.Context(), r.Addr()+"/core")
	if err != nil {
		t.Fatal(err)
	}
	return credentials.Header()
}

type keychain struct{ auth authn.Authenticator }

func (k keychain) Resolve(authn.Resource) (authn.Authenticator, error) { return k.auth, nil }

func TestPushFails(t *testing.T) {
	e := connect(t)
	closed := httptest.NewServer(nil)
	closed.Close()
	nobody := closed.Listener.Addr().String() + "/core:v1"
	image(t, nobody, "nobody")
	_, err := e.Push(t.Context(), nobody, "", nil)
	var unavailable *registry.UnavailableError
	if !errors.As(err, &unavailable) || !strings.Contains(unavailable.Reason, "refused") {
		t.Errorf("nobody there: %v", err)
	}
	if _, err := e.Push(t.Context(), "127.0.0.1:1/missing:v1", "", nil); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("no such image: %v", err)
	}
	if err := e.Tag(t.Context(), "missing:v1", "missing:v2"); err == nil || !strings.Contains(err.Error(), "missing:v1") {
		t.Errorf("tag of what is not there: %v", err)
	}
}
