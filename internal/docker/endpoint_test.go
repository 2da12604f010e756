package docker_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"promote/internal/docker"
)

// TestEndpoint: one engine for both halves of a deployment, the one that docker's own command would use.
func TestEndpoint(t *testing.T) {
	home := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(home, ".docker", path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	id := func(name string) string {
		sum := sha256.Sum256([]byte(name))
		return hex.EncodeToString(sum[:])
	}
	write("config.json", `{"currentContext":"rootless"}`)
	write("contexts/meta/"+id("rootless")+"/meta.json", `{"Name":"rootless","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///run/user/1000/docker.sock","SkipTLSVerify":false}}}`)
	write("contexts/meta/"+id("far")+"/meta.json", `{"Name":"far","Metadata":{},"Endpoints":{"docker":{"Host":"tcp://far:2376","SkipTLSVerify":false}}}`)
	write("contexts/tls/"+id("far")+"/docker/ca.pem", "x")
	tls := filepath.Join(home, ".docker/contexts/tls", id("far"), "docker")
	for name, test := range map[string]struct {
		environ    []string
		host, want string // what docker's commands find
		wrong      string
	}{
		"the chosen context":       {nil, "unix:///run/user/1000/docker.sock", "DOCKER_HOST=unix:///run/user/1000/docker.sock", ""},
		"a named one, with TLS":    {[]string{"DOCKER_CONTEXT=far"}, "tcp://far:2376", "DOCKER_HOST=tcp://far:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=" + tls, ""},
		"none, by name":            {[]string{"DOCKER_CONTEXT=default"}, "", "DOCKER_CONTEXT=default", ""},
		"a host before any":        {[]string{"DOCKER_CONTEXT=far", "DOCKER_HOST=tcp://b:1"}, "tcp://b:1", "DOCKER_CONTEXT=far DOCKER_HOST=tcp://b:1", ""},
		"one that is not there":    {[]string{"DOCKER_CONTEXT=gone"}, "", "", `docker's context "gone": `},
		"another folder of docker": {[]string{"DOCKER_CONFIG=/nowhere"}, "", "DOCKER_CONFIG=/nowhere", ""},
	} {
		t.Run(name, func(t *testing.T) {
			lookup := func(key string) string {
				for _, pair := range append([]string{"HOME=" + home}, test.environ...) {
					if value, found := strings.CutPrefix(pair, key+"="); found {
						return value
					}
				}
				return ""
			}
			e, err := docker.FindEndpoint(lookup)
			if test.wrong != "" {
				if err == nil || !strings.HasPrefix(err.Error(), test.wrong) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || e.Host != test.host {
				t.Fatalf("found %+v, %v", e, err)
			}
			if got := strings.Join(e.Environ(test.environ), " "); got != test.want {
				t.Errorf("docker's commands find %q, want %q", got, test.want)
			}
		})
	}
}
