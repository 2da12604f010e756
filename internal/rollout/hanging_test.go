package rollout

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"promote/compose"
	"promote/internal/docker"
	"promote/internal/journal"
	"promote/internal/promotion"
)

// fakeEngine is no engine: it answers that it is there and runs nothing, until it is told to hang. Then it takes
// connections and says nothing.
type fakeEngine struct{ hangs atomic.Bool }

func (f *fakeEngine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.hangs.Load() {
		<-r.Context().Done()
		return
	}
	if strings.HasSuffix(r.URL.Path, "/containers/json") {
		w.Write([]byte("[]"))
	}
}

// startFakeEngine listens at a socket of its own.
func startFakeEngine(t *testing.T) (fake *fakeEngine, engine *docker.Engine) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "fake.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	fake = &fakeEngine{}
	server := &http.Server{Handler: fake}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	engine, err = docker.Connect(t.Context(), "unix://"+socket, docker.AnswerWithin(300*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return fake, engine
}

// TestEngineHangs: a deployment whose engine does not answer any more ends, also when it is stopped, and can be
// resumed. The engine is a fake.
func TestEngineHangs(t *testing.T) {
	for name, stopped := range map[string]bool{"left alone": false, "stopped": true} {
		t.Run(name, func(t *testing.T) {
			fake, engine := startFakeEngine(t)
			m := machineOfOneService(t, engine)
			state, err := m.State(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			result := m.Run(ctx, Order{Plan: planOfOneRoll(m.Target, state), Tell: func(e Event) {
				if e.Step == promotion.RollStep && e.Status == Started {
					fake.hangs.Store(true)
					if stopped {
						stop()
					}
				}
			}})
			if result.Outcome != OutcomeStuck || !strings.HasPrefix(result.Error, "the engine does not answer") || !strings.HasSuffix(result.Repair, "promote resume prod") {
				t.Errorf("got %+v", result)
			}
			entries, err := m.History.Entries()
			if err != nil || journal.Unfinished(entries) == nil {
				t.Errorf("it can't be resumed: %v, %v", entries, err)
			}
		})
	}
}

func machineOfOneService(t *testing.T, engine *docker.Engine) *Machine {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte("services: {core: {image: \"core:v1.0.0\"}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return &Machine{
		Target: promotion.Target{
			Environment: "prod", Project: dir, Engine: promotion.EngineCompose,
			Services: []promotion.Service{{Name: "core", Image: "core", Runs: []string{"core"}}},
		},
		Engine: engine, History: journal.Open(dir), Now: time.Now,
	}
}

func planOfOneRoll(t promotion.Target, s promotion.State) promotion.Plan {
	pin := func(tag string) compose.Pin { return compose.Pin{Tag: tag} }
	roll := promotion.Roll{
		Service: "core", Strategy: promotion.Recreate,
		Changes: []compose.Change{{Service: "core", From: pin("v1.0.0"), To: pin("v1.1.0")}},
	}
	return promotion.Plan{
		Schema: promotion.Schema, ID: "20261121-061203-k7f", Kind: promotion.Deploy, Target: t, Basis: s.Basis(),
		Moves: []promotion.Move{{Service: "core", Image: "core", Rolls: []promotion.Roll{roll}}},
		Steps: []promotion.Step{{Kind: promotion.RollStep, Service: "core"}},
	}
}
