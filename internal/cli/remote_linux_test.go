package cli

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"promote/internal/bed"
)

// built is promote, built as make build does, once: what is brought to hosts.
var built = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "promote-built-"); err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(dir, "promote"), "promote")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		err = errors.Join(err, errors.New(string(out)))
	}
	return dir, err
})

// TestRemoteScripts runs the program against hosts of their own, over real ssh.
func TestRemoteScripts(t *testing.T) {
	bed.Need(t)
	s := &stage{t: t}
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	more := commands(s)
	more["hosts"] = func(ts *testscript.TestScript, _ bool, names []string) { bootHosts(t, ts, names) }
	more["swarm"] = joinSwarm
	more["put"] = put
	more["on"] = on
	more["example"] = copyExample
	more["postgres"] = func(ts *testscript.TestScript, _ bool, names []string) { loadPostgres(t, ts, names) }
	testscript.Run(t, testscript.Params{Dir: "testdata/script/remote", Cmds: more, Condition: condition, Setup: func(e *testscript.Env) error {
		if err := s.setup(e); err != nil {
			return err
		}
		shared := bed.HostRegistry(t)
		e.Values[stageKey{}] = shared
		e.Setenv("REGISTRY", shared.Addr())
		e.Setenv("PATH", dir+":"+e.Getenv("PATH"))
		e.Values[hostsKey{}] = map[string]*bed.HostHandle{}
		return nil
	}})
}

type hostsKey struct{}

// hosts NAME… boots hosts and gives their addresses to the script, as $NAME.
func bootHosts(t *testing.T, ts *testscript.TestScript, names []string) {
	known := ts.Value(hostsKey{}).(map[string]*bed.HostHandle)
	for i, h := range bed.Hosts(t, names...) {
		known[names[i]] = h
		ts.Setenv(strings.ToUpper(names[i]), h.Addr())
	}
}

// swarm MANAGER WORKER… makes hosts the nodes of a swarm.
func joinSwarm(ts *testscript.TestScript, _ bool, names []string) {
	manager := hostNamed(ts, names[0])
	on(ts, false, []string{names[0], "docker swarm init --advertise-addr " + manager.Addr()})
	token, err := manager.Try("docker swarm join-token --quiet worker")
	ts.Check(err)
	for _, name := range names[1:] {
		on(ts, false, []string{name, "docker swarm join --token " + strings.TrimSpace(token) + " " + manager.Addr()})
	}
}

func hostNamed(ts *testscript.TestScript, name string) *bed.HostHandle {
	h := ts.Value(hostsKey{}).(map[string]*bed.HostHandle)[name]
	if h == nil {
		ts.Fatalf("no host %s", name)
	}
	return h
}

// example NAME copies one of examples/, with the script's hosts and registry in place of those at example.org.
func copyExample(ts *testscript.TestScript, _ bool, args []string) {
	here, to := []string{"registry.example.org", ts.Getenv("REGISTRY")}, ts.MkAbs(args[0])
	for name, h := range ts.Value(hostsKey{}).(map[string]*bed.HostHandle) {
		here = append(here, name+".example.org", h.Addr())
	}
	ts.Check(os.CopyFS(to, os.DirFS(filepath.Join("../../examples", args[0]))))
	ts.Check(filepath.WalkDir(to, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		return errors.Join(err, os.WriteFile(path, []byte(strings.NewReplacer(here...).Replace(string(text))), 0o644))
	}))
}

// postgres HOST… puts the images postgres:15 there, and that and busybox where images are built.
func loadPostgres(t *testing.T, ts *testscript.TestScript, names []string) {
	var hosts []*bed.HostHandle
	for _, name := range names {
		hosts = append(hosts, hostNamed(ts, name))
	}
	bed.Postgres(t, hosts...)
	for _, tag := range []string{"latest", "musl"} {
		bed.Image(t, "busybox", tag, nil, bed.ImageConfig{})
	}
}

const deployUser = 1000

// put HOST FOLDER PATH copies a folder to a host, for the user deploy.
func put(ts *testscript.TestScript, _ bool, args []string) {
	to := hostNamed(ts, args[0]).Path(args[2])
	ts.Check(os.CopyFS(to, os.DirFS(ts.MkAbs(args[1]))))
	ts.Check(filepath.WalkDir(to, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, deployUser, deployUser))
	}))
}

// on HOST SCRIPT runs a script there, as root, and keeps what it says as stdout.
func on(ts *testscript.TestScript, neg bool, args []string) {
	out, err := hostNamed(ts, args[0]).Try(strings.Join(args[1:], " "))
	ts.Check(os.WriteFile(ts.MkAbs("on.out"), []byte(out), 0o644))
	ts.Logf("%s", out)
	if (err != nil) != neg {
		ts.Fatalf("on %s: %v", strconv.Quote(strings.Join(args, " ")), err)
	}
}
