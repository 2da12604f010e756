package docker

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/docker/client"
)

// Endpoint is the engine that docker's own command would use: what is done through the Engine API and by docker
// compose has to be done to one.
type Endpoint struct {
	Context      string // of docker's that says so; empty: the environment does, or nothing
	Host         string // as DOCKER_HOST has it; empty: docker's default
	Certificates string // folder of ca.pem, cert.pem and key.pem; empty: no TLS
}

// defaultContext is docker's name for having none.
const defaultContext = "default"

// FindEndpoint goes by what docker goes by: DOCKER_HOST, then DOCKER_CONTEXT, then the context that `docker context
// use` chose. lookup reads the environment. A context that is not there is an error, as it is with docker.
func FindEndpoint(lookup func(name string) string) (Endpoint, error) {
	if host := lookup(client.EnvOverrideHost); host != "" {
		e := Endpoint{Host: host}
		if lookup(client.EnvTLSVerify) != "" {
			e.Certificates = lookup(client.EnvOverrideCertPath)
		}
		return e, nil
	}
	dir := cmp.Or(lookup("DOCKER_CONFIG"), filepath.Join(lookup("HOME"), ".docker"))
	name := lookup("DOCKER_CONTEXT")
	if name == "" {
		if file, err := config.Load(dir); err == nil { // docker itself will say what is wrong with it
			name = file.CurrentContext
		}
	}
	if name == "" || name == defaultContext {
		return Endpoint{}, nil
	}
	return contextEndpoint(filepath.Join(dir, "contexts"), name)
}

// contextEndpoint reads a context of docker's.
func contextEndpoint(dir, name string) (Endpoint, error) {
	type address struct{ Host string }
	contexts := store.New(dir, store.NewConfig(
		func() any { return &map[string]any{} }, store.EndpointTypeGetter("docker", func() any { return &address{} })))
	found, err := contexts.GetMetadata(name)
	if err != nil {
		return Endpoint{}, &contextError{name, err}
	}
	e := Endpoint{Context: name}
	if at, ok := found.Endpoints["docker"].(address); ok {
		e.Host = at.Host
	}
	if files, err := contexts.ListTLSFiles(name); err == nil && len(files["docker"]) > 0 {
		e.Certificates = filepath.Join(contexts.GetStorageInfo(name).TLSPath, "docker")
	}
	return e, nil
}

// contextError is a context that docker was told to use, and that can't be read.
type contextError struct {
	name string
	err  error
}

func (e *contextError) Error() string { return fmt.Sprintf("docker's context %q: %v", e.name, e.err) }

// Unwrap gives what lies beneath.
func (e *contextError) Unwrap() error { return e.err }

// Hint shows what there is.
func (e *contextError) Hint() string { return "docker context ls" }

// Connect connects to the engine.
func (e Endpoint) Connect(ctx context.Context) (*Engine, error) {
	if e.Certificates != "" {
		return Connect(ctx, e.Host, Certificates(e.Certificates))
	}
	return Connect(ctx, e.Host)
}

// Environ is an environment in which docker's commands use this engine and no other.
func (e Endpoint) Environ(environ []string) []string {
	if e.Context == "" {
		return environ
	}
	own := slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains([]string{"DOCKER_CONTEXT", client.EnvOverrideHost, client.EnvTLSVerify, client.EnvOverrideCertPath}, name)
	})
	own = append(own, client.EnvOverrideHost+"="+cmp.Or(e.Host, client.DefaultDockerHost))
	if e.Certificates != "" {
		own = append(own, client.EnvTLSVerify+"=1", client.EnvOverrideCertPath+"="+e.Certificates)
	}
	return own
}
