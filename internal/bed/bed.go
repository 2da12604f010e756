// Package bed gives tests real parts to work with: a Docker engine, registries, docker compose and
// images, all of their own.
//
// A test package that wants them says so in its TestMain:
//
//	func TestMain(m *testing.M) { bed.Main(m) }
//
// and then asks for what it needs, for example Engine(t) or Registry(t). Everything is started on
// first use. Host(t, "staging") is a remote host with an address, an sshd and an engine of its own.
//
// Main runs the tests inside namespaces of their own: network, mounts, processes, host name. What a
// test sees is an ordinary machine with an empty loopback, an empty /run and a Docker engine at its
// usual socket, so published ports, 127.0.0.1:PORT registries and container addresses are all
// reachable. It promises that nothing outlives the tests, however they end (return, panic, timeout,
// ctrl-C, kill -9): the kernel takes processes, mounts, bridges and packet filter rules away
// together with the namespaces. Several test binaries, and the machine's own engine, never meet.
// There is no network beyond the bed.
package bed

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Tests is what Main and Around run: a *testing.M, or something that wraps one.
type Tests interface{ Run() int }

// Main runs the tests of a package in a bed and exits with their code. Call it from TestMain.
// Where no bed can be made, the tests run without one and those that ask for it skip (see Need).
func Main(m Tests) { os.Exit(Around(m).Run()) }

// Around returns tests that run in a bed. It is for packages whose TestMain belongs to somebody
// else: testscript.Main(bed.Around(m), commands).
func Around(m Tests) Tests { return around{m} }

type around struct{ tests Tests }

func (a around) Run() int {
	if obstacle() != nil {
		return a.tests.Run()
	}
	return enter(a.tests.Run)
}

// Need skips the test where no bed can be made: not Linux, not root, or a program is missing. With
// CI=true it fails the test instead, so that a green run there has really run.
func Need(t testing.TB) {
	t.Helper()
	err := obstacle()
	if err == nil && root() == "" {
		err = errors.New("TestMain does not call bed.Main")
	}
	if err != nil {
		skip(t, err)
	}
}

// Everything reports whether all tests run, as `make test-all` has them, or some of every kind, as `make test` has.
func Everything() bool { return os.Getenv("PROMOTE_TEST") == "all" }

// Thorough leaves a test to `make test-all`: `make test` has another one of its kind. That is a choice, which
// fails nobody, also with CI=true.
func Thorough(t testing.TB) {
	t.Helper()
	if !Everything() {
		t.Skip("left to make test-all")
	}
}

func skip(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("no bed, and CI=true: %v", err)
	}
	fmt.Fprintf(os.Stderr, "SKIPPED %s: no bed: %v\n", t.Name(), err)
	t.Skipf("no bed: %v", err)
}

// programs are what a bed is made of. scripts/setup installs them.
var programs = []string{"dockerd", "containerd", "runc", "docker", "docker-registry", "busybox", "ip", "iptables"}

// obstacle tells why no bed can be made here, or nil.
func obstacle() error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("needs Linux, this is %s", runtime.GOOS)
	}
	if os.Geteuid() != 0 {
		return errors.New("needs root")
	}
	return missing(programs)
}

func missing(programs []string) error {
	for _, program := range programs {
		if _, err := lookPath(program); err != nil {
			return fmt.Errorf("%s is not installed (scripts/setup installs it)", program)
		}
	}
	return nil
}

// path is the search path of everything that runs in the bed. A plain root shell may lack the
// sbin folders, where dockerd and iptables are.
func path() string {
	return strings.TrimPrefix(os.Getenv("PATH")+":/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin", ":")
}

func lookPath(program string) (string, error) {
	for _, dir := range filepath.SplitList(path()) {
		if file, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return file, nil
		}
	}
	return "", fmt.Errorf("%s: %w", program, exec.ErrNotFound)
}

// moduleRoot is the folder of promote's go.mod; tests run in the folder of their package.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod in this folder or above")
		}
		dir = parent
	}
}
