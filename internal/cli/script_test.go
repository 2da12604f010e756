package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/testscript"

	"promote/internal/bed"
)

func TestMain(m *testing.M) {
	testscript.Main(bed.Around(m), map[string]func(){
		"promote": func() { os.Exit(Main(os.Args, os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the program as a program. Scripts of docker/ have a real engine, docker compose and a
// registry; those of plain/ have git and files only.
func TestScripts(t *testing.T) {
	t.Run("plain", func(t *testing.T) {
		testscript.Run(t, testscript.Params{Dir: "testdata/script/plain", Setup: plainSetup, Cmds: commands(nil)})
	})
	t.Run("docker", func(t *testing.T) {
		bed.Need(t)
		s := &stage{t: t}
		testscript.Run(t, testscript.Params{Dir: "testdata/script/docker", Setup: s.setup, Cmds: commands(s), Condition: condition})
	})
}

// condition is for scripts that begin with `[!thorough] skip`: make test has others of their kind.
func condition(name string) (bool, error) {
	if name != "thorough" {
		return false, fmt.Errorf("no condition %q", name)
	}
	return bed.Everything(), nil
}

func plainSetup(e *testscript.Env) error {
	e.Setenv("HOME", e.WorkDir)
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	e.Defer(server.Close)
	e.Setenv("REGISTRY", strings.TrimPrefix(server.URL, "http://"))
	e.Setenv("TOLD", receiver(e))
	for key, value := range map[string]string{
		"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
		"GIT_CONFIG_NOSYSTEM": "1", "TZ": "UTC", "DOCKER_HOST": "unix:///nowhere/docker.sock",
	} {
		e.Setenv(key, value)
	}
	return nil
}

// stage is what the docker scripts share: one engine and one registry, a repository of their own each.
type stage struct {
	t  *testing.T
	mu sync.Mutex
	n  int
}

type stageKey struct{}

// setup gives a script its environment: $REGISTRY with a line for each
// request in $REGISTRY_LOG, and $NAME, which no other script has.
func (s *stage) setup(e *testscript.Env) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	for _, pair := range bed.Env(s.t) {
		key, value, _ := strings.Cut(pair, "=")
		if key == "PATH" {
			value = e.Getenv("PATH") + ":" + value
		}
		e.Setenv(key, value)
	}
	own := bed.Registry(s.t)
	e.Values[stageKey{}] = own
	e.Setenv("REGISTRY", own.Addr())
	e.Setenv("REGISTRY_LOG", own.Log())
	e.Setenv("TOLD", receiver(e))
	e.Setenv("NAME", "t"+strconv.Itoa(s.n))
	e.Defer(func() { s.sweep(e.Getenv("NAME")) })
	return nil
}

// sweep removes what a script left running.
func (s *stage) sweep(name string) {
	api := bed.Engine(s.t).Client()
	removeContainers(s.t, api, name)
}

func commands(s *stage) map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"status":  exitStatus,
		"json":    jsonField,
		"image":   image,
		"digest":  digest,
		"static":  static,
		"release": func(ts *testscript.TestScript, neg bool, args []string) { s.release(ts, args) },
		"expand":  expand,
		"await":   await,
	}
}

// await FILE N WORD waits until a file that exists has a word so many times.
func await(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: await FILE N WORD")
	}
	wanted, err := strconv.Atoi(args[1])
	ts.Check(err)
	grown, err := fsnotify.NewWatcher()
	ts.Check(err)
	defer grown.Close()
	path := ts.MkAbs(args[0])
	ts.Check(grown.Add(path))
	for strings.Count(ts.ReadFile(path), args[2]) < wanted {
		<-grown.Events
	}
}

// release REPOSITORY VERSION [KEY=VALUE…] publishes a test service, with its behaviour set by variables. With
// the word nocheck it has no health check, with own it shares no layer with another version.
func (s *stage) release(ts *testscript.TestScript, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: release REPOSITORY VERSION [KEY=VALUE…]")
	}
	env := map[string]string{}
	check, own := true, false
	for _, pair := range args[2:] {
		if pair == "nocheck" {
			check = false
			continue
		}
		if pair == "own" {
			own = true
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		env[key] = value
	}
	files, config := bed.Service(s.t, args[1], env)
	if own {
		files["version"] = args[1]
	}
	if !check {
		config.Healthcheck = nil
	}
	ts.Value(stageKey{}).(*bed.RegistryHandle).Push(s.t, args[0], args[1], files, config)
}

// static NAME puts promote there as a static program, as make build does: the demo makes an image of it.
func static(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: static NAME")
	}
	build := exec.Command("go", "build", "-trimpath", "-o", ts.MkAbs(args[0]), "promote")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		ts.Fatalf("%v: %s", err, out)
	}
}

// image REPOSITORY TAG publishes an image of nothing in particular.
func image(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: image REPOSITORY TAG")
	}
	ref, err := name.ParseReference(ts.Getenv("REGISTRY") + "/" + args[0] + ":" + args[1])
	ts.Check(err)
	content, err := random.Image(64, 1)
	ts.Check(err)
	ts.Check(remote.Write(ref, content, remote.WithTransport(registryTransport(ts))))
}

// digest REPOSITORY TAG NAME puts the digest of a tag into a variable.
func digest(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: digest REPOSITORY TAG NAME")
	}
	ref, err := name.ParseReference(ts.Getenv("REGISTRY") + "/" + args[0] + ":" + args[1])
	ts.Check(err)
	head, err := remote.Head(ref, remote.WithTransport(registryTransport(ts)))
	ts.Check(err)
	ts.Setenv(args[2], head.Digest.String())
}

// registryTransport speaks with the script's registry, whatever certificate it has.
func registryTransport(ts *testscript.TestScript) http.RoundTripper {
	handle, ok := ts.Value(stageKey{}).(*bed.RegistryHandle)
	if !ok {
		return remote.DefaultTransport
	}
	transport, err := handle.Transport()
	ts.Check(err)
	return transport
}

// status CODE COMMAND… runs a command and wants its exit code, and keeps its output for stdout and stderr.
func exitStatus(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: status CODE COMMAND…")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := err.(interface{ ExitCode() int }); ok {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// json FILE PATH WANT compares one value of a JSON document: json stdout services.0.version v1.5.0.
func jsonField(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH WANT")
	}
	lines := strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n")
	var value any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &value); err != nil {
		ts.Fatalf("%s: %v", args[0], err)
	}
	for _, key := range strings.Split(args[1], ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(v) {
				ts.Fatalf("%s: no %s in a list of %d", args[1], key, len(v))
			}
			value = v[i]
		}
	}
	if got := fmt.Sprint(value); got != args[2] {
		ts.Fatalf("%s is %s, want %s", args[1], got, args[2])
	}
}

// expand FILE… replaces $REGISTRY, $NAME and the like in files.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		path := ts.MkAbs(name)
		text := os.Expand(ts.ReadFile(path), func(key string) string {
			if key == "$" {
				return key // $$ is one that stays
			}
			if value := ts.Getenv(key); value != "" {
				return value
			}
			return "${" + key + "}"
		})
		ts.Check(os.WriteFile(filepath.Clean(path), []byte(text), 0o644))
	}
}
