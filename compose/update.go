package compose

import (
	"math"
	"slices"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// Update is what the Compose specification's deploy.update_config says about replacing a service's
// containers. Docker Compose itself ignores it.
type Update struct {
	Order       string        `json:"order,omitempty"`       // start-first or stop-first
	Parallelism int           `json:"parallelism,omitempty"` // containers at a time; 0 where the file says nothing, below it for all
	Delay       time.Duration `json:"delay,omitempty"`       // between one group of containers and the next
	Monitor     time.Duration `json:"monitor,omitempty"`     // how long a new container is watched for failure
	OnFailure   string        `json:"on_failure,omitempty"`  // continue, rollback or pause
}

func update(c *types.UpdateConfig) Update {
	u := Update{Order: c.Order, Delay: time.Duration(c.Delay), Monitor: time.Duration(c.Monitor), OnFailure: c.FailureAction}
	if c.Parallelism != nil {
		u.Parallelism = int(min(*c.Parallelism, math.MaxInt32))
		if u.Parallelism == 0 {
			u.Parallelism = -1 // in the file 0 is all
		}
	}
	return u
}

// Hook is a command of a service's lifecycle, run in its container.
type Hook struct {
	Command    []string `json:"command"`
	User       string   `json:"user,omitempty"`
	Privileged bool     `json:"privileged,omitempty"`
	Dir        string   `json:"dir,omitempty"`
	Environ    []string `json:"environ,omitempty"` // NAME=value
}

// notDark says what docker compose does between creating a container and starting it, which nobody else
// would.
func notDark(p *types.Project, c types.ServiceConfig) string {
	inlineSecret := func(s types.ServiceSecretConfig) bool { return inline(types.FileObjectConfig(p.Secrets[s.Source])) }
	inlineConfig := func(s types.ServiceConfigObjConfig) bool { return inline(types.FileObjectConfig(p.Configs[s.Source])) }
	switch {
	case len(c.PostStart) > 0:
		return "it has post_start hooks, which docker compose runs as it starts a container"
	case slices.ContainsFunc(c.Secrets, inlineSecret):
		return "it has secrets that are not files, which docker compose puts into a container as it starts it"
	case slices.ContainsFunc(c.Configs, inlineConfig):
		return "it has configs that are not files, which docker compose puts into a container as it starts it"
	case c.NetworkMode != "":
		return "its network_mode leaves it no names of its own"
	}
	return ""
}

// inline reports whether a secret or config is no file that can be mounted.
func inline(o types.FileObjectConfig) bool { return o.Environment != "" || o.Content != "" }

// aliases are the names that other containers know a service by, besides its own, by network.
func aliases(p *types.Project, c types.ServiceConfig) map[string][]string {
	names := map[string][]string{}
	for network, settings := range c.Networks {
		if settings != nil && len(settings.Aliases) > 0 {
			names[p.Networks[network].Name] = settings.Aliases
		}
	}
	if len(names) == 0 {
		return nil
	}
	return names
}

// AtATime is how many of n containers are replaced at a time: one, unless the file says otherwise.
func (u Update) AtATime(n int) int {
	switch {
	case u.Parallelism == 0:
		return 1
	case u.Parallelism < 0:
		return max(1, n)
	}
	return u.Parallelism
}
