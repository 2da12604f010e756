package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"promote/internal/bed"
)

// behind is an environment of one service, web, behind a real reverse proxy, and requests through it.
type behind struct {
	*ground
	how fronted
	url string
}

// newBehind starts a front on v1.0.0, and returns once it answers.
func newBehind(t *testing.T, how fronted, port int) *behind {
	bed.Need(t)
	g := &ground{t: t, dir: t.TempDir(), project: "front-" + how.front, env: bed.Env(t), registry: bed.Registry(t)}
	dir, err := built()
	g.check(err)
	g.program = filepath.Join(dir, "promote")
	kind, _, _ := strings.Cut(how.front, "-")
	files, config := bed.Proxy(t, kind)
	bed.Image(t, kind, "v1", files, config)
	behaviour := how.behaviour
	if behaviour == nil {
		behaviour = map[string]string{"START_DELAY": "300ms"}
	}
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
	b := &behind{g, how, fmt.Sprintf("http://127.0.0.1:%d/", port)}
	b.compose("up", "--detach", "--wait")
	b.answers()
	b.run(exitDone, "adopt", "prod")
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
	front     string
	replace   []string // old, new in the front's files
	more      string   // keys of web in the compose file
	setting   string   // of the service in promote.yaml
	behaviour map[string]string
	path      string  // of the requests
	fresh     bool    // every request has a connection of its own
	loses     float64 // share of the requests that may fail; where it is not 0, it is tried only for its figures
}

var (
	drain   = "    healthcheck: {test: [CMD-SHELL, 'test ! -e /drain && wget -q -O - http://127.0.0.1:8080/health'], interval: 500ms}\n"
	drained = ", proxy: {drain: touch /drain}"
	early   = map[string]string{"START_DELAY": "500ms", "LISTEN": "early"}
	slow    = map[string]string{"START_DELAY": "300ms", "STOP_DELAY": "1s"}
	retries = "proxy_connect_timeout 300ms; proxy_next_upstream error timeout non_idempotent;"
	hasty   = []string{"timeout connect 2s", "timeout connect 300ms\n    option redispatch 1"}
	patient = append([]string{
		"inter 500ms", "inter 500ms fall 10",
		"hold valid 1s", "hold valid 200ms\n    timeout resolve 200ms",
		"option httpchk", "retries 10\n    option httpchk",
	}, hasty...)
	again = []string{"      - --providers.docker\n", "      - --providers.docker\n      - --serverstransport.forwardingtimeouts.dialtimeout=300ms\n      - --providers.providersthrottleduration=100ms\n"}
	retry = "      - traefik.http.middlewares.again.retry.attempts=4\n      - traefik.http.routers.web.middlewares=again\n"
)

// fronts are what docs/proxies.md recommends, and what a service may be like.
var fronts = map[string]fronted{
	"caddy":            {front: "caddy"},
	"caddy early":      {front: "caddy", behaviour: early, setting: ", dark: true"},
	"caddy in flight":  {front: "caddy", behaviour: slow, path: "slow?for=3s"},
	"nginx":            {front: "nginx-upstream", replace: []string{"proxy_pass http://app;", "proxy_pass http://app; " + retries}},
	"nginx resolver":   {front: "nginx-resolver", replace: []string{"set $app web;", "set $app web; " + retries}},
	"haproxy template": {front: "haproxy-template", replace: hasty},
	"haproxy server":   {front: "haproxy-server", replace: patient},
	"haproxy tcp":      {front: "haproxy-template", replace: append([]string{"mode http", "mode tcp", "    option httpchk GET /health\n", ""}, hasty...), fresh: true},
	"traefik":          {front: "traefik", more: drain, setting: drained},

	"plain caddy early":      {front: "caddy", behaviour: early, loses: 0.5},
	"plain nginx":            {front: "nginx-upstream", loses: 0.1},
	"plain nginx resolver":   {front: "nginx-resolver", loses: 0.5},
	"plain haproxy template": {front: "haproxy-template", loses: 0.1},
	"plain haproxy server":   {front: "haproxy-server", loses: 0.3},
	"plain traefik":          {front: "traefik", loses: 0.3},
	"retrying traefik":       {front: "traefik", more: retry, replace: again, loses: 0.1},
}

// TestProxies rolls a service behind each of the proxies that people use, there and back, under a constant
// load, of which no more requests may fail than lost says. PROMOTE_ROLLS is how often.
func TestProxies(t *testing.T) {
	rolls, err := strconv.Atoi(cmp.Or(os.Getenv("PROMOTE_ROLLS"), "2"))
	if err != nil {
		t.Fatal(err)
	}
	port := 18200
	for _, name := range slices.Sorted(maps.Keys(fronts)) {
		port++
		t.Run(name, func(t *testing.T) {
			if name != "nginx" {
				bed.Thorough(t)
			}
			if fronts[name].loses > 0 && os.Getenv("PROMOTE_ROLLS") == "" {
				t.Skip("SKIPPED: it loses requests, and is here for the figures in docs/proxies.md; set PROMOTE_ROLLS")
			}
			b := newBehind(t, fronts[name], port)
			if !b.roll(rolls) {
				t.Errorf("more was lost than may be; the proxy said:\n%s", b.compose("logs", "--tail", "5", "proxy"))
			}
		})
	}
}

// roll replaces the container so many times under load, and reports whether no more was lost than may be.
func (b *behind) roll(times int) bool {
	get, post := b.load("GET", 100), b.load("POST", 50)
	for i := range times {
		get.Wait(50)
		b.run(exitDone, "pin", "prod", []string{"v2.0.0", "v1.0.0"}[i%2])
	}
	get.Wait(50)
	well := true
	for method, load := range map[string]*bed.LoadHandle{"GET": get, "POST": post} {
		report := load.Stop()
		b.t.Logf("%s in %d rolls: %v", method, times, report)
		well = well && float64(report.Failed) <= lost(b.how, method)*float64(report.Requests)
	}
	return well
}

// lost is the share of requests that may fail. nginx is told when it has to look, and loses no GET. The others find out
// by themselves: with all cores busy, a connection that waits to be accepted as the old container closes its port is
// lost, which was seen for one request in 1,300 at most. POSTs are lost whatever is done: Caddy and a single server of
// HAProxy send one over a connection that the old container is just closing, and nginx closes those of clients as it
// reloads; nobody can know then whether it may be sent again.
func lost(f fronted, method string) float64 {
	again := f.fresh || f.front == "haproxy-template" || f.front == "traefik"
	switch {
	case method == "POST" && !again:
		return max(f.loses, 0.02)
	case strings.HasPrefix(f.front, "nginx"):
		return f.loses
	}
	return max(f.loses, 0.003)
}

func (b *behind) load(method string, rate int) *bed.LoadHandle {
	traffic := bed.Traffic{URL: b.url + b.how.path, Rate: rate, Method: method, Fresh: b.how.fresh}
	if method == "POST" {
		traffic.Body = "x"
	}
	return bed.Load(b.t, traffic)
}

// TestSocketThroughProxy: a websocket to the old container goes on until that stops, and the next one is to
// the new container.
func TestSocketThroughProxy(t *testing.T) {
	bed.Thorough(t)
	b := newBehind(t, fronted{front: "caddy", behaviour: slow}, 18230)
	said := func(socket *websocket.Conn) error {
		echo := ""
		if err := websocket.Message.Send(socket, "hello"); err != nil {
			return err
		}
		return websocket.Message.Receive(socket, &echo)
	}
	dial := func() *websocket.Conn {
		socket, err := websocket.Dial(strings.Replace(b.url, "http", "ws", 1)+"socket", "", b.url)
		b.check(err)
		return socket
	}
	socket := dial()
	b.check(said(socket))
	ended := make(chan error)
	began := time.Now()
	go func() {
		_, err := socket.Read(make([]byte, 1))
		t.Logf("the websocket ended after %v", time.Since(began).Round(10*time.Millisecond))
		ended <- err
	}()
	b.run(exitDone, "pin", "prod", "v2.0.0")
	t.Logf("promote ended after %v", time.Since(began).Round(10*time.Millisecond))
	if err := <-ended; err == nil {
		t.Error("the old container still sends")
	}
	b.check(said(dial()))
}

// TestProxyBroken is a proxy that no longer takes its own configuration: it is said in its words, and everything
// is put back while it goes on with what it has.
func TestProxyBroken(t *testing.T) {
	bed.Thorough(t)
	b := newBehind(t, fronts["nginx"], 18230)
	b.write("p/nginx.conf", "upstream app { server nobody:8080; }\n")
	out := b.run(exitRestored, "pin", "prod", "v2.0.0")
	if !strings.Contains(out, `error: proxy proxy: `) || !strings.Contains(out, `host not found in upstream "nobody:8080"`) {
		t.Errorf("it does not say what is wrong with the proxy:\n%s", out)
	}
	b.answers()
	b.run(exitDone, "status", "--exit-code")
}
