package bed_test

import (
	"strings"
	"testing"

	"promote/internal/bed"
)

// drainingService starts a test service on port; docker runs a command about its container.
func drainingService(t *testing.T, name, port string) (docker func(args ...string) string) {
	t.Helper()
	env := bed.Env(t)
	files, config := bed.Service(t, "v1.0.0", map[string]string{"DRAIN": "/drain"})
	bed.Image(t, name, "v1.0.0", files, config)
	docker = func(args ...string) string {
		return strings.TrimSpace(run(t, "", env, append([]string{"docker"}, args...)...))
	}
	docker("run", "-d", "--name", name, "-p", port+":8080", name+":v1.0.0")
	eventually(t, "the service", func() bool {
		return docker("inspect", "--format", "{{.State.Health.Status}}", name) == "healthy"
	})
	return docker
}

func TestServiceDrains(t *testing.T) {
	bed.Thorough(t)
	docker := drainingService(t, "service-drains", "8091")
	docker("exec", "service-drains", "touch", "/drain")
	eventually(t, "the service to be unhealthy", func() bool {
		return docker("inspect", "--format", "{{.State.Health.Status}}", "service-drains") == "unhealthy"
	})
	if got := get(t, "127.0.0.1:8091"); got != "v1.0.0\n" {
		t.Errorf("while draining it answers %q", got)
	}
	docker("exec", "service-drains", "rm", "/drain")
	eventually(t, "the service to be healthy", func() bool {
		return docker("inspect", "--format", "{{.State.Health.Status}}", "service-drains") == "healthy"
	})
}

func TestServiceFinishesSlowAnswer(t *testing.T) {
	bed.Thorough(t)
	docker := drainingService(t, "service-slow", "8092")
	load := bed.Load(t, bed.Traffic{URL: "http://127.0.0.1:8092/slow?for=1s", Rate: 10})
	docker("kill", "--signal", "TERM", "service-slow")
	if code := docker("wait", "service-slow"); code != "0" {
		t.Errorf("exit code %s", code)
	}
	report := load.Stop()
	if got := report.Versions["v1.0.0"].Answers; got < 5 { // ten were under way
		t.Errorf("requests that it had were not answered: %v", report)
	}
}
