package promotion

import (
	"slices"
	"time"

	"promote/semver"
)

// Engines: what carries containers in an environment.
const (
	EngineCompose = "compose" // docker compose on the environment's machine
	EngineNone    = "none"    // files only; somebody else applies them
	EngineSwarm   = "swarm"   // docker stack, on a manager of a swarm
)

// Target is an environment as its own machine needs to know it: where the project lies and how to
// treat it. It travels with every request to the host side, so that nothing about a project has to be
// configured on a host.
type Target struct {
	Environment string       `json:"environment"`
	Project     string       `json:"project"`                // project directory, absolute
	Compose     []string     `json:"compose,omitempty"`      // compose files; empty: what docker compose would find
	EnvFiles    []string     `json:"env_files,omitempty"`    // env files; empty: .env
	Name        string       `json:"project_name,omitempty"` // compose project, or the swarm's stack; empty: that of the running containers, else compose's default
	Profiles    []string     `json:"profiles,omitempty"`
	Engine      string       `json:"engine"`
	Git         *Git         `json:"git,omitempty"` // only with EngineNone
	Services    []Service    `json:"services"`
	Rollout     Rollout      `json:"rollout"`
	Accept      semver.Range `json:"accept"`            // versions that plain deploy chooses from
	Digests     bool         `json:"digests,omitempty"` // write tag@digest, not the tag alone
}

// Git says what to do in the checkout that holds the compose files after they changed.
type Git struct {
	Commit bool `json:"commit"`
	Push   bool `json:"push"`
}

// Service is one microservice: an image repository and the compose services that run it.
type Service struct {
	Name  string          `json:"name"`
	Image string          `json:"image"` // repository, without tag
	Runs  []string        `json:"runs"`  // compose services that move together
	After []string        `json:"after,omitempty"`
	Tag   semver.Template `json:"tag"` // of the image, v{version}

	Strategy   string  `json:"strategy,omitempty"`   // instead of the environment's
	Concurrent bool    `json:"concurrent,omitempty"` // two of its workers at a time do no harm
	Dark       bool    `json:"dark,omitempty"`       // a new container gets its names once it is proven
	Front      *Front  `json:"front,omitempty"`      // the proxy in front of it
	Checks     []Check `json:"checks,omitempty"`     // of its compose services
	Tasks      []Task  `json:"tasks,omitempty"`      // around its deployments
}

// Rollout is how containers are replaced and for how long they are watched.
type Rollout struct {
	Strategy         string        `json:"strategy"` // auto, start-first, recreate
	Monitor          time.Duration `json:"monitor"`  // how long a service without a health check must stay up
	HealthyDeadline  time.Duration `json:"healthy_deadline"`
	ProgressDeadline time.Duration `json:"progress_deadline"`
	MaxParallel      int           `json:"max_parallel"` // hosts that are deployed to at a time
}

// Commands are those that somebody wants run in containers, by checks, for proxies and as tasks.
func (t Target) Commands() [][]string {
	var list [][]string
	for _, s := range t.Services {
		for _, check := range s.Checks {
			list = append(list, check.Run)
		}
		if s.Front != nil {
			list = append(list, s.Front.AfterHealthy, s.Front.AfterGone, s.Front.Drain)
		}
	}
	return append(given(list), t.taskCommands(false)...)
}

// HostCommands are those that somebody wants run on the environment's machine itself.
func (t Target) HostCommands() [][]string { return t.taskCommands(true) }

func (t Target) taskCommands(host bool) [][]string {
	var list [][]string
	for _, s := range t.Services {
		for _, task := range s.Tasks {
			if task.In != InHere && (task.In == InHost) == host {
				list = append(list, task.Run, task.Undo, task.List)
			}
		}
	}
	return given(list)
}

func given(list [][]string) [][]string {
	return slices.DeleteFunc(list, func(argv []string) bool { return len(argv) == 0 })
}
