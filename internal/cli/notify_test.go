package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
)

// receiver is somebody who is told, and writes it down in $WORK/told, one line a message. What is sent to
// /500 and the like is answered so; /close hangs up, and /stall never answers.
func receiver(e *testscript.Env) string {
	told, err := os.OpenFile(filepath.Join(e.WorkDir, "told"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		e.T().Fatal(err)
	}
	codes := map[string]int{"/500": 500, "/429": 429, "/403": 403}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch code := codes[r.URL.Path]; {
		case r.URL.Path == "/close":
			panic(http.ErrAbortHandler)
		case r.URL.Path == "/stall":
			<-r.Context().Done()
		case code != 0:
			w.WriteHeader(code)
		default:
			_, _ = told.WriteString(r.URL.Path + " " + string(body))
		}
	}))
	e.Defer(func() {
		server.Close()
		told.Close()
	})
	return server.URL
}
