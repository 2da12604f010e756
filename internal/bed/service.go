package bed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Service returns the files and the configuration of an image of the test service (package
// bed/server) that answers version on port 8080: for Image and Push. Its health check runs every
// 500 ms. env adds to the image's environment, where the service's behaviour is set:
//
//	files, config := bed.Service(t, "v1.5.0", map[string]string{"CRASH": "start"})
//	bed.Image(t, "core", "v1.5.0", files, config)
func Service(t testing.TB, version string, env map[string]string) (files map[string]string, config ImageConfig) {
	t.Helper()
	Need(t)
	program, err := serverOnce()
	if err != nil {
		t.Fatal(err)
	}
	merged := map[string]string{"VERSION": version}
	for key, value := range env {
		merged[key] = value
	}
	return map[string]string{"bin/server": program}, ImageConfig{
		Entrypoint: []string{"/bin/server"},
		Env:        merged,
		Labels:     map[string]string{"org.opencontainers.image.version": version},
		Ports:      []string{"8080/tcp"},
		Healthcheck: &v1.HealthConfig{
			Test:     []string{"CMD", "/bin/server", "health"},
			Interval: 500 * time.Millisecond,
			Timeout:  10 * time.Second, // a machine whose cores are all busy is no reason to be unhealthy
			Retries:  3,
		},
	}
}

// serverOnce builds the test service and returns its bytes.
var serverOnce = sync.OnceValues(func() (string, error) {
	file := filepath.Join(root(), "server")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", file, "promote/internal/bed/server")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the test service: %w: %s", err, out)
	}
	content, err := os.ReadFile(file)
	return string(content), err
})
