package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"promote/internal/bed"
)

// swarmed are ways to move a service of a stack to another version, and back. Those of docker return before the swarm
// has done it.
var swarmed = []way{
	{"stack-deploy", []string{"ssh HOST cd /srv/shop && sed -i s,:v1.*,:NEW, compose.yaml && docker stack deploy --compose-file compose.yaml shop"}},
	{"promote", []string{"promote deploy prod --again"}},
	{"service-rollback", []string{"ssh HOST docker service rollback --detach shop_web"}},
	{"rollback", []string{"promote rollback prod"}},
}

const stackFile = `version: "3.8"
services:
  web:
    image: IMAGE:v1.0.0
    networks: [front]
    deploy:
      endpoint_mode: dnsrr
      update_config: {order: start-first, monitor: 1s}
      rollback_config: {order: start-first, monitor: 1s}
networks:
  front: {driver: overlay, attachable: true}
`

// stacked is a service of a stack on one node, behind Caddy.
func stacked(b *testing.B) (*crossing, *bed.HostHandle) {
	bed.Need(b)
	crossings++
	h, registry := bed.Host(b, fmt.Sprintf("swarm-%d", crossings)), bed.HostRegistry(b)
	c := &crossing{
		side: &side{b: b, dir: b.TempDir(), env: bed.Env(b)}, registry: registry, repository: fmt.Sprintf("stack-%d", crossings),
		interval: time.Second, url: "http://" + h.Addr() + ":8080/",
	}
	image := registry.Addr() + "/" + c.repository
	c.publish("v1.0.0", started)
	content, config := bed.Proxy(b, "caddy")
	registry.Push(b, "caddy", "edge", content, config)
	h.Run(b, "docker swarm init --advertise-addr "+h.Addr()+" && install -d -o deploy /srv/shop && cat >/srv/shop/compose.yaml <<'EOF'\n"+
		strings.ReplaceAll(stackFile, "IMAGE", image)+"EOF\nchown deploy: /srv/shop/compose.yaml")
	c.write("promote.yaml", "services:\n  web: {image: "+image+"}\nenvironments:\n  prod: {host: '"+h.URL("deploy")+"', project: /srv/shop, engine: swarm, name: shop}\n")
	c.do("promote deploy prod")
	h.Run(b, "docker run -d --network shop_front -p 8080:80 "+registry.Addr()+"/caddy:edge caddy reverse-proxy --from :80 --to web:8080")
	c.answers()
	return c, h
}

// BenchmarkSwarm is BenchmarkRollout for a service of a stack whose swarm starts the new task first; ratio is against
// docker stack deploy, and for the way back against docker service rollback.
func BenchmarkSwarm(b *testing.B) {
	ends := map[string]time.Duration{}
	for i, w := range swarmed {
		b.Run(w.name, func(b *testing.B) {
			c, h := stacked(b)
			for range b.N {
				c.swap(h, i)
			}
			end := median(c.ends)
			ends[w.name] = end
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(c.failed)/float64(b.N), "failed")
			b.ReportMetric(float64(median(c.gaps).Milliseconds()), "gap-ms")
			b.ReportMetric(float64(end.Milliseconds()), "new-ms")
			if plain := ends[swarmed[i/2*2].name]; plain > 0 {
				b.ReportMetric(float64(end)/float64(plain), "ratio")
			}
		})
	}
}

// swap is a round that ends on another version. Before one back comes one forward, by the way of the same tool, which
// stands two before it in the list.
func (c *crossing) swap(h *bed.HostHandle, i int) {
	c.rounds++
	c.publish(version(c.rounds), started)
	from, to := version(c.rounds-1), version(c.rounds)
	if strings.HasSuffix(swarmed[i].name, "rollback") {
		c.order(h, swarmed[i-2])
		from, to = to, from
	}
	load := bed.Load(c.b, bed.Traffic{URL: c.url, Rate: 200})
	load.Wait(100)
	began := time.Now()
	c.order(h, swarmed[i])
	load.Wait(600)
	c.record(load.Stop(), began, from, to)
}

// order does what a way says, and waits until the swarm has done it.
func (c *crossing) order(h *bed.HostHandle, w way) {
	c.do(strings.NewReplacer("NEW", version(c.rounds), "HOST", "-o BatchMode=yes deploy@"+h.Addr()).Replace(w.lines[0]))
	h.Run(c.b, "until docker service inspect --format '{{.UpdateStatus.State}}' shop_web | grep -q completed; do sleep 0.1; done")
}
