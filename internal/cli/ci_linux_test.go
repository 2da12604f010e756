package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"promote/internal/bed"
)

// ciVersion is the release of promote that the workflows in examples/ci install.
const ciVersion = "v0.9.0"

// site is what the workflows in examples/ci meet: a git remote, a private registry, releases of promote
// to install, and two hosts that their key can do nothing else on than deploy.
type site struct {
	t             *testing.T
	dir           string // with origin.git, and work, a developer's clone
	staging, prod *bed.HostHandle
	registry      *bed.RegistryHandle
	releases      string // URL
	key, known    string // what the secrets hold
}

// TestCI does with each CI what its workflow in examples/ci says: publish on merge, staging, prod by hand.
// The shell in them is run as it stands there, but for the registry's name.
func TestCI(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	s := newSite(t)
	for i, c := range []struct {
		name string
		run  func(*runner)
	}{{"github", githubRun}, {"gitlab", gitlabRun}, {"circleci", circleRun}, {"bitbucket", bitbucketRun}} {
		version := fmt.Sprintf("v1.%d.0", i)
		s.merge(version)
		if !t.Run(c.name, func(t *testing.T) { c.run(&runner{T: t, site: s, version: version}) }) {
			return // what follows would meet what it left
		}
		s.serves(version)
	}
}

func newSite(t *testing.T) *site {
	hosts := bed.Hosts(t, "staging", "prod")
	s := &site{t: t, dir: t.TempDir(), staging: hosts[0], prod: hosts[1], registry: bed.PrivateHostRegistry(t)}
	s.releases = serveRelease(t)
	s.key = s.makeKey()
	for _, h := range hosts {
		s.prepare(h)
		scan, err := exec.Command("ssh-keyscan", "-t", "ed25519", h.Addr()).Output()
		s.check(err)
		s.known += string(scan)
	}
	work := filepath.Join(s.dir, "work")
	files, _ := bed.Service(t, "v1.0.0", nil)
	s.check(os.MkdirAll(work, 0o755))
	for name, text := range map[string]string{
		"server":       files["bin/server"],
		"Dockerfile":   "FROM scratch\nCOPY server /bin/server\nHEALTHCHECK --interval=1s CMD [\"/bin/server\", \"health\"]\nENTRYPOINT [\"/bin/server\"]\n",
		"promote.yaml": fmt.Sprintf(ciConfig, s.registry.Addr(), s.staging.Addr(), s.prod.Addr()),
		"package.json": "{\"version\": \"0.9.0\"}\n",
	} {
		s.check(os.WriteFile(filepath.Join(work, name), []byte(text), 0o755))
	}
	s.git("init", "--quiet", "--bare", "--initial-branch=main", "../origin.git")
	s.git("init", "--quiet", "--initial-branch=main")
	s.git("add", ".")
	s.git("commit", "--quiet", "--message=First")
	s.git("remote", "add", "origin", "../origin.git")
	s.git("push", "--quiet", "origin", "main")
	return s
}

const ciConfig = `services:
  core: {image: %s/aegee/core, version: package.json, build: .}
environments:
  staging: {host: ssh://deploy@%s, project: /srv/shop}
  prod: {host: ssh://deploy@%s, project: /srv/shop, from: staging, confirm: true}
`

func (s *site) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) git(args ...string) {
	s.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = filepath.Join(s.dir, "work"), bed.Env(s.t)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("git %q: %v: %s", args, err, out)
	}
}

// merge raises the version on the main branch, as a merge does.
func (s *site) merge(version string) {
	text := fmt.Sprintf("{\"version\": %q}\n", strings.TrimPrefix(version, "v"))
	s.check(os.WriteFile(filepath.Join(s.dir, "work", "package.json"), []byte(text), 0o644))
	s.git("commit", "--quiet", "--all", "--message=Release "+version)
	s.git("push", "--quiet", "origin", "main")
}

// makeKey makes the key of the CI.
func (s *site) makeKey() string {
	path := filepath.Join(s.dir, "key")
	s.check(exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path).Run())
	private, err := os.ReadFile(path)
	s.check(err)
	return string(private)
}

// prepare makes a host as docs/hosts.md says: a project, promote, and a key that can only deploy.
func (s *site) prepare(h *bed.HostHandle) {
	dir, err := built()
	s.check(err)
	program, err := os.ReadFile(filepath.Join(dir, "promote"))
	s.check(err)
	s.check(os.WriteFile(h.Path("/usr/local/bin/promote"), program, 0o755))
	public, err := os.ReadFile(filepath.Join(s.dir, "key.pub"))
	s.check(err)
	line := fmt.Sprintf("restrict,command=\"/usr/local/bin/promote host --project /srv/shop\" %s", public)
	s.check(os.WriteFile(h.Path("/home/deploy/.ssh/authorized_keys"), []byte(line), 0o600))
	s.check(os.MkdirAll(h.Path("/srv/shop"), 0o755))
	compose := fmt.Sprintf("services:\n  core:\n    image: %s/aegee/core:v0.9.0\n", s.registry.Addr())
	s.check(os.WriteFile(h.Path("/srv/shop/compose.yaml"), []byte(compose), 0o644))
	s.check(os.Chown(h.Path("/srv/shop/compose.yaml"), deployUser, deployUser))
	s.check(os.Chown(h.Path("/srv/shop"), deployUser, deployUser))
}

// serveRelease serves a release as make release lays it out, with one program in it.
func serveRelease(t *testing.T) string {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(filepath.Join(dir, "promote"))
	if err != nil {
		t.Fatal(err)
	}
	name := "promote_" + ciVersion + "_linux_amd64"
	var archive bytes.Buffer
	packed, _ := gzip.NewWriterLevel(&archive, gzip.BestSpeed)
	files := tar.NewWriter(packed)
	_ = files.WriteHeader(&tar.Header{Name: name + "/promote", Mode: 0o755, Size: int64(len(program))})
	_, _ = files.Write(program)
	_, _ = files.Close(), packed.Close()
	sums := fmt.Sprintf("%x  %s.tar.gz\n%064d  promote_other.tar.gz\n", sha256.Sum256(archive.Bytes()), name, 0)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/" + ciVersion + "/" + name + ".tar.gz":
			_, _ = w.Write(archive.Bytes())
		case "/" + ciVersion + "/checksums.txt":
			_, _ = w.Write([]byte(sums))
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// serves wants both hosts to run a version, and the tag to be in the remote.
func (s *site) serves(version string) {
	s.t.Helper()
	for _, h := range []*bed.HostHandle{s.staging, s.prod} {
		if out := h.Run(s.t, "docker ps --format '{{.Image}}'"); strings.TrimSpace(out) != s.registry.Addr()+"/aegee/core:"+version {
			s.t.Errorf("%s runs %s", h.Name(), out)
		}
	}
	s.git("fetch", "--quiet", "--tags")
	s.git("rev-parse", "--verify", "--quiet", "refs/tags/"+version)
}

// runner is a machine of a CI, for the jobs of one pipeline.
type runner struct {
	*testing.T
	site    *site
	version string // that the pipeline is to publish
}

func (r *runner) check(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// example is a file of examples/ci with the registry's name in it.
func (r *runner) example(path ...string) []byte {
	r.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "examples", "ci"}, path...)...))
	r.check(err)
	return bytes.ReplaceAll(data, []byte("registry.example.org"), []byte(r.site.registry.Addr()))
}

// machine is what a job has: an environment without promote, credentials and a git identity, and an empty
// folder. more are the CI's own variables.
func (r *runner) machine(more map[string]string) *job {
	j := &job{runner: r, dir: r.TempDir(), env: map[string]string{"CI": "true"}}
	for _, pair := range bed.Env(r.T) {
		if key, value, _ := strings.Cut(pair, "="); !strings.HasPrefix(key, "GIT_A") && !strings.HasPrefix(key, "GIT_C") {
			j.env[key] = value
		}
	}
	j.env["DOCKER_CONFIG"] = r.TempDir() // docker login writes there
	for key, value := range more {
		j.env[key] = value
	}
	return j
}

// secrets are the variables that the workflows ask for.
func (r *runner) secrets() map[string]string {
	return map[string]string{
		"REGISTRY_USER": bed.User, "REGISTRY_PASSWORD": bed.Password, "PROMOTE_RELEASES": r.site.releases,
		"DEPLOY_KEY": r.site.key, "KNOWN_HOSTS": r.site.known,
	}
}

// encoded are the secrets for a CI whose variables have one line.
func (r *runner) encoded() map[string]string {
	secrets := r.secrets()
	for _, name := range []string{"DEPLOY_KEY", "KNOWN_HOSTS"} {
		secrets[name] = base64.StdEncoding.EncodeToString([]byte(secrets[name]))
	}
	return secrets
}

// job is a job on its machine.
type job struct {
	*runner
	dir string
	env map[string]string
}

// checkout is what the CI does before, or a step does: the commit that was merged, with no branch.
func (j *job) checkout() {
	j.Helper()
	j.shell([]string{"sh", "-ec"}, "git clone --quiet "+filepath.Join(j.site.dir, "origin.git")+" . && git checkout --quiet --detach", nil)
}

// shell runs a script in the job's folder, and returns what it says. It has no terminal.
func (j *job) shell(shell []string, script string, more map[string]string) string {
	j.Helper()
	cmd := exec.Command(shell[0], slices.Concat(shell[1:], []string{script})...)
	cmd.Dir = j.dir
	for _, env := range []map[string]string{j.env, more} {
		for key, value := range env {
			cmd.Env = append(cmd.Env, key+"="+value)
		}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		j.Fatalf("%s\n%v\n%s", script, err, out)
	}
	j.Logf("%s", out)
	return string(out)
}

// file writes a file outside of the job's folder.
func (j *job) file(name, text string) string {
	path := filepath.Join(j.TempDir(), name)
	j.check(os.WriteFile(path, []byte(text), 0o644))
	return path
}
