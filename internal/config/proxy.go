package config

import "time"

// Proxy is what the reverse proxy in front of a service needs when the containers behind it change.
type Proxy struct {
	// Service is the proxy's compose service; empty means the proxies that are recognised.
	Service string
	// AfterHealthy and AfterGone are commands in the proxy's containers; Drain is one in an old container of
	// the service.
	AfterHealthy, AfterGone, Drain Command
	// Settle is how long the proxy takes to use what changed; zero means as long as its kind does.
	Settle time.Duration
}

var proxyKeys = mapping([]key[Proxy]{
	at("service", composeService, func(p *Proxy) *string { return &p.Service },
		"Compose service of the reverse proxy.").derived("those recognised by their image"),
	at("after_healthy", command, func(p *Proxy) *Command { return &p.AfterHealthy },
		"What runs in the proxy's containers once a new container is proven, such as a reload."),
	at("after_gone", command, func(p *Proxy) *Command { return &p.AfterGone },
		"What runs in the proxy's containers once an old container is gone."),
	at("drain", command, func(p *Proxy) *Command { return &p.Drain },
		"What runs in an old container before it is stopped, and has its health check fail."),
	at("settle", duration, func(p *Proxy) *time.Duration { return &p.Settle },
		"How long the proxy takes to use what changed.").derived("by the kind of proxy"),
})
