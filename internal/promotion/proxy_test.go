package promotion_test

import (
	"fmt"
	"testing"
	"time"

	"promote/internal/promotion"
)

// TestProxyKind: by the image, or by what the container runs.
func TestProxyKind(t *testing.T) {
	for _, c := range []struct{ image, command, want string }{
		{"nginx:1.27-alpine", "/docker-entrypoint.sh nginx -g 'daemon off;'", "nginx"},
		{"registry.example.org:5000/edge/nginx-unprivileged@sha256:00", "", "nginx"},
		{"shop/front", "/docker-entrypoint.sh nginx -g", "nginx"},
		{"shop/edge:v1", "/usr/local/sbin/haproxy -W -db", "haproxy"},
		{"docker.io/library/caddy", "caddy run", "caddy"},
		{"traefik:v3", "/entrypoint.sh --providers.docker", "traefik"},
		{"shop/nginx-exporter", "/bin/exporter", ""},
		{"shop/core:v1.0.0", "node server.js nginx", ""},
		{"", "", ""},
	} {
		if got := promotion.ProxyKind(c.image, c.command); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.image, c.command, got, c.want)
		}
	}
}

// TestProxies: what promote.yaml says comes before what is known of a kind, for the proxy that it names or
// for all.
func TestProxies(t *testing.T) {
	part := promotion.Part{Neighbours: []promotion.Neighbour{{Project: "shop", Service: "web", Kind: "nginx"}, {Project: "edge", Service: "in", Kind: "traefik"}}}
	own := []string{"nginx", "-t"}
	for name, c := range map[string]struct {
		front *promotion.Front
		want  string
	}{
		"nothing said":  {nil, "[web true [nginx -s reload] 300ms] [in false [] 2.5s]"},
		"for all":       {&promotion.Front{ProxyCare: promotion.ProxyCare{Settle: time.Second}}, "[web true [nginx -s reload] 1s] [in false [] 1s]"},
		"for one":       {&promotion.Front{Service: "web", ProxyCare: promotion.ProxyCare{AfterGone: own}}, "[web false [nginx -t] 300ms] [in false [] 2.5s]"},
		"one not known": {&promotion.Front{Service: "own", ProxyCare: promotion.ProxyCare{AfterGone: own}}, "[web true [nginx -s reload] 300ms] [in false [] 2.5s] [own false [nginx -t] 0s]"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			for _, p := range (promotion.Service{Front: c.front}).Proxies("shop", part) {
				got += fmt.Sprintf(" [%s %v %v %s]", p.Service, p.Renews, p.AfterGone, p.Settle)
			}
			if got != " "+c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestPromise: what a plan says of the requests that go through a proxy.
func TestPromise(t *testing.T) {
	drain := &promotion.Front{ProxyCare: promotion.ProxyCare{Drain: []string{"touch", "/drain"}}}
	told := &promotion.Front{Service: "edge", ProxyCare: promotion.ProxyCare{AfterGone: []string{"reload"}}}
	for _, tt := range []struct {
		kind  string
		front *promotion.Front
		want  string
	}{
		{"caddy", nil, "no request lost"},
		{"nginx", nil, "no request lost; proxy is told"},
		{"haproxy", nil, "no request lost; proxy gets 2.5s to notice"},
		{"traefik", nil, "few requests lost, as proxy notices late that the old one is gone: see docs/proxies.md"},
		{"traefik", drain, "no request lost; proxy sees the old one drained"},
		{"traefik", told, "few requests lost, as proxy notices late that the old one is gone: see docs/proxies.md; edge is told"},
	} {
		w := newWorld(promotion.Deploy, "core").publish("core", "v1.5.0")
		w.service("core").Parts[0].Neighbours = []promotion.Neighbour{{Project: "shop", Service: "proxy", Kind: tt.kind}}
		w.Target.Services[0].Front = tt.front
		plan, err := w.plan()
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.Moves[0].Rolls[0].Why; got != tt.want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.kind, got, tt.want)
		}
	}
}
