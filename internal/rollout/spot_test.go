package rollout

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"promote/internal/promotion"
)

// guarded starts a load under its guard.
func guarded(t *testing.T, line string) (s *spot, got func() string) {
	t.Helper()
	dir := t.TempDir()
	m := &Machine{Target: promotion.Target{Project: dir}, Environ: os.Environ()}
	d := promotion.Data{Name: "x", In: promotion.InHost}
	s, err := m.spotAt(t.Context(), d, "", guardLoad, promotion.ShellLine(line), func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	return s, func() string {
		data, _ := os.ReadFile(filepath.Join(dir, "got")) // there is none where nothing was loaded
		return string(data)
	}
}

// commit takes all of its input, and only then it counts.
const commit = "cat >half && mv half got"

// TestGuardedLoad: a load sees the end of its input only if that is one. Whatever ends otherwise kills it first,
// however many processes it is.
func TestGuardedLoad(t *testing.T) {
	for name, test := range map[string]struct {
		line, input string
		want        string // what was loaded
		code        int    // 137 is that of a shell whose child was killed
	}{
		"whole":               {"exec cat >got", "1\na2\nbcend\n", "abc", 0},
		"several at work":     {"cat | tr a-z A-Z >got", "1\na2\nbcend\n", "ABC", 0},
		"its own end":         {"exec cat >got", "4\nend\nend\n", "end\n", 0},
		"nothing":             {"exec cat >got", "end\n", "", 0},
		"a load that fails":   {"cat >/dev/null; exit 3", "1\naend\n", "", 3},
		"one that reads none": {"echo done >got", "1\na2\nbcend\n", "done\n", 0},
		"no end":              {commit, "1\na2\nbc", "", 137},
		"half an end":         {commit, "1\na2\nbcend", "", 137},
		"half a length":       {commit, "1\na2", "", 137},
		"half a block":        {commit, "1\na9\nbc", "", 137},
		"no input":            {commit, "", "", 137},
		"killed in a pipe":    {"set -e; cat | { cat >half; mv half got; }", "1\na", "", 137},
		"killed in a group":   {"( { cat >half && mv half got; } )", "1\na", "", 137},
	} {
		t.Run(name, func(t *testing.T) {
			s, got := guarded(t, test.line)
			if _, err := io.WriteString(s.in, test.input); err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(test.input, "end\n") {
				<-s.exited
			}
			s.end()
			if s.code != test.code || got() != test.want {
				t.Errorf("exit code %d, %q", s.code, got())
			}
		})
	}
}

// TestGuardedLate: a load that is still at work at the end of its input is killed when nobody waits for it any more.
func TestGuardedLate(t *testing.T) {
	s, _ := guarded(t, "cat >/dev/null; exec tail -f /dev/null")
	if _, err := io.WriteString(s.in, "1\naend\n"); err != nil {
		t.Fatal(err)
	}
	s.end()
	if s.code != 137 {
		t.Errorf("exit code %d", s.code)
	}
}

// TestStop: what does not look at its input, and so can't see it end, is killed.
func TestStop(t *testing.T) {
	s, got := guarded(t, "tail -f /dev/null && touch got")
	if _, err := io.WriteString(s.in, "1\na"); err != nil {
		t.Fatal(err)
	}
	s.stop()
	s.end()
	if s.code == 0 || got() != "" {
		t.Errorf("exit code %d, %q", s.code, got())
	}
}
