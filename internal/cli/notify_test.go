package cli

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"promote/internal/deploy"
	"promote/internal/host"
	"promote/internal/notify"
	"promote/internal/rollout"
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
			_, _ = told.WriteString("/stall\n")
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

// TestEvents: what a deployment that ended with an error is told as.
func TestEvents(t *testing.T) {
	outcome := func(o rollout.Outcome) error { return &deploy.OutcomeError{Result: rollout.Result{Outcome: o}} }
	for _, test := range []struct {
		err  error
		held bool
		want []notify.Event
	}{
		{nil, false, []notify.Event{notify.Succeeded}},
		{nil, true, []notify.Event{notify.Held, notify.Succeeded}},
		{outcome(rollout.OutcomeRestored), true, []notify.Event{notify.PutBack}},
		{errors.Join(outcome(rollout.OutcomeRestored), nil), false, []notify.Event{notify.PutBack}},
		{errors.Join(outcome(rollout.OutcomeRestored), errors.New("b could not be put back")), false, []notify.Event{notify.Failed}},
		{&deploy.OutcomeError{Result: rollout.Result{Outcome: rollout.OutcomeRestored}, Host: "b", Before: []string{"a"}}, false, []notify.Event{notify.Failed}},
		{outcome(rollout.OutcomeFailed), false, []notify.Event{notify.Failed}},
		{outcome(rollout.OutcomeStuck), false, []notify.Event{notify.Failed}},
		{&host.DiedError{}, false, []notify.Event{notify.Failed}},
		{&deploy.DetachedError{}, false, nil},
	} {
		if got := (&notices{held: test.held}).events(test.err); !slices.Equal(got, test.want) {
			t.Errorf("%v: %v, want %v", test.err, got, test.want)
		}
	}
}

func TestJob(t *testing.T) {
	for want, environ := range map[string][]string{
		"":                                      {"GITHUB_SERVER_URL=https://github.com"},
		"https://github.com/a/b/actions/runs/1": {"GITHUB_SERVER_URL=https://github.com", "GITHUB_REPOSITORY=a/b", "GITHUB_RUN_ID=1"},
		"https://gitlab.com/a/b/-/jobs/1":       {"CI_JOB_URL=https://gitlab.com/a/b/-/jobs/1"},
	} {
		if got := (&program{environ: environ}).job(); got != want {
			t.Errorf("%v: %s", environ, got)
		}
	}
}
