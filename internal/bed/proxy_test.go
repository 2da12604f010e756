package bed_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"

	"promote/internal/bed"
)

func TestProxiesServe(t *testing.T) {
	files, config := bed.Service(t, "v1.0.0", nil)
	bed.Image(t, "proxied", "v1.0.0", files, config)
	for i, name := range bed.Fronts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := fmt.Sprintf("127.0.0.1:%d", 8200+i)
			dir, env := startFront(t, bed.Front{Name: name, Web: "proxied:v1.0.0", Port: 8200 + i})
			if got := send(t, "GET", "http://"+host+"/", ""); got != "v1.0.0\n" {
				t.Errorf("GET answers %q", got)
			}
			if got := send(t, "POST", "http://"+host+"/", "some text"); got != "v1.0.0\nsome text" {
				t.Errorf("POST answers %q", got)
			}
			if got := send(t, "GET", "http://"+host+"/slow?for=300ms", ""); got != "v1.0.0\n" {
				t.Errorf("slow GET answers %q", got)
			}
			if got := say(t, host, "hello"); got != "hello" {
				t.Errorf("websocket answers %q", got)
			}
			loadUntilRemoved(t, "http://"+host+"/", dir, env)
		})
	}
}

// startFront brings the project up, with its proxy's image in the engine, and waits for an answer
// through the proxy.
func startFront(t *testing.T, front bed.Front) (dir string, env []string) {
	t.Helper()
	program, _, _ := strings.Cut(front.Name, "-")
	files, config := bed.Proxy(t, program)
	bed.Image(t, program, "v1.0.0", files, config)
	front.Proxy = program + ":v1.0.0"
	dir, env = t.TempDir(), bed.Env(t)
	for name, content := range front.Files(t) {
		write(t, filepath.Join(dir, name), content)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(run(t, dir, env, "docker", "compose", "-p", front.Name, "logs"))
		}
		run(t, dir, env, "docker", "compose", "-p", front.Name, "down", "-t", "0")
	})
	run(t, dir, env, "docker", "compose", "-p", front.Name, "up", "-d", "--wait")
	eventually(t, "an answer through the proxy", func() bool {
		response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", front.Port))
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return dir, env
}

// loadUntilRemoved wants a load to count no failure while the service is there, and some when it
// is not.
func loadUntilRemoved(t *testing.T, url, dir string, env []string) {
	t.Helper()
	load := bed.Load(t, bed.Traffic{URL: url, Rate: 50, Method: "POST", Body: "some text"})
	load.Wait(50)
	if report := load.Stop(); report.Failed > 0 || report.Versions["v1.0.0"].Answers != report.Requests {
		t.Errorf("while the service is there: %v", report)
	}
	load = bed.Load(t, bed.Traffic{URL: url, Rate: 50, Fresh: true, Timeout: time.Second})
	run(t, dir, env, "docker", "compose", "-p", filepath.Base(t.Name()), "rm", "--stop", "--force", "web")
	load.Wait(25)
	report := load.Stop()
	if report.Failed == 0 || len(report.Failures) == 0 || report.Gap == 0 {
		t.Errorf("without the service: %v", report)
	}
	t.Log(report)
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
