package docker_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"promote/internal/docker"
)

func TestConnectNegotiatesInOneCall(t *testing.T) {
	var calls atomic.Int32
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		w.Header().Set("Api-Version", "1.41")
		if strings.HasSuffix(r.URL.Path, "/images/core:v1/json") {
			w.Write([]byte(`{"Id":"sha256:1"}`))
		}
		if strings.HasPrefix(r.URL.Path, "/v") && !strings.HasPrefix(r.URL.Path, "/v1.41/") {
			t.Errorf("asked for %s", r.URL.Path)
		}
	}))
	defer engine.Close()
	e, err := docker.Connect(t.Context(), "tcp://"+engine.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if image, found, err := e.Image(t.Context(), "core:v1"); err != nil || !found || image.ID != "sha256:1" {
		t.Errorf("image %v, %v, %v", image, found, err)
	}
	if n := calls.Load(); n != 2 {
		t.Errorf("%d calls, want the ping and the image", n)
	}
}

func TestConnectUnreachable(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	tests := []struct{ name, host, message, hint string }{
		{"no socket", "unix://" + filepath.Join(t.TempDir(), "no.sock"), "nothing listens there", "is docker running? docker info"},
		{"nobody on the port", "tcp://" + closed.Listener.Addr().String(), "nothing listens there", "DOCKER_HOST"},
		{"ssh", "ssh://ada@prod", "behind ssh", "host: ssh://ada@prod"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := docker.Connect(t.Context(), test.host)
			var unreachable *docker.UnreachableError
			if !errors.As(err, &unreachable) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), test.message) || !strings.Contains(err.Error(), test.host) {
				t.Errorf("message %q", err)
			}
			if !strings.Contains(unreachable.Hint(), test.hint) {
				t.Errorf("hint %q", unreachable.Hint())
			}
		})
	}
}

// Root may open every socket, so the engine's refusal is made here.
func TestUnreachableByPermission(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: fs.ErrPermission}
	err := &docker.UnreachableError{Host: "unix:///run/docker.sock", Err: refused}
	if want := "no docker engine at unix:///run/docker.sock: permission denied on the socket"; err.Error() != want {
		t.Errorf("got %q", err)
	}
	if !strings.Contains(err.Hint(), "usermod -aG docker") {
		t.Errorf("hint %q", err.Hint())
	}
}

func TestConnectMistakes(t *testing.T) {
	if _, err := docker.Connect(t.Context(), "what"); err == nil {
		t.Error("a host that is no URL was taken")
	}
	if _, err := docker.Connect(t.Context(), "tcp://127.0.0.1:1", docker.Certificates(t.TempDir())); err == nil {
		t.Error("missing certificates were taken")
	}
}

func TestConnectCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := docker.Connect(ctx, "tcp://127.0.0.1:1"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
