package release

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	memory "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"promote/internal/config"
	"promote/internal/docker"
	"promote/registry"
	"promote/semver"
)

// workspace is a checkout with a promote.yaml, a remote, and a registry in memory. It hears what is said.
type workspace struct {
	*testing.T
	dir      string
	registry string // its address
	said     []string
}

// TestMain has git run in the home of nobody, so that nobody's configuration has a say.
func TestMain(m *testing.M) {
	home, err := os.MkdirTemp("", "promote-release")
	if err != nil {
		log.Fatal(err)
	}
	for key, value := range map[string]string{
		"HOME": home, "XDG_CONFIG_HOME": home, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
	} {
		os.Setenv(key, value)
	}
	for _, name := range []string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"} { // set where the tests run in a hook
		os.Unsetenv(name)
	}
	code := m.Run()
	os.RemoveAll(home)
	os.Exit(code)
}

// newWorkspace has no commit yet. REGISTRY in promote.yaml is the registry's address.
func newWorkspace(t *testing.T, promote string) *workspace {
	t.Helper()
	server := httptest.NewServer(memory.New(memory.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	w := &workspace{T: t, dir: t.TempDir(), registry: strings.TrimPrefix(server.URL, "http://")}
	remote := filepath.Join(t.TempDir(), "remote.git")
	w.git("init", "-q", "--bare", "-b", "main", remote)
	w.git("init", "-q", "-b", "main", ".")
	w.git("remote", "add", "origin", remote)
	w.write("promote.yaml", strings.ReplaceAll(promote, "REGISTRY", w.registry))
	return w
}

// clone is somebody else's checkout of the same remote.
func (w *workspace) clone() *workspace {
	w.Helper()
	other := &workspace{T: w.T, dir: w.TempDir(), registry: w.registry}
	other.git("clone", "-q", w.git("remote", "get-url", "origin"), ".")
	return other
}

func (w *workspace) git(args ...string) string {
	w.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = w.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (w *workspace) write(name, content string) {
	w.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		w.Fatal(err)
	}
}

func (w *workspace) read(name string) string {
	w.Helper()
	content, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.Fatal(err)
	}
	return string(content)
}

// commit commits all files.
func (w *workspace) commit(message string) {
	w.Helper()
	w.git("add", "-A")
	w.git("commit", "-q", "--allow-empty", "-m", message)
}

// image publishes an image of nothing in particular, by its digest alone.
func (w *workspace) image(repository string) (digest string) {
	w.Helper()
	content, err := random.Image(64, 1)
	if err != nil {
		w.Fatal(err)
	}
	hash, err := content.Digest()
	if err != nil {
		w.Fatal(err)
	}
	ref, err := name.NewDigest(w.registry + "/" + repository + "@" + hash.String())
	if err == nil {
		err = remote.Write(ref, content)
	}
	if err != nil {
		w.Fatal(err)
	}
	return hash.String()
}

// open reads promote.yaml as it is now.
func (w *workspace) open() *Project {
	w.Helper()
	path := filepath.Join(w.dir, "promote.yaml")
	cfg, err := config.Load(path, func(string) (string, bool) { return "", false })
	if err != nil {
		w.Fatal(err)
	}
	p, err := OpenProject(w.Context(), cfg, Tools{Registry: registry.New(), Engine: w.noEngine, Progress: w})
	if err != nil {
		w.Fatal(err)
	}
	return p
}

func (w *workspace) noEngine(context.Context) (*docker.Engine, error) {
	return nil, fmt.Errorf("there is no engine in this test")
}

// next is the bump of the first service and those that are linked to it.
func (w *workspace) next(word, prerelease string) (*Bump, error) {
	w.Helper()
	request, err := ParseBump(word, prerelease)
	if err != nil {
		w.Fatal(err)
	}
	p := w.open()
	return NextBump(w.Context(), p.Linked(p.Config.Services[:1])[0], request)
}

// Say is of Progress.
func (w *workspace) Say(format string, args ...any) {
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

// ShowBuild is of Progress.
func (w *workspace) ShowBuild() (docker.Display, error) {
	return docker.NewDisplay(io.Discard, "quiet")
}

// ShowPush is of Progress.
func (w *workspace) ShowPush(string) (func(docker.Progress), func()) {
	return func(docker.Progress) {}, func() {}
}

func version(text string) semver.Version { return semver.MustParse(text) }
