package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"promote/internal/bed"
)

// far is a host behind a line that delays every byte by 50 ms each way, with one service on it.
type far struct {
	*side
	relay    *bed.RelayHandle
	registry *bed.RegistryHandle
}

const delay = 50 * time.Millisecond

func farHost(b *testing.B) *far {
	bed.Need(b)
	h, registry := bed.Host(b, "far"), bed.HostRegistry(b)
	relay := h.Relay(b, delay)
	replaced := strings.NewReplacer("REGISTRY", registry.Addr(), "SIDE", "shop")
	h.Run(b, "install -d -o deploy /srv/shop; cat > /srv/shop/compose.yaml <<'EOF'\n"+replaced.Replace(composeFile)+"EOF\nchown deploy: /srv/shop/compose.yaml")
	s := &side{b: b, dir: b.TempDir(), env: bed.Env(b)}
	s.write("promote.yaml", "services:\n  core: {image: "+registry.Addr()+"/core}\nenvironments:\n  prod: {host: '"+relay.URL("deploy")+"', project: /srv/shop}\n")
	return &far{s, relay, registry}
}

// BenchmarkRemote is what promote adds to a bare `ssh host true` over such a line, for a service that is
// healthy 1.1 s after it starts.
func BenchmarkRemote(b *testing.B) { remote(b, "ssh") }

// BenchmarkRemoteShared is BenchmarkRemote where the user's ssh keeps its connections (ControlMaster).
func BenchmarkRemoteShared(b *testing.B) {
	remote(b, "ssh -o ControlMaster=auto -o ControlPersist=60 -o ControlPath="+b.TempDir()+"/%C")
}

func remote(b *testing.B, ssh string) {
	f := farHost(b)
	f.env = append(f.env, "PROMOTE_SSH="+ssh)
	release(b, f.registry, "v1.0.0", time.Second)
	f.do("promote deploy prod") // brings the program, too
	bare := *f.side
	ssh += " -o BatchMode=yes " + strings.Replace(strings.TrimPrefix(f.relay.URL("deploy"), "ssh://"), ":", " -p ", 1) + " true"
	i := 0
	for name, round := range map[string]func(ours *side){
		"status": func(ours *side) { ours.timed("promote status prod") },
		"deploy": func(ours *side) {
			i++
			release(b, f.registry, fmt.Sprintf("v1.%d.0", i), time.Second)
			ours.timed("promote deploy prod")
		},
		"rollback": func(ours *side) {
			i++
			release(b, f.registry, fmt.Sprintf("v1.%d.0", i), time.Second)
			ours.do("promote deploy prod")
			ours.timed("promote rollback prod")
			ours.do("promote unpin prod")
		},
	} {
		b.Run(name, func(b *testing.B) {
			ours, theirs := *f.side, bare
			ours.times, theirs.times = nil, nil
			compare(b, &ours, &theirs, func(int) {
				round(&ours)
				theirs.timed(ssh)
			})
			b.ReportMetric(float64(f.relay.Connections()), "connections")
		})
	}
}
