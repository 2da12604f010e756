package compose_test

import (
	"fmt"
	"strings"
	"testing"

	"promote/compose"
)

// BenchmarkEdit loads a project, edits one version and verifies the edit: a small file, 5,000 services
// (1 MB), and 1,000 services as JSON on one line.
func BenchmarkEdit(b *testing.B) {
	for _, size := range []struct {
		name string
		text string
	}{
		{"small", services(5)},
		{"large", services(5000)},
		{"line", servicesOnALine(1000)},
	} {
		b.Run(size.name, func(b *testing.B) {
			dir := folder(b, map[string]string{"compose.yaml": size.text})
			b.SetBytes(int64(len(size.text)))
			for b.Loop() {
				o := compose.Options{Dir: dir, Services: []string{"service3"}}
				change := compose.Change{Service: "service3", From: compose.Pin{Tag: "v1.0.0"}, To: compose.Pin{Tag: "v1.1.0"}}
				if _, err := load(b, o).Edit(change); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func services(n int) string {
	var text strings.Builder
	text.WriteString("services:\n")
	for i := range n {
		fmt.Fprintf(&text, "  service%d:\n    image: registry.example.org/team/service%d:v1.0.0\n    restart: unless-stopped\n    environment:\n      - LOG_LEVEL=info\n      - WORKERS=4\n    labels:\n      traefik.enable: \"true\"\n", i, i)
	}
	return text.String()
}

func servicesOnALine(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"service%d":{"image":"registry.example.org/team/service%d:v1.0.0","restart":"unless-stopped"}`, i, i))
	}
	return `{"services":{` + strings.Join(list, ",") + "}}"
}

// BenchmarkServices lists the services of a loaded project with the places of their versions.
func BenchmarkServices(b *testing.B) {
	p := load(b, compose.Options{Dir: folder(b, map[string]string{"compose.yaml": servicesOnALine(1000)})})
	for b.Loop() {
		if got := len(p.Services()); got != 1000 {
			b.Fatal(got)
		}
	}
}
