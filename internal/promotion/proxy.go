package promotion

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"
)

// Proxy is a reverse proxy in front of a compose service, with what it takes to have it follow a rollout.
type Proxy struct {
	Project string `json:"project"` // compose project
	Service string `json:"service"` // compose service
	Kind    string `json:"kind,omitempty"`
	ProxyCare
}

// ProxyCare is what a proxy needs when the containers behind it change.
type ProxyCare struct {
	AfterHealthy []string      `json:"after_healthy,omitempty"` // command in its containers, once a new container is proven
	AfterGone    []string      `json:"after_gone,omitempty"`    // and once an old one is gone
	Renews       bool          `json:"renews,omitempty"`        // it obeys them with new processes, which are waited for
	Drain        []string      `json:"drain,omitempty"`         // command in an old container that has its health check fail
	Health       bool          `json:"health,omitempty"`        // it goes by the engine's view of a container's health
	Settle       time.Duration `json:"settle,omitempty"`        // until it uses what it was told, or found out
}

// Front is what promote.yaml says about the proxy in front of a service. What it leaves out is that of the
// proxy's kind.
type Front struct {
	Service string `json:"service,omitempty"` // compose service; empty: the proxies that are recognised
	ProxyCare
}

// Neighbour is a container of a proxy that shares a network with those of a compose service.
type Neighbour struct {
	Project string `json:"project"`
	Service string `json:"service"`
	Kind    string `json:"kind"`
}

// kinds are the proxies that are recognised. How long each needs was measured (docs/proxies.md).
var kinds = map[string]ProxyCare{
	"caddy":   {},
	"nginx":   {AfterHealthy: reload, AfterGone: reload, Renews: true, Settle: 300 * time.Millisecond}, // its old processes go on for 100 ms
	"haproxy": {Settle: 2500 * time.Millisecond},
	"traefik": {Health: true, Settle: 2500 * time.Millisecond},
}

// reload has nginx look up the names in its configuration anew.
var reload = []string{"nginx", "-s", "reload"}

// aliases are other names of these programs' images.
var aliases = map[string]string{"nginx-unprivileged": "nginx", "openresty": "nginx", "haproxy-alpine": "haproxy", "caddy-docker-proxy": "caddy"}

// ProxyKind recognises a proxy by its image, or by the command that its container runs; it is empty for
// everything else.
func ProxyKind(image, command string) string {
	repository, _, _ := strings.Cut(path.Base(image), "@")
	repository, _, _ = strings.Cut(repository, ":")
	words := append([]string{repository}, strings.Fields(command)...)
	for _, word := range words[:min(3, len(words))] { // an entrypoint's script comes before the program
		word = path.Base(word)
		word = cmp.Or(aliases[word], word)
		if _, known := kinds[word]; known {
			return word
		}
	}
	return ""
}

// Proxies are those in front of a compose service of a service, with what each needs.
func (s Service) Proxies(project string, part Part) []Proxy {
	var list []Proxy
	told := s.Front
	for _, n := range part.Neighbours {
		p := Proxy{Project: n.Project, Service: n.Service, Kind: n.Kind, ProxyCare: kinds[n.Kind]}
		if told != nil && (told.Service == "" || told.Service == n.Service && n.Project == project) {
			p.ProxyCare = p.ProxyCare.with(told.ProxyCare)
		}
		list = append(list, p)
	}
	named := func(p Proxy) bool { return p.Service == told.Service && p.Project == project }
	if told != nil && told.Service != "" && !slices.ContainsFunc(list, named) {
		list = append(list, Proxy{Project: project, Service: told.Service, ProxyCare: told.ProxyCare})
	}
	return list
}

// with is the care with what somebody says instead.
func (c ProxyCare) with(told ProxyCare) ProxyCare {
	if len(told.AfterHealthy)+len(told.AfterGone) > 0 {
		c.AfterHealthy, c.AfterGone, c.Renews = told.AfterHealthy, told.AfterGone, false
	}
	c.Drain = told.Drain
	c.Settle = cmp.Or(told.Settle, c.Settle)
	return c
}

// promise says what a start-first rollout keeps: what is done for the proxies in front, and that requests are lost
// where no more can be done.
func promise(list []Proxy) string {
	lost := "no request lost"
	var words []string
	for _, p := range list {
		switch word := p.cared(); {
		case p.late():
			lost = "few requests lost, as " + p.Service + " notices late that the old one is gone: see docs/proxies.md"
		case word != "":
			words = append(words, p.Service+" "+word)
		}
	}
	return strings.Join(slices.Insert(words, 0, lost), "; ")
}

// late reports whether a proxy goes on sending requests to a container that has stopped: it goes by what the
// engine says of containers, and takes its time.
func (p Proxy) late() bool { return p.Health && len(p.Drain) == 0 }

// cared is what is done for a proxy, in words; empty where it needs nothing.
func (p Proxy) cared() string {
	switch {
	case len(p.AfterHealthy)+len(p.AfterGone) > 0:
		return "is told"
	case len(p.Drain) > 0:
		return "sees the old one drained"
	case p.Settle > 0:
		return "gets " + p.Settle.String() + " to notice"
	}
	return ""
}
