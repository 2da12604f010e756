package cli

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"promote/internal/bed"
)

// behind is an environment of one service, web, behind a real reverse proxy, and requests through it.
type behind struct {
	*ground
	url string
}

// newBehind starts a front on v1.0.0, and returns once it answers.
func newBehind(t *testing.T, how fronted, port int, behaviour map[string]string) *behind {
	bed.Need(t)
	g := &ground{t: t, dir: t.TempDir(), project: "front-" + how.front, env: bed.Env(t), registry: bed.Registry(t)}
	dir, err := built()
	g.check(err)
	g.program = filepath.Join(dir, "promote")
	kind, _, _ := strings.Cut(how.front, "-")
	files, config := bed.Proxy(t, kind)
	bed.Image(t, kind, "v1", files, config)
	for _, version := range []string{"v1.0.0", "v2.0.0"} {
		files, config := bed.Service(t, version, behaviour)
		g.registry.Push(t, "core", version, files, config)
	}
	g.check(os.Mkdir(filepath.Join(g.dir, "p"), 0o755))
	f := bed.Front{Name: how.front, Proxy: kind + ":v1", Web: g.registry.Addr() + "/core:v1.0.0", Port: port}
	for name, text := range f.Files(t) {
		if name == "compose.yaml" {
			text = "name: " + g.project + "\n" + text + how.more
		}
		text = strings.NewReplacer(how.replace...).Replace(text)
		g.write("p/"+name, text)
	}
	g.write("promote.yaml", fmt.Sprintf("services:\n  web: {image: %s/core%s}\nenvironments:\n  prod: {project: p, rollout: {healthy_deadline: 20s}}\n", g.registry.Addr(), how.setting))
	t.Cleanup(func() { removeContainers(t, bed.Engine(t).Client(), g.project) })
	up := exec.Command("docker", "compose", "up", "--detach", "--wait")
	up.Dir, up.Env = filepath.Join(g.dir, "p"), g.env
	if out, err := up.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b := &behind{g, fmt.Sprintf("http://127.0.0.1:%d/", port)}
	b.answers()
	return b
}

// answers waits until there is an answer through the proxy.
func (b *behind) answers() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	for often := time.NewTicker(50 * time.Millisecond); ; {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url, nil)
		b.check(err)
		if response, err := http.DefaultClient.Do(request); err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK {
			return
		}
		select {
		case <-often.C:
		case <-ctx.Done():
			b.t.Fatal("no answer through the proxy")
		}
	}
}

// fronted is a way to have a proxy in front of a service that loses no request: what its configuration
// needs besides, and what promote.yaml says.
type fronted struct {
	front   string
	replace []string // old, new in the front's files
	more    string   // keys of web in the compose file
	setting string   // of the service in promote.yaml
}

var drained = fronted{setting: ", proxy: {drain: touch /drain}", more: "    environment: {DRAIN: /drain}\n"}

var fronts = map[string]fronted{
	"caddy":                    {front: "caddy"},
	"nginx":                    {front: "nginx-upstream"},
	"nginx resolver":           {front: "nginx-resolver", replace: []string{"set $app web;", "set $app web; proxy_connect_timeout 300ms;"}},
	"haproxy template":         {front: "haproxy-template", replace: []string{"timeout connect 2s", "timeout connect 300ms\n    option redispatch 1"}},
	"haproxy template drained": {front: "haproxy-template", more: drained.more, setting: drained.setting},
	"caddy dark":               {front: "caddy", setting: ", dark: true"},
	"nginx resolver dark":      {front: "nginx-resolver", setting: ", dark: true", replace: []string{"set $app web;", "set $app web; proxy_connect_timeout 300ms;"}},
	"traefik drained":          {front: "traefik", more: drained.more, setting: drained.setting},
	"traefik health drained":   {front: "traefik-healthcheck", more: drained.more, setting: drained.setting},
}

// TestProxies rolls a service behind each of the proxies that people use, under a constant load.
func TestProxies(t *testing.T) {
	port := 18200
	for name, f := range fronts {
		port++
		t.Run(name, func(t *testing.T) {
			b := newBehind(t, f, port, map[string]string{"START_DELAY": "300ms"})
			get := bed.Load(t, bed.Traffic{URL: b.url, Rate: 100, Timeout: 5 * time.Second})
			post := bed.Load(t, bed.Traffic{URL: b.url, Rate: 50, Method: "POST", Body: "x", Timeout: 5 * time.Second})
			get.Wait(50)
			for _, version := range []string{"v2.0.0", "v1.0.0", "v2.0.0", "v1.0.0"} {
				began := time.Now()
				b.run(exitDone, "pin", "prod", version, "--accept-drift")
				t.Log(version, time.Since(began))
			}
			get.Wait(50)
			t.Log("GET", get.Stop())
			t.Log("POST", post.Stop())
		})
	}
}
