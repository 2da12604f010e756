package bed

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"github.com/docker/docker/client"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"
)

// PostgresImage is what the official image is called, for which Postgres has a stand-in.
const PostgresImage = "postgres:15"

// Postgres puts postgres:15 into the bed's engine and into those of hosts: PostgreSQL itself, from
// Debian's package, which scripts/setup installs. It is used as the official image is: its data is in
// the volume /var/lib/postgresql/data, which it fills when it is empty; POSTGRES_PASSWORD (required),
// POSTGRES_USER and POSTGRES_DB say with what; the server runs as the user postgres; psql, pg_dump,
// pg_restore and pg_isready are there. Connections from elsewhere need the password.
func Postgres(t testing.TB, hosts ...*HostHandle) {
	t.Helper()
	engines := []*client.Client{Engine(t).client}
	for _, host := range hosts {
		engines = append(engines, host.client)
	}
	if _, err := os.Stat(postgresPrograms); err != nil {
		skip(t, fmt.Errorf("postgresql-15 is not installed (scripts/setup installs it): %w", err))
	}
	img, err := postgresOnce()
	if err != nil {
		t.Fatalf("build %s: %v", PostgresImage, err)
	}
	var loads errgroup.Group
	for _, engine := range engines {
		loads.Go(func() error { return load(engine, PostgresImage, img) })
	}
	if err := loads.Wait(); err != nil {
		t.Fatalf("load %s: %v", PostgresImage, err)
	}
}

// Where Debian's package has its parts. The programs find the others from where they are themselves.
const (
	postgresPrograms = "/usr/lib/postgresql/15/bin"
	postgresModules  = "/usr/lib/postgresql/15/lib"
	postgresShare    = "/usr/share/postgresql/15"
)

//go:embed postgres.sh
var postgresEntrypoint string

// postgresOnce makes the image once for all tests of a test binary.
var postgresOnce = sync.OnceValues(func() (v1.Image, error) {
	files := map[string]string{
		"docker-entrypoint.sh": postgresEntrypoint,
		"etc/passwd":           "root:x:0:0::/root:/bin/sh\npostgres:x:999:999::/var/lib/postgresql:/bin/sh\n",
		"etc/group":            "root:x:0:\npostgres:x:999:\n",
	}
	links := map[string]string{}
	for _, name := range []string{"postgres", "initdb", "psql", "pg_dump", "pg_restore", "pg_isready"} {
		program := filepath.Join(postgresPrograms, name)
		links["bin/"+name] = program
		if err := addBinary(files, program); err != nil {
			return nil, err
		}
	}
	// The other modules are extensions and rare encodings.
	for _, name := range []string{"plpgsql.so", "dict_snowball.so"} {
		if err := addBinary(files, filepath.Join(postgresModules, name)); err != nil {
			return nil, err
		}
	}
	if err := addTree(files, postgresShare); err != nil {
		return nil, err
	}
	own, err := layer(files, links)
	if err != nil {
		return nil, err
	}
	return assemble(postgresConfig, own)
})

var postgresConfig = ImageConfig{
	Entrypoint: []string{"/docker-entrypoint.sh"},
	Cmd:        []string{"postgres"},
	Env:        map[string]string{"PGDATA": "/var/lib/postgresql/data"},
	Ports:      []string{"5432/tcp"},
	Volumes:    []string{"/var/lib/postgresql/data"},
	StopSignal: "SIGINT", // SIGTERM would wait for clients to go
}

// library is one that ldd found, or the loader itself.
var library = regexp.MustCompile(`(?m)(?:=>|^)\s+(/\S+) \(0x`)

// addBinary adds a program or a module of one, and the shared libraries that it needs.
func addBinary(files map[string]string, file string) error {
	out, err := exec.Command("ldd", file).Output()
	if err != nil {
		return fmt.Errorf("ldd %s: %w", file, err)
	}
	needed := []string{file}
	for _, match := range library.FindAllStringSubmatch(string(out), -1) {
		needed = append(needed, match[1])
	}
	for _, path := range needed {
		if err := addFile(files, path); err != nil {
			return err
		}
	}
	return nil
}

func addFile(files map[string]string, path string) error {
	if files[path] != "" {
		return nil
	}
	content, err := os.ReadFile(path)
	files[path] = string(content)
	return err
}

func addTree(files map[string]string, dir string) error {
	return filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return addFile(files, path)
	})
}
