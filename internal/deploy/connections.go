package deploy

import (
	"net/url"
	"sync"
	"time"

	"promote/internal/config"
	"promote/internal/host"
	"promote/internal/promotion"
)

// Connections reach the machines of environments. All that one run of promote wants of a host goes over one
// connection.
type Connections struct {
	Here     *host.Local   // this machine, asked in this process
	SSH      *host.SSH     // how hosts are reached
	By       string        // who asks, from where
	Patience time.Duration // how long contact may be lost before a deployment is followed no more
	Lost     func(host string, err error, again time.Duration)
	Found    func(host string) // after it was lost

	mu    sync.Mutex
	hosts map[string]*host.Remote // by address
}

// Open opens an environment by name, once for each of its hosts, which are not asked anything yet.
func (c *Connections) Open(cfg *config.Config, name string) ([]*Environment, error) {
	e, err := cfg.Environment(name)
	if err != nil {
		return nil, err
	}
	target, err := TargetOf(cfg, e)
	if err != nil {
		return nil, err
	}
	if len(e.Hosts) == 0 {
		return []*Environment{{Environment: e, Target: target, Side: host.Here(target, c.By, c.Here)}}, nil
	}
	var list []*Environment
	for _, address := range e.Hosts {
		remote, err := c.remote(address)
		if err != nil {
			return nil, err
		}
		one := &Environment{Environment: e, Target: target, Side: host.There(target, c.By, remote)}
		if len(e.Hosts) > 1 {
			one.Host = remote.Host.Host
		}
		list = append(list, one)
	}
	return list, nil
}

// Close ends all connections. Deployments go on.
func (c *Connections) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.hosts {
		r.Close()
	}
}

func (c *Connections) remote(address string) (*host.Remote, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.hosts[address]; r != nil {
		return r, nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	r := &host.Remote{
		Host: u, SSH: c.SSH, Patience: c.Patience,
		Lost:  func(err error, again time.Duration) { c.Lost(u.Hostname(), err, again) },
		Found: func() { c.Found(u.Hostname()) },
	}
	if c.hosts == nil {
		c.hosts = map[string]*host.Remote{}
	}
	c.hosts[address] = r
	return r, nil
}

// Environment is one of promote.yaml's, on one machine.
type Environment struct {
	*config.Environment
	Host   string // which of several hosts; empty where there is one
	Target promotion.Target
	Side   *host.Side
}

// Label names the environment for people, with the host where there are several.
func (e *Environment) Label() string {
	if e.Host == "" {
		return e.Name
	}
	return e.Name + "@" + e.Host
}
