// Server is the service that tests deploy: an HTTP server that answers its version and misbehaves as
// told by its environment.
//
//	VERSION      what GET / answers
//	PORT         where it listens; 8080 if not given
//	START_DELAY  time it takes to become ready, as in 300ms
//	LISTEN       "early": listens at once and answers 503 until it is ready; otherwise it refuses
//	             connections until then
//	CRASH        "start": exits 1 instead of becoming ready; "done": exits 0, as a job that has finished
//	MIGRATE      a path: writes VERSION behind what is in the file, and exits 0, as a migration does
//	CRASH_AFTER  exits 1 this long after it first said that it is healthy
//	HEALTH       "never": GET /health answers 503 for ever
//	STOP_DELAY   goes on serving this long after SIGTERM
//	STOP         "never": ignores SIGTERM
//	DRAIN        a path: while a file is there, GET /health answers 503 and all else goes on
//
// What is posted comes back below the version. GET /slow?for=3s answers after that time, also if the
// server is told to stop meanwhile. The websocket /socket sends back what it is sent.
//
// `server health` asks the running server's /health and exits 0 or 1: the image's health check.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/websocket"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "health" {
		os.Exit(health())
	}
	if path := os.Getenv("MIGRATE"); path != "" {
		os.Exit(migrate(path))
	}
	os.Exit(serve())
}

func migrate(path string) int {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err == nil {
		_, err = fmt.Fprintln(file, os.Getenv("VERSION"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "fatal:", err)
		return 1
	}
	return 0
}

func address() string {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	return ":" + port
}

func health() int {
	client := http.Client{Timeout: 8 * time.Second}
	response, err := client.Get("http://127.0.0.1" + address() + "/health")
	if err != nil || response.StatusCode != http.StatusOK {
		fmt.Println("not healthy")
		return 1
	}
	return 0
}

func serve() int {
	fmt.Println("starting", os.Getenv("VERSION"))
	server := &http.Server{Handler: http.HandlerFunc(answer)}
	if os.Getenv("LISTEN") == "early" && !listen(server) {
		return 1
	}
	<-after("START_DELAY")
	switch os.Getenv("CRASH") {
	case "start":
		fmt.Fprintln(os.Stderr, "fatal: told to crash at start")
		return 1
	case "done":
		return 0
	}
	ready.Store(true) // before it listens: a busy machine would have it answer 503 in between
	if os.Getenv("LISTEN") != "early" && !listen(server) {
		return 1
	}
	return wait(server)
}

func listen(server *http.Server) bool {
	listener, err := net.Listen("tcp", address())
	if err != nil {
		fmt.Fprintln(os.Stderr, "fatal:", err)
		return false
	}
	go server.Serve(listener)
	return true
}

// wait serves until the server is told to stop, or to crash, and returns the exit code.
func wait(server *http.Server) int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	if os.Getenv("STOP") == "never" {
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
	}
	fmt.Println("ready", os.Getenv("VERSION"))
	var crash <-chan time.Time
	if os.Getenv("CRASH_AFTER") != "" {
		crash = crashOnceAsked()
	}
	select {
	case <-crash:
		fmt.Fprintln(os.Stderr, "fatal: told to crash")
		return 1
	case <-stop:
	}
	<-after("STOP_DELAY")
	server.Shutdown(context.Background())
	return 0
}

// after fires when the time that the variable gives has passed: at once if it gives none.
func after(variable string) <-chan time.Time {
	delay, err := time.ParseDuration(os.Getenv(variable))
	if err != nil && os.Getenv(variable) != "" {
		fmt.Fprintln(os.Stderr, "fatal:", variable, err)
		os.Exit(2)
	}
	return time.After(delay)
}

// crashOnceAsked fires CRASH_AFTER after the first answer that it is healthy: a busy machine asks late.
func crashOnceAsked() <-chan time.Time {
	crash := make(chan time.Time)
	go func() {
		<-asked
		<-after("CRASH_AFTER")
		close(crash)
	}()
	return crash
}

var (
	ready atomic.Bool
	asked = make(chan struct{}) // closed: somebody was told that it is healthy
	first sync.Once
)

func healthy() bool {
	if drain := os.Getenv("DRAIN"); drain != "" {
		if _, err := os.Stat(drain); err == nil {
			return false
		}
	}
	return os.Getenv("HEALTH") != "never"
}

func answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case !ready.Load(), r.URL.Path == "/health" && !healthy():
		http.Error(w, "not ready", http.StatusServiceUnavailable)
	case r.URL.Path == "/health":
		greet(w, r)
		first.Do(func() { close(asked) })
	case r.URL.Path == "/socket":
		websocket.Server{Handler: echo}.ServeHTTP(w, r)
	case r.URL.Path == "/slow":
		slow(w, r)
	default:
		greet(w, r)
	}
}

// greet answers the version, and after it what was posted.
func greet(w http.ResponseWriter, r *http.Request) {
	posted, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%s\n%s", os.Getenv("VERSION"), posted)
}

func slow(w http.ResponseWriter, r *http.Request) {
	delay, err := time.ParseDuration(r.URL.Query().Get("for"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	select {
	case <-time.After(delay):
		greet(w, r)
	case <-r.Context().Done(): // nobody waits for it any more
	}
}

func echo(socket *websocket.Conn) {
	_, _ = io.Copy(socket, socket) // it ends with the connection, whatever ends that
}
