package bed_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"promote/internal/bed"
)

func TestLoadTellsHandoverAndFailures(t *testing.T) {
	var answer atomic.Value // a version, or "" to fail
	answer.Store("v1.0.0")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer.Load() == "" {
			http.Error(w, "broken", http.StatusBadGateway)
			return
		}
		fmt.Fprintln(w, answer.Load())
	}))
	defer server.Close()
	load := bed.Load(t, bed.Traffic{URL: server.URL, Rate: 200})
	load.Wait(20)
	answer.Store("")
	broken := time.Now()
	load.Wait(20)
	outage := time.Since(broken)
	answer.Store("v2.0.0")
	load.Wait(20)

	report := load.Stop()
	if last, first := report.Versions["v1.0.0"].Last, report.Versions["v2.0.0"].First; last.IsZero() || !last.Before(first) {
		t.Errorf("old version until %v, new one from %v", last, first)
	}
	if report.Failed < 18 || report.Failed > 22 { // one or two may be under way when the answer changes
		t.Errorf("%d failures, want 20", report.Failed)
	}
	if len(report.Failures) != 5 || report.Failures[0].Error != "502 Bad Gateway" {
		t.Errorf("failures %v", report.Failures)
	}
	if report.Gap < outage/2 {
		t.Errorf("gap %v in an outage of %v", report.Gap, outage)
	}
	if report.Requests < 60 {
		t.Errorf("%d requests", report.Requests)
	}
	if text := report.String(); !strings.Contains(text, "v2.0.0: ") || !strings.Contains(text, "502 Bad Gateway") {
		t.Errorf("report says %q", text)
	}
}

func TestLoadSendsAsTold(t *testing.T) {
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != "POST" || string(body) != "some text" {
			http.Error(w, "not what was told", http.StatusBadRequest)
		}
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	for _, fresh := range []bool{false, true} {
		connections.Store(0)
		load := bed.Load(t, bed.Traffic{URL: server.URL, Rate: 200, Method: "POST", Body: "some text", Fresh: fresh})
		load.Wait(20)
		report := load.Stop()
		if report.Failed > 0 {
			t.Error(report)
		}
		if each := int(connections.Load()) == report.Requests; each != fresh {
			t.Errorf("fresh %v: %d connections for %d requests", fresh, connections.Load(), report.Requests)
		}
	}
}
