package cli

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
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
	releases      string // URL, https
	sum           string // SHA-256 of the archive there
	authority     string // file of who vouches for it
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
	s.serveRelease()
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
func (s *site) serveRelease() {
	s.t.Helper()
	dir, err := built()
	s.check(err)
	program, err := os.ReadFile(filepath.Join(dir, "promote"))
	s.check(err)
	name := "promote_" + ciVersion + "_linux_amd64"
	var archive bytes.Buffer
	packed, _ := gzip.NewWriterLevel(&archive, gzip.BestSpeed)
	files := tar.NewWriter(packed)
	_ = files.WriteHeader(&tar.Header{Name: name + "/promote", Mode: 0o755, Size: int64(len(program))})
	_, _ = files.Write(program)
	_, _ = files.Close(), packed.Close()
	s.sum = fmt.Sprintf("%x", sha256.Sum256(archive.Bytes()))
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/"+ciVersion+"/"+name+".tar.gz" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(archive.Bytes())
	}))
	s.t.Cleanup(server.Close)
	s.releases, s.authority = server.URL, authorityOf(s.t, server)
}

// authorityOf is a file with who vouches for a server.
func authorityOf(t *testing.T, server *httptest.Server) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "authority.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// examplesSum stands in examples/ci for the SHA-256 of the archive.
const examplesSum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

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

// example is a file of examples/ci with the registry's name and the archive's sum in it.
func (r *runner) example(path ...string) []byte {
	r.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"..", "..", "examples", "ci"}, path...)...))
	r.check(err)
	if !bytes.Contains(data, []byte(examplesSum)) {
		r.Errorf("%s takes an archive whatever it is", path)
	}
	known := strings.NewReplacer("registry.example.org", r.site.registry.Addr(), examplesSum, r.site.sum)
	return []byte(known.Replace(string(data)))
}

// machine is what a job has: an environment without promote, credentials and a git identity, and an empty
// folder. more are the CI's own variables.
func (r *runner) machine(more map[string]string) *job {
	j := &job{runner: r, dir: r.TempDir(), env: map[string]string{"CI": "true", "CURL_CA_BUNDLE": r.site.authority}}
	j.env["WGETRC"] = j.file("wgetrc", "ca_certificate = "+r.site.authority+"\n")
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

// pushToken is what the CI gives a job for pushing to its git remote.
const pushToken = "push-token-7"

// pushes runs a script, and wants git to know the token for a host after that, from no file of the job's.
func (j *job) pushes(script string, more map[string]string, host string) {
	j.Helper()
	script += fmt.Sprintf("\nprintf 'protocol=https\\nhost=%s\\n\\n' | git credential fill; ! grep -rl %s .", host, pushToken)
	if out := j.shell([]string{"sh", "-ec"}, script, more); !strings.Contains(out, "password="+pushToken+"\n") {
		j.Errorf("git does not know what to push with:\n%s", out)
	}
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
