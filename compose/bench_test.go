package compose_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"promote/compose"
)

// BenchmarkEdit loads a project, edits one version and verifies the edit: a small file, and 5,000
// services (1 MB).
func BenchmarkEdit(b *testing.B) {
	for name, services := range map[string]int{"small": 5, "large": 5000} {
		var text strings.Builder
		text.WriteString("services:\n")
		for i := range services {
			fmt.Fprintf(&text, "  service%d:\n    image: registry.example.org/team/service%d:v1.0.0\n    restart: unless-stopped\n    environment:\n      - LOG_LEVEL=info\n      - WORKERS=4\n    labels:\n      traefik.enable: \"true\"\n", i, i)
		}
		b.Run(name, func(b *testing.B) {
			first, err := project(b, map[string]string{"compose.yaml": text.String()}, compose.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				p, err := compose.Load(context.Background(), compose.Options{Dir: first.Dir()})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := p.Edit(compose.Change{Service: "service3", From: compose.Pin{Tag: "v1.0.0"}, To: compose.Pin{Tag: "v1.1.0"}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
