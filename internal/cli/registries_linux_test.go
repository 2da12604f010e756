package cli

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"promote/internal/bed"
)

// workshop is a repository of one service that is built and published, with a remote.
type workshop struct {
	*ground
	image string // repository
	next  int    // patch of the version to come
}

// newWorkshop begins a repository whose image is core in the registry at an address; settings are added to
// promote.yaml, and service to the service.
func newWorkshop(t *testing.T, address, service, settings string) *workshop {
	t.Helper()
	bed.Need(t)
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	w := &workshop{ground: &ground{t: t, dir: t.TempDir(), program: filepath.Join(dir, "promote"), env: bed.Env(t)}, image: address + "/core"}
	origin := t.TempDir()
	w.git("init", "-q", "--bare", "-b", "main", origin)
	w.git("init", "-q", "-b", "main", ".")
	w.git("remote", "add", "origin", origin)
	w.write("promote.yaml", fmt.Sprintf("services:\n  core: {image: %s, version: version.txt, build: .%s}\n%s", w.image, service, settings))
	w.write("Dockerfile", "FROM scratch\nCOPY version.txt /\n")
	w.release()
	return w
}

// release commits the next version.
func (w *workshop) release() (version string) {
	w.next++
	version = fmt.Sprintf("v1.5.%d", w.next)
	w.write("version.txt", version[1:]+"\n")
	w.git("add", ".")
	w.git("commit", "-q", "-m", "Release "+version)
	return version
}

func (w *workshop) git(args ...string) string {
	w.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = w.dir, w.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// path is where programs are looked for.
func (w *workshop) path() string {
	for _, pair := range w.env {
		if path, ok := strings.CutPrefix(pair, "PATH="); ok {
			return path
		}
	}
	return ""
}

// login writes docker's configuration.
func (w *workshop) login(text string) {
	dir := w.t.TempDir()
	w.check(os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600))
	w.env = append(w.env, "DOCKER_CONFIG="+dir)
}

// publish wants the answer of a publish that went well.
func (w *workshop) publish() (a publication) {
	w.t.Helper()
	var out, said strings.Builder
	cmd := w.command("publish", "--json")
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		w.t.Fatalf("publish: %v\n%s%s", err, &out, &said)
	}
	w.check(json.Unmarshal([]byte(out.String()), &a))
	return a
}

// refused wants the same error and hint of publish and versions.
func (w *workshop) refused(says, hint string) {
	w.t.Helper()
	for _, command := range []string{"publish", "versions"} {
		if out := w.run(exitFailed, command); !strings.Contains(out, says) || !strings.Contains(out, "\nhint: "+hint+"\n") {
			w.t.Errorf("%s:\n%s", command, out)
		}
	}
}

// auths is docker's configuration after docker login.
func auths(registry, login string) string {
	return fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, registry, base64.StdEncoding.EncodeToString([]byte(login)))
}

// published wants the version to be the whole registry's newest, as a whole.
func (w *workshop) published(version string) {
	w.t.Helper()
	if a := w.publish(); a.Version != version || !a.New || !a.Latest {
		w.t.Errorf("published %+v", a)
	}
	if a := w.publish(); a.Version != version || a.New || !a.Latest {
		w.t.Errorf("published again: %+v", a)
	}
	if out := w.run(exitDone, "versions"); strings.Count(out, version+"\n") != 1 {
		w.t.Errorf("versions: %s", out)
	}
}

// A registry of one's own: behind TLS, with a certificate of its own, and with a password.
func TestBasicRegistry(t *testing.T) {
	bed.Thorough(t)
	bed.Need(t)
	registry := bed.SecureRegistry(t)
	w := newWorkshop(t, registry.Addr(), "", "")
	w.refused("certificate signed by unknown authority", "put the certificate of its authority into /etc/docker/certs.d/"+registry.Addr()+"/ca.crt")
	registry.Trust(t)
	w.refused("401 unauthorized", "docker login "+registry.Addr())
	w.login(auths(registry.Addr(), bed.User+":wrong"))
	w.refused("401 unauthorized", "docker login "+registry.Addr())
	w.login(auths(registry.Addr(), bed.User+":"+bed.Password))
	w.published("v1.5.1")
}

// A registry that wants tokens, which are got with a password, with a refresh token out of a credential
// helper, or without anything for pulling.
func TestTokenRegistry(t *testing.T) {
	bed.Need(t)
	registry := bed.TokenRegistry(t)
	registry.Trust(t)
	w := newWorkshop(t, registry.Addr(), "", "")
	if out := w.run(exitFailed, "publish"); !strings.Contains(out, "hint: docker login "+registry.Addr()) {
		t.Errorf("publish without a login:\n%s", out)
	}
	if tags := w.git("tag"); tags != "" {
		t.Errorf("claimed what can't be pushed: %s", tags)
	}
	w.login(auths(registry.Addr(), bed.User+":wrong"))
	w.refused("401 unauthorized", "docker login "+registry.Addr())
	w.login(auths(registry.Addr(), bed.User+":"+bed.Password))
	w.published("v1.5.1")
	w.login("{}")
	if out := w.run(exitDone, "versions"); out != "v1.5.1\n" {
		t.Errorf("anybody sees %s", out)
	}

	programs := t.TempDir()
	w.check(os.WriteFile(filepath.Join(programs, "docker-credential-bed"), fmt.Appendf(nil,
		"#!/bin/sh\nread server; echo '{\"ServerURL\": \"'$server'\", \"Username\": \"<token>\", \"Secret\": \"%s\"}'\n", bed.Refresh), 0o755))
	w.env = append(w.env, "PATH="+programs+":"+w.path())
	w.login(`{"credHelpers": {"` + registry.Addr() + `": "bed"}}`)
	w.published(w.release())
}
