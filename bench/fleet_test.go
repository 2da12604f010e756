package bench

import (
	"fmt"
	"strings"
	"testing"

	"promote/internal/bed"
)

// BenchmarkFleet is what the status of ten hosts takes beside that of one, each behind a line of its own.
func BenchmarkFleet(b *testing.B) {
	bed.Need(b)
	var names, addresses []string
	for i := range 10 {
		names = append(names, fmt.Sprintf("h%d", i))
	}
	registry := bed.HostRegistry(b)
	for _, h := range bed.Hosts(b, names...) {
		text := strings.NewReplacer("REGISTRY", registry.Addr(), "SIDE", "shop").Replace(composeFile)
		h.Run(b, "install -d -o deploy /srv/shop; cat > /srv/shop/compose.yaml <<'EOF'\n"+text+"EOF\nchown deploy: /srv/shop/compose.yaml")
		addresses = append(addresses, h.Relay(b, delay).URL("deploy"))
	}
	ten := &side{b: b, dir: b.TempDir(), env: bed.Env(b)}
	ten.write("promote.yaml", fmt.Sprintf("services:\n  core: {image: %s/core}\nenvironments:\n  one: {host: %q, project: /srv/shop}\n  ten: {hosts: [%s], project: /srv/shop}\n",
		registry.Addr(), addresses[0], strings.Join(addresses, ", ")))
	one := *ten
	ten.do("promote status ten") // brings the program
	compare(b, ten, &one, func(int) {
		ten.timed("promote status ten")
		one.timed("promote status one")
	})
}
