package promotion_test

import (
	"testing"

	"promote/internal/promotion"
)

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
