package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
	"go.yaml.in/yaml/v4"
)

// Check is a question that a new container has to answer well before the old one goes: one of HTTP, TCP
// and Run is set.
type Check struct {
	HTTP HTTPCheck
	TCP  int // the port that takes a connection, 0 for none
	// Run is a command inside the container that exits with 0.
	Run Command
	// Timeout is how long one try may take; it is tried again until the rollout's HealthyDeadline.
	Timeout time.Duration
	// Service is the compose service whose containers are asked, one of the service's Runs.
	Service string
}

// HTTPCheck is a GET request; its Port is 0 where there is none.
type HTTPCheck struct {
	Port int
	Path string // with the query, from the slash on
	// Status is the only one that is good; 0 takes every one from 200 to 399. Redirects are not followed.
	Status int
	Host   string // the Host header; empty means the container's address
}

var checkKeys = mapping([]key[Check]{
	at("http", either(shortHTTP, httpKeys.kind()), func(c *Check) *HTTPCheck { return &c.HTTP },
		"Port and path of a GET request that is answered with a status from 200 to 399, as in 8080/health, or a mapping."),
	at("tcp", port, func(c *Check) *int { return &c.TCP },
		"Port that takes a connection."),
	at("run", command, func(c *Check) *Command { return &c.Run },
		"What exits with 0 inside the container: a line for its shell, or a list of a program and its arguments."),
	at("timeout", duration, func(c *Check) *time.Duration { return &c.Timeout },
		"How long one try may take.").or("5s"),
	at("service", composeService, func(c *Check) *string { return &c.Service },
		"Which of the compose services in runs is asked.").derived("the first of them"),
}).oneOf("http", "tcp", "run")

var httpKeys = mapping([]key[HTTPCheck]{
	at("port", port, func(h *HTTPCheck) *int { return &h.Port },
		"Port that the container listens on.").must(),
	at("path", parsed("a path such as /health", textSchema, parsePath), func(h *HTTPCheck) *string { return &h.Path },
		"What is asked for.").or("/"),
	at("status", between(100, 599), func(h *HTTPCheck) *int { return &h.Status },
		"The only status that is good.").derived("any from 200 to 399"),
	at("host", matching(`[A-Za-z0-9.:_\[\]-]+`, "a host name"), func(h *HTTPCheck) *string { return &h.Host },
		"Host that the request names.").derived("the container's address"),
})

// port is where something listens.
var port = between(1, 65535)

// between is a whole number between two, which both belong to it.
func between(least, most int) kind[int] {
	k := positive
	k.want = fmt.Sprintf("a number from %d to %d", least, most)
	schema := positive.schema
	k.schema = func() *jsonschema.Schema {
		s := schema()
		s.Minimum, s.Maximum = json.Number(strconv.Itoa(least)), json.Number(strconv.Itoa(most))
		return s
	}
	k.read = func(d *decoder, n *yaml.Node) (int, bool) {
		value, err := strconv.Atoi(n.Value)
		if n.ShortTag() != "!!int" || err != nil || value < least || value > most {
			d.wrong(n, k.want)
			return 0, false
		}
		return value, true
	}
	return k
}

// shortHTTP is the usual request in a word: 8080/health.
var shortHTTP = parsed("a port and a path such as 8080/health", textSchema, parseHTTP)

func parseHTTP(s string) (HTTPCheck, error) {
	number, path, found := strings.Cut(s, "/")
	port, err := strconv.Atoi(number)
	if !found || err != nil || port < 1 || port > 65535 {
		return HTTPCheck{}, fmt.Errorf("expected a port and a path such as 8080/health, found %q", shortened(s))
	}
	path, err = parsePath("/" + path)
	return HTTPCheck{Port: port, Path: path}, err
}

func parsePath(s string) (string, error) {
	if _, err := url.ParseRequestURI(s); err != nil || !strings.HasPrefix(s, "/") || strings.ContainsAny(s, "# ") {
		return "", errors.New("expected a path such as /health, found " + strconv.Quote(shortened(s)))
	}
	return s, nil
}

// deriveChecks has the first compose service asked where none is named.
func (s *Service) deriveChecks() {
	for i := range s.Checks {
		if s.Checks[i].Service == "" {
			s.Checks[i].Service = s.Runs[0]
		}
	}
}

// checkHealth refuses checks of what the service does not run.
func (c *Config) checkHealth(d *decoder) {
	for _, s := range c.Services {
		for i, check := range s.Checks {
			if !slices.Contains(s.Runs, check.Service) {
				d.fail(d.item(&s.Checks, i), "%s: checks: it runs no %q%s", s.Name, shortened(check.Service), didYouMean(check.Service, s.Runs))
			}
		}
	}
}
