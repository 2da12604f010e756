package bed

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// composeVariable names another docker compose to test with, by path.
const composeVariable = "PROMOTE_BED_COMPOSE"

// Compose returns a fresh folder for DOCKER_CONFIG with which `docker compose` is the one that
// scripts/setup built; without that, the machine's own. PROMOTE_BED_COMPOSE names another one.
func Compose(t testing.TB) string {
	t.Helper()
	Need(t)
	dir := t.TempDir()
	if err := installCompose(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func installCompose(dir string) error {
	plugin, err := composePlugin()
	if errors.Is(err, os.ErrNotExist) {
		return machineCompose(dir)
	}
	if err != nil {
		return err
	}
	plugins := filepath.Join(dir, "cli-plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		return err
	}
	return os.Symlink(plugin, filepath.Join(plugins, "docker-compose"))
}

func composePlugin() (string, error) {
	if file := os.Getenv(composeVariable); file != "" {
		return filepath.Abs(file)
	}
	module, err := moduleRoot()
	if err != nil {
		return "", err
	}
	file := filepath.Join(module, ".cache", "docker", "cli-plugins", "docker-compose")
	_, err = os.Stat(file)
	return file, err
}

// machineCompose checks that the docker command finds a compose plugin by itself.
func machineCompose(config string) error {
	docker, err := lookPath("docker")
	if err != nil {
		return err
	}
	if exec.Command(docker, "--config", config, "compose", "version").Run() != nil {
		return errors.New("no docker compose: run scripts/setup, which builds it")
	}
	return nil
}
