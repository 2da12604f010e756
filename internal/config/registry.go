package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
)

// Registry is how this machine talks to registries.
type Registry struct {
	// Patience is how long a registry may say nothing before it counts as unavailable.
	Patience time.Duration
	// ProgressDeadline is how long a push may make no progress.
	ProgressDeadline time.Duration
	// Insecure are the registries that plain HTTP may be spoken with, as image names have them.
	Insecure []string
	// Pull are the logins that hosts are sent, instead of what is got with this machine's own.
	Pull []PullLogin
}

// PullLogin is a login that may do no more than pull.
type PullLogin struct {
	Place              Place
	Registry           string // as image names have it
	Username, Password string
	// Unset names the environment variables that it needs and that are not set, or empty.
	Unset []string
}

var registryKeys = mapping([]key[Registry]{
	at("patience", duration, func(r *Registry) *time.Duration { return &r.Patience },
		"How long a registry may say nothing before it counts as unavailable.").or("30s"),
	at("progress_deadline", duration, func(r *Registry) *time.Duration { return &r.ProgressDeadline },
		"How long a push may make no progress before it fails.").or("5m"),
	at("insecure", set(registryHost), func(r *Registry) *[]string { return &r.Insecure },
		"Registries, beside those on the loopback, that plain HTTP may be spoken with where they don't answer to HTTPS: whoever is on the way reads the login."),
	at("pull", list(pullLogin), func(r *Registry) *[]PullLogin { return &r.Pull },
		"Logins that hosts are sent for pulling.").derived("a token for pulling the one repository, where the registry gives one"),
})

var pullLoginKeys = mapping([]key[PullLogin]{
	at("registry", registryHost, func(p *PullLogin) *string { return &p.Registry },
		"Registry that it is for, as image names have it.").must(),
	at("username", text, func(p *PullLogin) *string { return &p.Username },
		"User that may pull, and nothing else.").must(),
	at("password", text, func(p *PullLogin) *string { return &p.Password },
		"Password of the user, best from a variable.").must(),
})

// pullLogin is read also where its variables are not set: most commands pull nothing.
var pullLogin = whenNeeded(pullLoginKeys.kind(), func(p *PullLogin, at Place, unset []string) {
	p.Place, p.Unset = at, unset
})

var registryHost = parsed("a registry such as registry.example.org:5000", textSchema, parseRegistry)

// parseRegistry accepts what can stand before the first slash of an image, and gives it as clients of registries
// call it.
func parseRegistry(s string) (string, error) {
	if registry, err := name.NewRegistry(s); err == nil && (strings.ContainsAny(s, ".:") || s == "localhost") {
		return registry.RegistryStr(), nil
	}
	return "", fmt.Errorf("expected a registry such as registry.example.org:5000, found %q", shortened(s))
}

// checkPullLogins refuses a second login for a registry.
func (c *Config) checkPullLogins(d *decoder) {
	for i, login := range c.Registry.Pull {
		same := func(other PullLogin) bool { return other.Registry == login.Registry }
		if slices.ContainsFunc(c.Registry.Pull[:i], same) {
			d.failAt(login.Place, "pull: a second login for %s", login.Registry)
		}
	}
}
