package bench

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"promote/internal/bed"
)

// proxied are reverse proxies, set up as docs/proxies.md recommends.
var proxied = []struct {
	front   string
	replace []string // old, new in the front's files
	web     string   // keys of the service in the compose file
	setting string   // of the service in promote.yaml
}{
	{front: "caddy"},
	{front: "nginx-upstream", replace: []string{"http://app;", "http://app; proxy_connect_timeout 300ms; proxy_next_upstream error timeout non_idempotent;"}},
	{front: "haproxy-template", replace: []string{"timeout connect 2s", "timeout connect 300ms\n    option redispatch 1"}},
	{front: "traefik", web: "    environment: {DRAIN: /drain}\n", setting: ", proxy: {drain: touch /drain}"},
	{front: published},
}

// published is a service without a proxy. Two copies can't be, so promote recreates its container.
const published = "published-port"

// way is how somebody moves a service to another version: commands, in which NEW is the version and OLD the
// container that runs.
type way struct {
	name  string
	lines []string
}

const edit, pull = "sed -i s|:v1.*|:NEW| compose.yaml", "docker compose pull -q web"

var ways = []way{
	{"up", []string{edit, pull, "docker compose up -d"}},
	{"up-wait", []string{edit, pull, "docker compose up -d --wait"}},
	{"two-copies", []string{edit, pull, "docker compose up -d --wait --no-deps --no-recreate --scale web=2 web", "docker stop OLD", "docker rm OLD"}},
	{"promote", []string{"promote deploy prod"}},
	{"rollback", []string{"promote rollback prod"}},
}

func (w way) ours() bool { return strings.HasPrefix(w.lines[0], "promote") }

// crossing is a service behind a proxy, with what its rounds measured.
type crossing struct {
	*side
	registry   *bed.RegistryHandle
	repository string
	interval   time.Duration // of its health check
	url        string
	rounds     int
	failed     int
	gaps, ends []time.Duration // longest without an answer; from the commands' start until only the new version answers
}

// crossings have addresses of their own: those that end may still hold theirs.
var crossings int

// cross starts a service behind a proxy.
func cross(b *testing.B, i int, interval time.Duration) *crossing {
	crossings++
	p, port, registry := proxied[i], 18300+crossings, bed.Registry(b)
	c := &crossing{
		side: &side{b: b, dir: b.TempDir(), env: bed.Env(b)}, registry: registry, repository: fmt.Sprintf("crossing-%d", crossings),
		interval: interval, url: fmt.Sprintf("http://127.0.0.1:%d/", port),
	}
	c.publish("v1.0.0", started)
	image := registry.Addr() + "/" + c.repository
	for name, text := range files(b, p.front, image+":v1.0.0", port) {
		if name == "compose.yaml" {
			text = "name: " + c.repository + "\n" + text + p.web
		}
		c.write(name, strings.NewReplacer(p.replace...).Replace(text))
	}
	c.write("promote.yaml", "services:\n  web: {image: "+image+p.setting+"}\nenvironments:\n  prod: {project: .}\n")
	c.do("docker compose up -d --wait")
	b.Cleanup(func() { c.do("docker compose down -t 1") })
	c.answers()
	return c
}

// files are those of a project with a service behind a proxy, which can be reached at a port.
func files(b *testing.B, front, image string, port int) map[string]string {
	if front == published {
		return map[string]string{"compose.yaml": fmt.Sprintf("services:\n  web:\n    image: %s\n    ports: ['%d:8080']\n", image, port)}
	}
	kind, _, _ := strings.Cut(front, "-")
	content, config := bed.Proxy(b, kind)
	bed.Image(b, kind, "edge", content, config)
	return bed.Front{Name: front, Proxy: kind + ":edge", Web: image, Port: port}.Files(b)
}

// answers waits until there is an answer through the proxy.
func (c *crossing) answers() {
	for often := time.NewTicker(50 * time.Millisecond); ; <-often.C {
		if response, err := http.Get(c.url); err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusOK {
			return
		}
	}
}

// started is a program that takes a second to start.
var started = map[string]string{"START_DELAY": "1s"}

func (c *crossing) publish(version string, behaviour map[string]string) {
	files, config := bed.Service(c.b, version, maps.Clone(behaviour))
	config.Healthcheck.Interval = c.interval
	c.registry.Push(c.b, c.repository, version, files, config)
}

func version(round int) string { return fmt.Sprintf("v1.%d.0", round) }

// attempt runs the commands of a way under load, and returns what became of it 3 s later.
func (c *crossing) attempt(w way) (report bed.LoadReport, began time.Time, took time.Duration, err error) {
	old, _ := c.run("docker compose ps -q web") // there is one, or the load would fail
	load := bed.Load(c.b, bed.Traffic{URL: c.url, Rate: 200})
	load.Wait(100)
	began = time.Now()
	for _, line := range w.lines {
		line = strings.NewReplacer("NEW", version(c.rounds), "OLD", strings.TrimSpace(old)).Replace(line)
		if _, err = c.run(line); err != nil {
			break
		}
	}
	took = time.Since(began)
	load.Wait(600)
	return load.Stop(), began, took, err
}

// move is a round that ends on another version.
func (c *crossing) move(w way) {
	c.rounds++
	c.publish(version(c.rounds), started)
	from, to := version(c.rounds-1), version(c.rounds)
	if w.name == "rollback" {
		c.do("promote deploy prod")
		from, to = to, from
	}
	report, began, _, err := c.attempt(w)
	if err != nil {
		c.b.Fatal(err)
	}
	if report.Versions[to].Answers == 0 {
		c.b.Logf("%s: the new version did not answer, so new-ms is that of the old one's end", w.name)
	}
	c.record(report, began, from, to)
}

// record takes what a round measured.
func (c *crossing) record(report bed.LoadReport, began time.Time, from, to string) {
	c.failed += report.Failed
	c.gaps = append(c.gaps, report.Gap)
	c.ends = append(c.ends, max(report.Versions[from].Last.Sub(began), report.Versions[to].First.Sub(began)))
}

// BenchmarkRollout moves a service that takes a second to start to its next version, and back, behind a real
// proxy under 200 requests a second. Reported are the requests that failed in a round, the longest time without
// an answer, and the time from the commands' start until nothing but the new version answers; ratio is that
// against a plain up.
func BenchmarkRollout(b *testing.B) {
	for i, p := range proxied {
		for _, interval := range []time.Duration{time.Second, 5 * time.Second} {
			var plain time.Duration
			for _, w := range ways {
				if p.front == published && w.name == "two-copies" {
					continue
				}
				b.Run(fmt.Sprintf("%s/health-every-%s/%s", p.front, interval, w.name), func(b *testing.B) {
					c := cross(b, i, interval)
					if w.ours() {
						c.do("promote adopt prod")
					}
					for range b.N {
						c.move(w)
					}
					end := median(c.ends)
					if w.name == "up" {
						plain = end
					}
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(float64(c.failed)/float64(b.N), "failed")
					b.ReportMetric(float64(median(c.gaps).Milliseconds()), "gap-ms")
					b.ReportMetric(float64(end.Milliseconds()), "new-ms")
					if plain > 0 { // it is 0 where -bench leaves the plain up out
						b.ReportMetric(float64(end)/float64(plain), "ratio")
					}
				})
			}
		}
	}
}

// BenchmarkFailure deploys a release that does not work, behind Caddy. Reported are the requests that failed
// until 3 s after the commands ended, and how long those took; promote has put everything back by then.
func BenchmarkFailure(b *testing.B) {
	for name, behaviour := range map[string]map[string]string{
		"never-healthy": {"HEALTH": "never"}, "crashes": {"CRASH": "start"}, "exits": {"CRASH": "done"},
	} {
		for _, w := range []way{ways[0], ways[1], ways[3]} {
			b.Run(name+"/"+w.name, func(b *testing.B) {
				c := cross(b, 0, time.Second)
				if w.ours() {
					c.do("promote adopt prod")
				}
				for range b.N {
					c.fail(w, behaviour)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(c.failed)/float64(b.N), "failed")
				b.ReportMetric(float64(median(c.times).Milliseconds()), "exit-ms")
			})
		}
	}
}

// fail is a round that ends where it began.
func (c *crossing) fail(w way, behaviour map[string]string) {
	c.rounds++
	c.publish(version(c.rounds), behaviour)
	report, _, took, err := c.attempt(w)
	c.failed += report.Failed
	c.times = append(c.times, took)
	if w.ours() && err == nil {
		c.b.Fatal("promote deployed what does not work")
	}
	if !w.ours() {
		c.do(strings.ReplaceAll(edit, "NEW", "v1.0.0"))
		c.do("docker compose up -d --wait")
		c.answers()
	}
}
