package rollout

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"promote/compose"
	"promote/internal/docker"
	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/registry"
)

var apiVersion = regexp.MustCompile(`^/v1\.\d+`)

// engine is one that answers what it is told to, and for the rest that there is no such thing. A pull
// begins and gets nowhere.
func engine(t *testing.T, answers map[string]string) *docker.Engine {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := apiVersion.ReplaceAllString(r.URL.Path, "")
		w.Header().Set("Content-Type", "application/json")
		switch answer, known := answers[path]; {
		case known:
			fmt.Fprint(w, answer)
		case path == "/_ping":
		case path == "/images/create":
			fmt.Fprintln(w, `{"id": "0123456789ab", "status": "Downloading"}`)
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"message": "no such thing"}`)
		}
	}))
	t.Cleanup(server.Close)
	e, err := docker.Connect(t.Context(), "tcp://"+strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// pulling is a run of one image whose pull gets nowhere.
func pulling(t *testing.T, deadline time.Duration, tell func(Event)) *run {
	t.Helper()
	project := t.TempDir()
	target := promotion.Target{Project: project, Environment: "prod", Rollout: promotion.Rollout{ProgressDeadline: deadline}}
	change := compose.Change{Service: "core", To: compose.Pin{Tag: "v1.1.0"}}
	move := promotion.Move{
		Service: "core", Image: "registry.example/core", Rolls: []promotion.Roll{{Service: "core", Changes: []compose.Change{change}}},
		To: registry.Release{Tag: "v1.1.0", Digest: "sha256:" + strings.Repeat("a", 64)},
	}
	return &run{
		Machine: &Machine{Target: target, Engine: engine(t, nil), History: journal.Open(project).Of("prod"), Now: time.Now},
		Order:   Order{Plan: promotion.Plan{ID: "20261121-120000-abc", Moves: []promotion.Move{move}}, Tell: tell},
	}
}

func TestPullStalls(t *testing.T) {
	told := 0
	r := pulling(t, 300*time.Millisecond, func(Event) { told++ })
	result := r.end(t.Context(), r.pull(t.Context()))
	want := Result{Outcome: OutcomeFailed, Error: "pull registry.example/core:v1.1.0: no progress for 300ms", Hint: "the same command again"}
	if fmt.Sprint(result) != fmt.Sprint(want) || told == 0 {
		t.Errorf("got %+v after %d events, want %+v", result, told, want)
	}
}

// While one image gets on, the others wait for it.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &patience{limit: 10 * time.Minute}
		defer p.stop()
		waiting := p.watch(t.Context(), "waiting")
		p.watch(t.Context(), "loading")
		<-time.After(9 * time.Minute)
		p.progress()
		<-time.After(9 * time.Minute)
		if err := waiting.Err(); err != nil {
			t.Errorf("given up while another one got on: %v", context.Cause(waiting))
		}
		<-time.After(2 * time.Minute)
		if err := context.Cause(waiting); err == nil || err.Error() != "pull waiting: no progress for 10m0s" {
			t.Errorf("got %v", err)
		}
	})
}

// Somebody who stops it while it stands still has stopped it.
func TestPullStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := pulling(t, time.Hour, func(Event) { cancel() })
	if err := r.pull(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
