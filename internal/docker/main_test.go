package docker_test

import (
	"testing"

	"promote/internal/bed"
	"promote/internal/docker"
)

func TestMain(m *testing.M) { bed.Main(m) }

// connect opens the bed's engine.
func connect(t testing.TB) *docker.Engine {
	t.Helper()
	engine, err := docker.Connect(t.Context(), bed.Engine(t).Host())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return engine
}
