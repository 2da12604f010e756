package cli

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"promote/internal/bed"
	"promote/internal/rollout"
	"promote/registry"
)

// far is an environment of one service on a host, and a client of it.
type far struct {
	t        *testing.T
	host     *bed.HostHandle
	registry *bed.RegistryHandle
	project  string // on the host
	dir      string // of promote.yaml
	env      []string
	followed *exec.Cmd
}

// newFar puts a compose file for v1.0.0 on a host of its own. setting is more of the environment prod.
func newFar(t *testing.T, registry *bed.RegistryHandle, project, setting string) *far {
	t.Helper()
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	f := &far{t: t, host: bed.Host(t, "prod"), registry: registry, project: project, dir: t.TempDir()}
	f.env = []string{"PATH=" + program + ":/usr/bin:/bin", "HOME=" + f.dir, "DOCKER_CONFIG=" + f.dir, "LANG=C.UTF-8", "TZ=UTC"}
	f.configure(fmt.Sprintf("ssh://deploy@%s", f.host.Addr()), setting)
	f.put("docker-compose.yml", fmt.Sprintf("name: shop\nservices:\n  core:\n    image: %s/aegee/core:v1.0.0\n", registry.Addr()))
	return f
}

func (f *far) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// configure writes promote.yaml.
func (f *far) configure(address, setting string) {
	text := fmt.Sprintf("services:\n  core: {image: %s/aegee/core}\nenvironments:\n  prod:\n    host: %q\n    project: %q\n    rollout: {healthy_deadline: 20s}\n%s",
		f.registry.Addr(), address, f.project, setting)
	f.check(os.WriteFile(filepath.Join(f.dir, "promote.yaml"), []byte(text), 0o644))
}

// put writes a file of the project, deploy's own.
func (f *far) put(name, text string) {
	path := filepath.Join(f.host.Path(f.project), name)
	f.check(os.MkdirAll(filepath.Dir(path), 0o755))
	f.check(os.WriteFile(path, []byte(text), 0o644))
	f.check(filepath.WalkDir(f.host.Path(f.project), func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, deployUser, deployUser))
	}))
}

func (f *far) release(version string, behaviour map[string]string) {
	files, config := bed.Service(f.t, version, behaviour)
	f.registry.Push(f.t, "aegee/core", version, files, config)
}

func (f *far) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	if name == "promote" {
		dir, err := built()
		f.check(err)
		cmd = exec.Command(filepath.Join(dir, name), args...)
	}
	cmd.Dir, cmd.Env = f.dir, f.env
	return cmd
}

// run runs promote, wants an exit code and something that it says, and returns all that it says.
func (f *far) run(want int, says string, args ...string) string {
	f.t.Helper()
	out, err := f.command("promote", args...).CombinedOutput()
	if code := commandCode(err); code != want || !strings.Contains(string(out), says) {
		f.t.Fatalf("promote %q: exit code %d, want %d and %q\n%s", args, code, want, says, out)
	}
	return string(out)
}

// follow is watch that wants an exit code.
func (f *far) follow(want int, at func(rollout.Event), args ...string) string {
	f.t.Helper()
	code, said := f.watch(at, args...)
	if code != want {
		f.t.Fatalf("promote %q: exit code %d, want %d\n%s", args, code, want, said)
	}
	return said
}

// watch runs promote with --json, calls at for each event while it goes on, and returns all that it says.
func (f *far) watch(at func(rollout.Event), args ...string) (code int, says string) {
	f.t.Helper()
	cmd := f.command("promote", append(args, "--json")...)
	var all bytes.Buffer
	cmd.Stderr = &all
	out, err := cmd.StdoutPipe()
	f.check(err)
	f.check(cmd.Start())
	f.followed = cmd
	said := strings.Builder{}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		var e rollout.Event
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Seq > 0 {
			at(e)
		}
	}
	code = commandCode(cmd.Wait())
	return code, said.String() + all.String()
}

// login gives the client what docker login would.
func (f *far) login() {
	auth := base64.StdEncoding.EncodeToString([]byte(bed.User + ":" + bed.Password))
	text := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, f.registry.Addr(), auth)
	f.check(os.WriteFile(filepath.Join(f.dir, "config.json"), []byte(text), 0o600))
}

// TestHostCredentials: the client's login serves the host's pull, and is never seen there.
func TestHostCredentials(t *testing.T) {
	t.Parallel()
	f := newFar(t, bed.PrivateHostRegistry(t), "/srv/shop", "")
	f.release("v1.0.0", nil)
	f.release("v1.1.0", nil)
	header := registry.Credentials{Registry: f.registry.Addr(), Username: bed.User, Password: bed.Password}.Header()
	secrets := []string{bed.Password, base64.StdEncoding.EncodeToString([]byte(bed.User + ":" + bed.Password)), header, header[len(header)/2:]}
	sampled := strings.Builder{}
	sample := func(rollout.Event) {
		sampled.WriteString(f.host.Run(t, "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'; true"))
	}
	if out, err := f.host.Try("docker pull " + f.registry.Addr() + "/aegee/core:v1.1.0"); err == nil {
		t.Fatalf("the host needs no login: %s", out)
	}
	f.run(exitFailed, "hint: docker login", "deploy", "prod")
	f.login()
	said := f.follow(exitDone, sample, "deploy", "prod", "core@v1.0.0", "--accept-drift")
	said += f.follow(exitDone, sample, "deploy", "prod")
	said += f.run(exitDone, "it is sent the login for "+f.registry.Addr()+" itself", "doctor") + f.run(exitDone, "", "history", "prod") + f.run(exitDone, "", "show", "prod")
	if !strings.Contains(sampled.String(), "\nwork\n") {
		t.Error("the worker was never looked at")
	}
	for i, secret := range secrets {
		if strings.Contains(sampled.String(), secret) || strings.Contains(said, secret) {
			t.Errorf("secret %d was in arguments, an environment or an output", i)
		}
		planted := "/tmp/planted"
		f.check(os.WriteFile(f.host.Path(planted), []byte(secret), 0o644))
		found := f.host.Run(t, "grep -rlF --exclude-dir=docker -e '"+secret+"' /srv /home /root /tmp /var; true")
		if strings.TrimSpace(found) != planted {
			t.Errorf("secret %d is in files of the host: %s", i, found)
		}
	}
	// Nobody needs a registry for a rollback, unless the image is gone: then the host has to have a login.
	f.check(os.Remove(filepath.Join(f.dir, "config.json")))
	f.host.Run(t, "docker image rm $(docker images -q --filter reference='*/aegee/core:v1.0.0')")
	f.run(exitFailed, "hint: docker login", "rollback", "prod")
	f.host.Run(t, fmt.Sprintf("echo %s | su deploy -c 'docker login --username %s --password-stdin %s'", bed.Password, bed.User, f.registry.Addr()))
	f.run(exitDone, "core is on v1.0.0", "rollback", "prod")
}

// TestHostToken: where the registry gives tokens, that is what a host pulls with. It reaches no token server,
// so that it has none but the one that it was sent.
func TestHostToken(t *testing.T) {
	t.Parallel()
	f := newFar(t, bed.TokenHostRegistry(t), "/srv/shop", "")
	f.release("v1.0.0", nil)
	f.login()
	f.run(exitDone, "core is on v1.0.0", "deploy", "prod", "core@v1.0.0", "--accept-drift")
	if out := f.run(exitDone, "the engine can pull", "doctor"); strings.Contains(out, "itself") {
		t.Errorf("the host is sent a login:\n%s", out)
	}
}

// hostile is text that does something wherever somebody takes it for more than text.
const hostile = "'; touch /srv/pwned; \" $(touch /srv/pwned) `touch /srv/pwned` ../../x \x1b[2J\x1b]0;pwned\a\r\nerror: forged\nhint: rm -rf /"

// harmless wants that an output has no control characters and no lines that somebody else wrote.
func harmless(t *testing.T, out string) {
	t.Helper()
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		said := strings.TrimPrefix(line, "error: ") // of each line of an error
		if strings.ContainsFunc(line, func(r rune) bool { return r != '\t' && unicode.IsControl(r) }) {
			t.Errorf("a control character: %q", line)
		}
		if strings.HasPrefix(said, "error: forged") || strings.HasPrefix(said, "hint: rm") {
			t.Errorf("a forged line: %q", line)
		}
	}
}

// TestHostileValues has values that are more than they seem wherever promote takes one.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	name := "$(touch pwned) 'a' \"b\" `id`;.yaml"
	f := newFar(t, bed.HostRegistry(t), "/srv/my \"shop\" 'é' $HOME;$(touch pwned)", fmt.Sprintf("    compose: [%q]\n    env_file: [%q]\n", name, name+".env"))
	f.put(name, fmt.Sprintf("services:\n  core:\n    image: %s/aegee/core:${TAG:?$(touch /srv/pwned)}\n    environment: {X: %q}\n    labels: {x: %q}\n  a.b_c-1:\n    image: %[1]s/aegee/core:v1.0.0\n",
		f.registry.Addr(), strings.ReplaceAll(hostile, "$", "$$"), strings.ReplaceAll(hostile, "$", "$$")))
	f.put(name+".env", "TAG=v1.0.0\nOTHER='$(touch /srv/pwned)'\n")
	f.release("v1.0.0", nil)
	f.release("v1.1.0-rc.1", nil)
	f.release("v1.2.0", map[string]string{"VERSION": hostile, "CRASH": "start"})
	all := ""
	all += f.run(exitDone, "", "status")
	all += f.run(exitDone, "core is on v1.0.0", "deploy", "prod", "core@v1.0.0", "--accept-drift")
	all += f.run(exitDone, "core is on v1.1.0-rc.1", "deploy", "prod", "core@v1.1.0-rc.1", "--reason", hostile)
	all += f.run(exitRestored, "pwned", "deploy", "prod", "core@v1.2.0", "--reason", hostile)
	all += f.run(exitDone, "core is on v1.0.0", "rollback", "prod", "--reason", hostile)
	all += f.run(exitDone, "", "lock", "prod", "--reason", hostile)
	all += f.run(exitLocked, "", "deploy", "prod", "core@v1.1.0-rc.1", "--again")
	for _, args := range [][]string{{"status"}, {"status", "--json"}, {"history", "prod"}, {"history", "prod", "--json"}, {"show", "prod"}, {"show", "prod", "--json"}, {"doctor"}} {
		all += f.run(exitDone, "", args...)
	}
	all += f.registryErrors()
	all += f.addresses()
	harmless(t, all)
	if found := f.host.Run(t, "find / /srv /home /root /tmp -xdev -name pwned"); found != "" {
		t.Errorf("on the host: %s", found)
	}
	if _, err := os.Stat(filepath.Join(f.dir, "pwned")); err == nil {
		t.Error("at the client")
	}
}

// registryErrors has a registry that answers with what nobody should show as it is.
func (f *far) registryErrors() (all string) {
	address, _, err := net.SplitHostPort(f.registry.Addr())
	f.check(err)
	listener, err := net.Listen("tcp", address+":0")
	f.check(err)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": "DENIED" + hostile, "message": hostile}}})
	})}}
	server.Start()
	defer server.Close()
	good := f.registry.Addr()
	path := filepath.Join(f.dir, "promote.yaml")
	text, err := os.ReadFile(path)
	f.check(err)
	plain := bytes.ReplaceAll(text, []byte(good), []byte(listener.Addr().String()))
	f.check(os.WriteFile(path, fmt.Appendf(plain, "registry: {insecure: [\"%s\"]}\n", listener.Addr()), 0o644))
	all += f.run(exitFailed, "pwned", "versions")
	f.check(os.WriteFile(path, text, 0o644))
	return all
}

// addresses tries to give ssh options for an address.
func (f *far) addresses() (all string) {
	for _, address := range []string{
		"ssh://-oProxyCommand=touch%20pwned", "ssh://deploy@-oProxyCommand=touch%20pwned", "ssh://-oProxyCommand=x@host",
		"ssh://-F%2Fetc%2Fpasswd@host", "ssh://host%0aProxyCommand%20x", "ssh://deploy;touch pwned@host", "ssh://host/;touch pwned", "ssh://$(touch pwned)", "ext::sh -c touch% pwned",
	} {
		f.configure(address, "")
		out, err := f.command("promote", "status").CombinedOutput()
		if commandCode(err) != exitFailed || !strings.Contains(string(out), "promote.yaml:") {
			f.t.Errorf("%s is not refused: %s", address, out)
		}
		all += string(out)
	}
	return all
}

// tree is a fingerprint of all that a limited key must not change: files outside of the journal,
// containers and images. runc's own files come and go with every health check.
func (f *far) tree() string {
	return f.host.Run(f.t, `find /srv /home /root /etc /tmp /usr/local -xdev \( -path /srv/shop/.promote -o -name 'runc-process*' \) -prune -o -printf '%p %M %u %l\n' | sort
find /srv /home /root /etc /tmp /usr/local -xdev \( -path /srv/shop/.promote -o -name 'runc-process*' \) -prune -o -type f -print0 | xargs -0 sha256sum | sort
sha256sum /srv/shop/.promote/allow.yaml; ls -A /srv/shop/.promote
docker ps -a --no-trunc --format '{{.ID}} {{.Names}} {{.Image}} {{.State}}' | sort
docker images --no-trunc -a --format '{{.ID}} {{.Repository}} {{.Tag}}' | sort`)
}
