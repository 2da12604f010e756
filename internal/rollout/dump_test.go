package rollout

import (
	"os"
	"strings"
	"testing"

	"promote/internal/promotion"
)

// TestDumpStderr: what a dump says on stderr is shown only where there is nothing to hide. No filter sees that.
func TestDumpStderr(t *testing.T) {
	m := &Machine{Target: promotion.Target{Project: t.TempDir()}, Environ: os.Environ()}
	for name, test := range map[string]struct {
		filter []string
		said   string
		failed string
	}{
		"anonymise: none": {nil, "secret 1\nsecret 2", "main: dump: exited with status 3: secret 2"},
		"a filter":        {[]string{"cat"}, unfiltered, "main: dump: exited with status 3"},
	} {
		t.Run(name, func(t *testing.T) {
			d := promotion.Data{Name: "main", In: promotion.InHost, Dump: promotion.ShellLine("echo data; echo secret 1 >&2; echo secret 2 >&2; exit 3")}
			var said []string
			var out strings.Builder
			_, err := m.dump(t.Context(), d, "", test.filter, &out, func(line string) { said = append(said, line) })
			if err == nil || err.Error() != test.failed || strings.Join(said, "\n") != test.said || out.String() != "data\n" {
				t.Errorf("said %q, %q, %v", said, out.String(), err)
			}
		})
	}
}
