package docker

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fakeExec is an engine that runs one command, which says something and ends in its own way.
type fakeExec struct {
	says    string
	end     string       // what an inspection gives once it has ended
	running atomic.Int32 // how many inspections still find it running
	endless bool         // all do
}

func (f *fakeExec) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Api-Version", "1.51")
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/exec/e/start"):
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
		for rest := f.says; rest != ""; {
			frame := rest[:min(len(rest), 4096)]
			rest = rest[len(frame):]
			head := binary.BigEndian.AppendUint32([]byte{1, 0, 0, 0}, uint32(len(frame)))
			_, _ = conn.Write(append(head, frame...))
		}
	case strings.HasSuffix(path, "/exec/e/json") && (f.endless || f.running.Add(-1) >= 0):
		fmt.Fprint(w, `{"ID":"e","Running":true,"ExitCode":null}`)
	case strings.HasSuffix(path, "/exec/e/json"):
		fmt.Fprint(w, f.end)
	case strings.HasSuffix(path, "/exec"):
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"Id":"e"}`)
	case strings.HasSuffix(path, "/events"):
		for left := f.running.Load(); left >= 0 && !f.endless; left-- { // the last one is its own
			fmt.Fprint(w, `{"Type":"container","Action":"exec_die"}`)
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

func (f *fakeExec) connect(t *testing.T) *Engine {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	engine, err := Connect(t.Context(), "tcp://"+server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return engine
}

// TestExecute: a command in a container is known by its own end, whatever it said until then, and when its streams
// ended. Nobody takes one that goes on for one that ended well.
func TestExecute(t *testing.T) {
	defer func(long time.Duration) { endLimit = long }(endLimit)
	endLimit = 300 * time.Millisecond
	const failed = `{"ID":"e","Running":false,"ExitCode":7}`
	for name, test := range map[string]struct {
		says    string
		running int32
		said    int
		code    int
		err     string
	}{
		"says nothing":            {"", 0, 0, 7, ""},
		"says a lot":              {strings.Repeat("x", 200_000) + "!", 0, keptOutput, 7, ""},
		"is not reaped yet":       {"x!", 1, 2, 7, ""},
		"others end before it":    {"x!", 4, 2, 7, ""},
		"goes on without streams": {"x!", 0, 2, 0, errGoesOn.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			fake := &fakeExec{says: test.says, end: failed, endless: test.err != ""}
			fake.running.Store(test.running)
			code, said, err := fake.connect(t).Execute(t.Context(), "c", ExecOptions{Cmd: []string{"migrate"}})
			if code != test.code || len(said) != test.said || test.said > 0 && !strings.HasSuffix(said, "!") {
				t.Errorf("exit code %d, it said %d bytes", code, len(said))
			}
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestPipeNotFound: what the engine could not start is told from what it lost.
func TestPipeNotFound(t *testing.T) {
	for end, want := range map[string]bool{
		`{"ID":"e","Running":false,"ExitCode":127}`: true,
		`{"ID":"e","Running":false,"ExitCode":126}`: true,
		`{"ID":"e","Running":false,"ExitCode":0}`:   false,
		`{"ID":"e","Running":true,"ExitCode":null}`: false,
	} {
		fake := &fakeExec{end: end}
		piped, err := fake.connect(t).Pipe(t.Context(), "c", ExecOptions{Cmd: []string{"/bin/sh"}})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := piped.NotFound(t.Context()); err != nil || got != want {
			t.Errorf("%s: got %v, %v", end, got, err)
		}
		piped.Close()
	}
}
