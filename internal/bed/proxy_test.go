package bed_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"promote/internal/bed"
)

func TestProxiesServe(t *testing.T) {
	bed.Thorough(t)
	files, config := bed.Service(t, "v1.0.0", nil)
	bed.Image(t, "proxied", "v1.0.0", files, config)
	for program, names := range frontsByProgram() {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			files, config := bed.Proxy(t, program)
			bed.Image(t, program, "v1.0.0", files, config)
			for _, name := range names {
				t.Run(name, func(t *testing.T) { testFront(t, name, program+":v1.0.0") })
			}
		})
	}
}

// frontsByProgram groups them as they can run at a time: a Traefik sees all projects of its engine.
func frontsByProgram() map[string][]string {
	groups := map[string][]string{}
	for _, name := range bed.Fronts {
		program, _, _ := strings.Cut(name, "-")
		groups[program] = append(groups[program], name)
	}
	return groups
}

func testFront(t *testing.T, name, proxy string) {
	port := 8200 + slices.Index(bed.Fronts, name)
	front := startFront(t, bed.Front{Name: name, Proxy: proxy, Web: "proxied:v1.0.0", Port: port})
	if got := send(t, "GET", front.url("/"), ""); got != "v1.0.0\n" {
		t.Errorf("GET answers %q", got)
	}
	if got := send(t, "POST", front.url("/"), "some text"); got != "v1.0.0\nsome text" {
		t.Errorf("POST answers %q", got)
	}
	if got := send(t, "GET", front.url("/slow?for=300ms"), ""); got != "v1.0.0\n" {
		t.Errorf("slow GET answers %q", got)
	}
	if got := say(t, front.host, "hello"); got != "hello" {
		t.Errorf("websocket answers %q", got)
	}
	loadWithService(t, front.url("/"))
	loadWithoutService(t, front)
}

// runningFront is a project that is up.
type runningFront struct {
	host    string
	compose func(args ...string) string
}

func (f runningFront) url(path string) string { return "http://" + f.host + path }

// startFront brings the project up and waits for an answer through the proxy.
func startFront(t *testing.T, front bed.Front) runningFront {
	t.Helper()
	dir, env := t.TempDir(), bed.Env(t)
	for name, content := range front.Files(t) {
		write(t, filepath.Join(dir, name), content)
	}
	running := runningFront{
		host: fmt.Sprintf("127.0.0.1:%d", front.Port),
		compose: func(args ...string) string {
			return run(t, dir, env, append([]string{"docker", "compose", "-p", front.Name}, args...)...)
		},
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(running.compose("logs", "proxy"))
		}
		running.compose("down", "-t", "0")
	})
	running.compose("up", "-d", "--wait")
	eventually(t, "an answer through the proxy", func() bool {
		response, err := http.Get(running.url("/"))
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return running
}

func loadWithService(t *testing.T, url string) {
	t.Helper()
	load := bed.Load(t, bed.Traffic{URL: url, Rate: 100, Method: "POST", Body: "some text"})
	load.Wait(50)
	report := load.Stop()
	if report.Failed > 0 || report.Versions["v1.0.0"].Answers != report.Requests {
		t.Error(report)
	}
}

func loadWithoutService(t *testing.T, front runningFront) {
	t.Helper()
	load := bed.Load(t, bed.Traffic{URL: front.url("/"), Rate: 50, Fresh: true, Timeout: 300 * time.Millisecond})
	front.compose("rm", "--stop", "--force", "web")
	load.Wait(25)
	report := load.Stop()
	good := report.Versions["v1.0.0"]
	if good.Answers == 0 || good.Answers+report.Failed != report.Requests {
		t.Errorf("answers and failures do not add up: %v", report)
	}
	if len(report.Failures) == 0 || report.Failures[len(report.Failures)-1].At.Before(good.First) || report.Gap < 100*time.Millisecond {
		t.Errorf("does not tell of the failures: %v", report)
	}
}

func send(t *testing.T, method, url, body string) string {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %s %v", method, url, response.Status, answer, err)
	}
	return string(answer)
}

// say returns what the websocket at host sends back.
func say(t *testing.T, host, message string) string {
	t.Helper()
	socket, err := websocket.Dial("ws://"+host+"/socket", "", "http://"+host)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := websocket.Message.Send(socket, message); err != nil {
		t.Fatal(err)
	}
	var answer string
	if err := websocket.Message.Receive(socket, &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}
