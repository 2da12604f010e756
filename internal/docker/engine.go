// Package docker talks to a Docker engine and to docker compose on this machine: images are built,
// pushed and pulled, containers looked at and stopped.
//
// It works with every engine from 20.10 on and needs no docker command except compose's own. It
// decides nothing and prints nothing: progress goes to functions that the caller gives, errors that a
// person can mend carry a Hint.
package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/docker/docker/client"
)

// Engine is a connection to a Docker engine. It may be used by several goroutines at once.
type Engine struct {
	API *client.Client // the Engine API, its version already negotiated
}

// Connect opens the engine at an address in the form of DOCKER_HOST: unix:///run/docker.sock,
// tcp://10.0.0.5:2376, npipe://. An empty one is docker's default for the system. It makes one call,
// which both proves that an engine answers and negotiates the API version. When none answers the
// error is an *UnreachableError.
func Connect(ctx context.Context, host string, options ...client.Opt) (*Engine, error) {
	if strings.HasPrefix(host, "ssh://") {
		return nil, &UnreachableError{Host: host, Err: errors.New("an engine behind ssh can't be used from here")}
	}
	if host != "" {
		options = append([]client.Opt{client.WithHost(host)}, options...)
	}
	options = append([]client.Opt{client.WithAPIVersionNegotiation(), AnswerWithin(answerLimit)}, options...)
	api, err := client.NewClientWithOpts(options...)
	if err != nil {
		return nil, fmt.Errorf("docker engine %s: %w", host, err)
	}
	e := &Engine{API: api}
	ping, err := api.Ping(ctx)
	if err != nil {
		api.Close()
		return nil, fmt.Errorf("connect: %w", e.explain(err))
	}
	api.NegotiateAPIVersionPing(ping)
	return e, nil
}

// Certificates has Connect use TLS with the ca.pem, cert.pem and key.pem of a folder, which is what
// DOCKER_TLS_VERIFY and DOCKER_CERT_PATH ask for.
func Certificates(dir string) client.Opt {
	return client.WithTLSClientConfig(
		filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
}

// Close gives the connections back. Calls under way fail.
func (e *Engine) Close() error { return e.API.Close() }

// explain turns the client's way of saying that no engine answered into an *UnreachableError and
// leaves every other error alone.
func (e *Engine) explain(err error) error {
	if client.IsErrConnectionFailed(err) {
		return &UnreachableError{Host: e.API.DaemonHost(), Err: err}
	}
	return err
}

// UnreachableError says that no Docker engine answered.
type UnreachableError struct {
	Host string // address that was tried
	Err  error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no docker engine at %s: %s", e.Host, e.reason())
}

// Unwrap gives what the client said.
func (e *UnreachableError) Unwrap() error { return e.Err }

// Hint tells what to look at.
func (e *UnreachableError) Hint() string {
	switch {
	case errors.Is(e.Err, fs.ErrPermission):
		return "add yourself to the group docker: sudo usermod -aG docker $USER, and log in again"
	case strings.HasPrefix(e.Host, "ssh://"):
		return "unset DOCKER_HOST, or give the environment `host: " + e.Host + "`"
	case strings.HasPrefix(e.Host, "unix://"), strings.HasPrefix(e.Host, "npipe://"):
		return "is docker running? docker info"
	}
	return "is docker running there, and DOCKER_HOST right? docker info"
}

// reason is short where the client's words only repeat the address.
func (e *UnreachableError) reason() string {
	text := e.Err.Error()
	switch {
	case errors.Is(e.Err, fs.ErrPermission):
		return "permission denied on the socket"
	case strings.HasPrefix(text, "Cannot connect to the Docker daemon"):
		return "nothing listens there"
	}
	return text
}
