package rollout

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"promote/internal/docker"
	"promote/internal/promotion"
)

// redirected fails the test when something reaches it.
func redirected(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a request for %s went redirected", r.URL)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestReachHTTP(t *testing.T) {
	other := redirected(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case r.URL.Path == "/query" && r.URL.RawQuery == "deep=1%2F2", r.URL.EscapedPath() == "/a%2Fb", r.Host == "core.example.org":
		case r.URL.Path == "/hangs":
			<-r.Context().Done()
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	t.Setenv("HTTP_PROXY", other.URL)
	target, _ := url.Parse(server.URL)
	port, _ := strconv.Atoi(target.Port())
	for _, test := range []struct {
		check promotion.HTTPCheck
		want  string
	}{
		{promotion.HTTPCheck{Path: "/"}, "GET :PORT/ answered 503"},
		{promotion.HTTPCheck{Path: "/", Status: 503}, ""},
		{promotion.HTTPCheck{Path: "/", Host: "core.example.org"}, ""},
		{promotion.HTTPCheck{Path: "/", Host: "core.example.org", Status: 204}, "GET :PORT/ answered 200"},
		{promotion.HTTPCheck{Path: "/", Host: "core.example.org\r\nX: y"}, "GET :PORT/ answered 503"},
		{promotion.HTTPCheck{Path: "/query?deep=1%2F2"}, ""},
		{promotion.HTTPCheck{Path: "/a%2Fb"}, ""},
		{promotion.HTTPCheck{Path: "/away"}, ""},
		{promotion.HTTPCheck{Path: "/away", Status: 200}, "GET :PORT/away answered 302"},
		{promotion.HTTPCheck{Path: "/hangs"}, "GET :PORT/hangs did not answer within 50ms"},
		{promotion.HTTPCheck{Path: other.URL + "/x"}, "/x answered 503"},
		{promotion.HTTPCheck{Path: "//" + strings.TrimPrefix(other.URL, "http://")}, "answered 503"},
		{promotion.HTTPCheck{Path: "@" + strings.TrimPrefix(other.URL, "http://")}, "invalid URI"},
	} {
		test.check.Port = port
		check := promotion.Check{HTTP: &test.check, Timeout: time.Second}
		if test.check.Path == "/hangs" {
			check.Timeout = 50 * time.Millisecond
		}
		err := ask(t, check, "127.0.0.1")
		want := strings.ReplaceAll(test.want, "PORT", target.Port())
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: got %v, want %s", test.check, err, want)
		}
	}
}

// ask puts one check to an address, as to a container's.
func ask(t *testing.T, check promotion.Check, address string) error {
	t.Helper()
	r := &run{Machine: &Machine{Engine: engine(t, map[string]string{
		"/containers/c/json": `{"Id": "c", "HostConfig": {"NetworkMode": "shop"}, "State": {"Status": "running"}, "NetworkSettings": {"Networks": {"a": {}, "shop": {"IPAddress": "` + address + `"}}}}`,
	})}}
	return r.askOne(t.Context(), docker.Container{ID: "c"}, check)
}

func TestReachTCP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	check := promotion.Check{TCP: port, Timeout: time.Second}
	if err := ask(t, check, "127.0.0.1"); err != nil {
		t.Error(err)
	}
	listener.Close()
	want := "tcp :" + strconv.Itoa(port) + ": connect: connection refused"
	if err := ask(t, check, "127.0.0.1"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	want = "tcp :" + strconv.Itoa(port) + `: it has no address: its network mode is "shop", and it is running`
	if err := ask(t, check, ""); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A container in the network of another one is reached where that one is.
func TestReachShared(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	e := engine(t, map[string]string{
		"/containers/c/json":   `{"HostConfig": {"NetworkMode": "container:web"}, "State": {}, "NetworkSettings": {}}`,
		"/containers/web/json": `{"HostConfig": {"NetworkMode": "shop"}, "State": {}, "NetworkSettings": {"Networks": {"shop": {"IPAddress": "127.0.0.1"}}}}`,
	})
	r := &run{Machine: &Machine{Engine: e}}
	check := promotion.Check{TCP: listener.Addr().(*net.TCPAddr).Port, Timeout: time.Second}
	if err := r.askOne(t.Context(), docker.Container{ID: "c"}, check); err != nil {
		t.Error(err)
	}
}

func TestChecksGoingBack(t *testing.T) {
	target := promotion.Target{
		Rollout: promotion.Rollout{Monitor: time.Second, HealthyDeadline: time.Minute},
		Services: []promotion.Service{
			{Name: "core", Runs: []string{"core"}, Checks: []promotion.Check{{Service: "core", TCP: 1}, {Service: "auth", TCP: 2}}},
			{Name: "auth", Runs: []string{"auth"}},
		},
	}
	probed := docker.Container{Probe: &docker.Probe{}}
	for _, test := range []struct {
		name, service string
		back          bool
		container     docker.Container
		checks        int
		patient       bool
	}{
		{"forward", "core", false, docker.Container{}, 1, false},
		{"forward, with a health check", "core", false, probed, 1, false},
		{"back", "core", true, docker.Container{}, 1, true},
		{"back, with a health check", "core", true, probed, 0, false},
		{"another's check", "auth", false, docker.Container{}, 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &run{Machine: &Machine{Target: target, Engine: engine(t, nil)}, back: test.back}
			roll := promotion.Roll{Service: test.service}
			checks := r.checksOf(roll, test.container)
			trial := r.trial(t.Context(), roll, test.container, checks)
			trial.deadline.Stop()
			if len(checks) != test.checks || trial.patient != test.patient || trial.passed() {
				t.Errorf("%d checks, %+v", len(checks), trial)
			}
			if late := trial.late(roll, test.container); (late == "") != test.patient {
				t.Errorf("late: %q", late)
			}
		})
	}
}
