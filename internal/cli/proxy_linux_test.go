package cli

import (
	"fmt"
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

// newBehind starts a front on v1.0.0. more is more of the compose service, and of the service in promote.yaml.
func newBehind(t *testing.T, front string, port int, more, setting string, behaviour map[string]string) *behind {
	bed.Need(t)
	g := &ground{t: t, dir: t.TempDir(), project: "front-" + front, env: bed.Env(t), registry: bed.Registry(t)}
	dir, err := built()
	g.check(err)
	g.program = filepath.Join(dir, "promote")
	kind, _, _ := strings.Cut(front, "-")
	files, config := bed.Proxy(t, kind)
	bed.Image(t, kind, "v1", files, config)
	for _, version := range []string{"v1.0.0", "v2.0.0"} {
		files, config := bed.Service(t, version, behaviour)
		g.registry.Push(t, "core", version, files, config)
	}
	g.check(os.Mkdir(filepath.Join(g.dir, "p"), 0o755))
	f := bed.Front{Name: front, Proxy: kind + ":v1", Web: g.registry.Addr() + "/core:v1.0.0", Port: port}
	for name, text := range f.Files(t) {
		if name == "compose.yaml" {
			text = "name: " + g.project + "\n" + text + more
		}
		g.write("p/"+name, text)
	}
	g.write("promote.yaml", fmt.Sprintf("services:\n  web: {image: %s/core%s}\nenvironments:\n  prod: {project: p, rollout: {healthy_deadline: 20s}}\n", g.registry.Addr(), setting))
	t.Cleanup(func() { removeContainers(t, bed.Engine(t).Client(), g.project) })
	up := exec.Command("docker", "compose", "up", "--detach", "--wait")
	up.Dir, up.Env = filepath.Join(g.dir, "p"), g.env
	if out, err := up.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return &behind{g, fmt.Sprintf("http://127.0.0.1:%d/", port)}
}

// TestProxies rolls a service behind each of the proxies that people use, under a constant load.
func TestProxies(t *testing.T) {
	for i, front := range bed.Fronts {
		t.Run(front, func(t *testing.T) {
			b := newBehind(t, front, 18200+i, "", "", map[string]string{"START_DELAY": "300ms"})
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
