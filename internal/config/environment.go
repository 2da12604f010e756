package config

import (
	"slices"
	"time"

	"promote/semver"
)

// The engines that run an environment.
const (
	EngineCompose = "compose" // docker compose, on each host
	EngineNone    = "none"    // nobody: only the files are changed, somebody else applies them
	EngineSwarm   = "swarm"   // docker stack, on a manager of a swarm
)

// The strategies of a rollout.
const (
	StrategyAuto       = "auto"        // start-first where two copies are possible, else recreate
	StrategyStartFirst = "start-first" // the new container is proven before the old one stops
	StrategyRecreate   = "recreate"    // the old container stops first
)

// Environment is where releases run: one compose project, on this machine or on hosts.
type Environment struct {
	Name  string
	Place Place // of its entry in the file
	// From names the environment that has to have verified a release first; empty where none has to.
	From string
	// Hosts are ssh URLs; empty means this machine.
	Hosts []string
	// Project is the project directory as written: on the hosts, or on this machine relative to
	// Config.Dir.
	Project string
	// Compose and EnvFile are files relative to Project; empty means what docker compose would find.
	Compose, EnvFile []string
	// ProjectName is the compose project's name; empty means compose's own default.
	ProjectName string
	Profiles    []string
	// Engine is one of the Engine constants.
	Engine string
	// Git is nil where changed files are not committed; only with EngineNone.
	Git *Git
	// Accept is which versions may be deployed here.
	Accept semver.Range
	// Confirm asks for the environment's name before anything changes.
	Confirm bool
	// Protected asks for the approval of somebody else.
	Protected bool
	// Soak is how long a release must have been verified in From.
	Soak time.Duration
	// Closed are the times of the week in which nothing is deployed.
	Closed []Window
	// Digests writes the digest behind the tag in the compose file.
	Digests bool
	Rollout Rollout
	// Services names the services that run here; empty means all of them.
	Services []string
}

// Has reports whether a service of the file runs here.
func (e *Environment) Has(service string) bool {
	return len(e.Services) == 0 || slices.Contains(e.Services, service)
}

func (e *Environment) enter(name string, at Place) { e.Name, e.Place = name, at }

// Git is what happens to changed compose files in a checkout.
type Git struct {
	Commit, Push bool
}

// Rollout is how running containers are replaced.
type Rollout struct {
	// Strategy is one of the Strategy constants.
	Strategy string
	// Monitor is how long a container without a health check has to stay up.
	Monitor time.Duration
	// HealthyDeadline is how long a container may take to become healthy, ProgressDeadline how long the
	// pull of its images may go without any progress.
	HealthyDeadline, ProgressDeadline time.Duration
	// MaxParallel is how many hosts are deployed to at a time.
	MaxParallel int
}

var environmentKeys = mapping([]key[Environment]{
	at("from", text, func(e *Environment) *string { return &e.From },
		"Environment that has to have verified a release before it comes here."),
	at("host", single(host), func(e *Environment) *[]string { return &e.Hosts },
		"Host to deploy to, as an ssh URL.").derived("this machine"),
	at("hosts", set(host), func(e *Environment) *[]string { return &e.Hosts },
		"Hosts to deploy to, where they are several."),
	at("project", text, func(e *Environment) *string { return &e.Project },
		"Project directory: on the hosts, or on this machine relative to this file.").or("."),
	at("compose", either(single(text), set(text)), func(e *Environment) *[]string { return &e.Compose },
		"Compose files, relative to the project directory.").derived("what docker compose finds there"),
	at("env_file", either(single(text), set(text)), func(e *Environment) *[]string { return &e.EnvFile },
		"Env files for the compose files' variables, relative to the project directory.").derived("what docker compose finds there"),
	at("name", projectName, func(e *Environment) *string { return &e.ProjectName },
		"Name of the compose project, or of the swarm's stack.").derived("what docker compose makes of it"),
	at("profiles", either(single(text), set(text)), func(e *Environment) *[]string { return &e.Profiles },
		"Compose profiles that are active here."),
	at("engine", choice(EngineCompose, EngineNone, EngineSwarm), func(e *Environment) *string { return &e.Engine },
		"What runs the containers: docker compose, or docker stack on a swarm's manager; none changes files only.").or(EngineCompose),
	at("git", gitKeys.pointer(), func(e *Environment) **Git { return &e.Git },
		"What happens to changed files in a checkout; only with engine none.").derived("nothing"),
	at("accept", versions, func(e *Environment) *semver.Range { return &e.Accept },
		"Range of versions that may be deployed here; prereleases only if it says so.").derived("every release, no prerelease"),
	at("confirm", truth, func(e *Environment) *bool { return &e.Confirm },
		"Whether deploying asks for the environment's name.").or("false"),
	at("protected", truth, func(e *Environment) *bool { return &e.Protected },
		"Whether deploying needs the approval of somebody else.").or("false"),
	at("soak", duration, func(e *Environment) *time.Duration { return &e.Soak },
		"How long a release has to have been verified in from."),
	at("closed", either(single(window), list(window)), func(e *Environment) *[]Window { return &e.Closed },
		"Times of the day or of the week in which nothing is deployed, UTC unless they name a zone."),
	at("digests", truth, func(e *Environment) *bool { return &e.Digests },
		"Whether the digest is written behind the tag in the compose file.").or("false"),
	at("rollout", rolloutKeys.kind(), func(e *Environment) *Rollout { return &e.Rollout },
		"How running containers are replaced."),
	at("services", either(single(text), set(text)), func(e *Environment) *[]string { return &e.Services },
		"Services that run here.").derived("all of them"),
}).exclude("host", "hosts")

var gitKeys = mapping([]key[Git]{
	at("commit", truth, func(g *Git) *bool { return &g.Commit },
		"Whether changed files are committed.").or("true"),
	at("push", truth, func(g *Git) *bool { return &g.Push },
		"Whether the commit is pushed.").or("false"),
})

var rolloutKeys = mapping([]key[Rollout]{
	at("strategy", choice(StrategyAuto, StrategyStartFirst, StrategyRecreate), func(r *Rollout) *string { return &r.Strategy },
		"Whether the new container starts before the old one stops; auto does where two copies are possible.").or(StrategyAuto),
	at("monitor", duration, func(r *Rollout) *time.Duration { return &r.Monitor },
		"How long a container without a health check has to stay up.").or("10s"),
	at("healthy_deadline", duration, func(r *Rollout) *time.Duration { return &r.HealthyDeadline },
		"How long a container may take to become healthy.").or("2m"),
	at("progress_deadline", duration, func(r *Rollout) *time.Duration { return &r.ProgressDeadline },
		"How long the pull of the images may go without any progress.").or("10m"),
	at("max_parallel", positive, func(r *Rollout) *int { return &r.MaxParallel },
		"How many of several hosts are deployed to at a time; the next ones only once these are proven.").or("1"),
})
