package rollout

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"promote/internal/promotion"
)

// guarded starts a load under a guard, and waits until it says that it is up, if it does.
func guarded(t *testing.T, guard, line string) (s *guardedCommand, got func() string) {
	t.Helper()
	dir, up := t.TempDir(), make(chan struct{})
	s = &guardedCommand{exited: make(chan struct{}), gone: make(chan struct{}), ready: make(chan struct{}), code: -1}
	m := &Machine{Target: promotion.Target{Project: dir}, Environ: os.Environ()}
	errs, err := s.startHere(m, commandPlace{}, append([]string{"/bin/sh", "-c", guard, "promote"}, promotion.ShellLine(line)...))
	if err != nil {
		t.Fatal(err)
	}
	go s.listen(errs, func(line string) {
		if t.Log(line); line == "up" {
			close(up)
		}
	})
	if strings.Contains(line, "echo up >&2") {
		<-up
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
		code        int    // killed stands for it
	}{
		"whole":               {"exec cat >got", "1\na2\nbcend\n", "abc", 0},
		"several at work":     {"cat | tr a-z A-Z >got", "1\na2\nbcend\n", "ABC", 0},
		"its own end":         {"exec cat >got", "4\nend\nend\n", "end\n", 0},
		"nothing":             {"exec cat >got", "end\n", "", 0},
		"a load that fails":   {"cat >/dev/null; exit 3", "1\naend\n", "", 3},
		"one that reads none": {"echo done >got", "1\na2\nbcend\n", "done\n", 0},
		"no end":              {commit, "1\na2\nbc", "", killed},
		"half an end":         {commit, "1\na2\nbcend", "", killed},
		"half a length":       {commit, "1\na2", "", killed},
		"half a block":        {commit, "1\na9\nbc", "", killed},
		"no input":            {commit, "", "", killed},
		"killed in a pipe":    {"cat | { echo up >&2; " + commit + "; }", "1\na", "", killed},
		"killed in a group":   {"( { " + commit + "; } )", "1\na", "", killed},
	} {
		for place, guard := range map[string]string{"here": guardHere, "in a container": guardLoad} {
			t.Run(name+" "+place, func(t *testing.T) {
				s, got := guarded(t, guard, test.line)
				if _, err := io.WriteString(s.in, test.input); err != nil {
					t.Fatal(err)
				}
				if strings.HasSuffix(test.input, "end\n") {
					<-s.exited
				}
				s.end()
				if got() != test.want || s.code != test.code && (test.code != killed || s.code == 0) {
					t.Errorf("exit code %d, %q", s.code, got())
				}
			})
		}
	}
}

// killed is any status but that of success.
const killed = 137

// TestGuardedLate: a load that is still at work at the end of its input is killed when nobody waits for it any more.
func TestGuardedLate(t *testing.T) {
	for _, guard := range []string{guardHere, guardLoad} {
		s, got := guarded(t, guard, "cat >/dev/null; tail -f /dev/null && touch got")
		if _, err := io.WriteString(s.in, "1\naend\n"); err != nil {
			t.Fatal(err)
		}
		s.end()
		if s.code == 0 || got() != "" {
			t.Errorf("exit code %d, %q", s.code, got())
		}
	}
}

// TestStop: what does not look at its input, and so can't see it end, is killed.
func TestStop(t *testing.T) {
	s, got := guarded(t, guardLoad, "tail -f /dev/null && touch got")
	if _, err := io.WriteString(s.in, "1\na"); err != nil {
		t.Fatal(err)
	}
	s.stop()
	s.end()
	if s.code == 0 || got() != "" {
		t.Errorf("exit code %d, %q", s.code, got())
	}
}
