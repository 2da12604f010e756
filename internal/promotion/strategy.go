package promotion

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"promote/compose"
	"promote/registry"
)

// Strategies of a rollout.
const (
	Auto       = "auto"
	StartFirst = "start-first" // the new container is proven before the old one stops
	Recreate   = "recreate"    // compose replaces the container; there is a gap
	StopFirst  = "stop-first"  // of a swarm: an old task stops before its successor starts
	FileOnly   = "file-only"   // nothing is to run: the file changes, and that is all
	NotStarted = "not-started" // a one-shot on the way back: its container is made, and not started
)

// strategy chooses how a compose service is rolled, and says why; what start-first keeps, its promise says.
// worker tells that it is not the first of its service's compose services. An asked-for start-first that
// the compose file makes impossible is refused here, not discovered on the host.
func (s Service) strategy(asked string, part Part, worker bool) (chosen, why string, err error) {
	obstacle := ""
	if list := Obstacles(part.Compose, worker && !s.Concurrent); len(list) > 0 {
		obstacle = list[0].Reason
	}
	asked = cmp.Or(s.Strategy, asked)
	gap := "gap while it restarts"
	if len(part.Containers) > 1 {
		gap = "one after the other is down while it restarts"
	}
	switch {
	case len(part.Containers) == 0 && part.Compose.Disabled:
		return FileOnly, "its profile is off", nil
	case len(part.Containers) == 0:
		return Recreate, "nothing runs yet", nil
	case asked == Recreate:
		return Recreate, gap + ", because the configuration says recreate", nil
	case asked == StartFirst && obstacle != "":
		return "", "", &Refusal{
			Service: part.Compose.Name, Gate: "strategy",
			Reason: fmt.Sprintf("start-first is impossible, because %s", obstacle),
			Advice: "set strategy of " + s.Name + " to auto, or rollout.strategy where it has none",
		}
	case s.Dark && obstacle == "" && part.Compose.NotDark != "":
		return "", "", &Refusal{
			Service: part.Compose.Name, Gate: "strategy",
			Reason: "a dark start is impossible, because " + part.Compose.NotDark,
			Advice: "take dark out of " + s.Name + " in promote.yaml",
		}
	case obstacle != "":
		return Recreate, gap + ", because " + obstacle, nil
	}
	return StartFirst, "", nil
}

// Obstacle is what forbids two copies of a compose service at once.
type Obstacle struct {
	Key    string // of the compose file that says so; empty where promote.yaml does
	Reason string
}

// Obstacles returns what forbids two copies of a compose service at once. worker tells that two of it would do
// the same job.
func Obstacles(s compose.Service, worker bool) []Obstacle {
	var list []Obstacle
	add := func(holds bool, key, reason string) {
		if holds {
			list = append(list, Obstacle{key, reason})
		}
	}
	shares := s.SharedNamespace || strings.HasPrefix(s.NetworkMode, "service:") || strings.HasPrefix(s.NetworkMode, "container:")
	add(len(s.Ports) > 0, "ports", fmt.Sprintf("port %s is published", strings.Join(s.Ports, ", ")))
	add(s.ContainerName != "", "container_name", "container_name is set")
	add(s.StaticAddress, "networks", "it has a static address")
	add(s.NetworkMode == "host", "network_mode", "it is on the host's network")
	add(shares, "network_mode", "it shares a namespace with another service")
	add(s.Update.Order == "stop-first", "deploy.update_config.order", "update_config says stop-first")
	add(worker, "", "it is a worker, and two would do the same job")
	add(s.Replicas <= 1 && len(s.WritableVolumes) > 0, "volumes", fmt.Sprintf("it writes to %s", strings.Join(s.WritableVolumes, ", ")))
	return list
}

// inSwarm is the strategy of a swarm, which goes by the compose file alone.
func (s Service) inSwarm(asked string, part Part) (chosen, why string, err error) {
	order := cmp.Or(part.Compose.Update.Order, StopFirst)
	asked = cmp.Or(s.Strategy, asked)
	switch {
	case part.Compose.Disabled:
		return FileOnly, "its profile is off", nil
	case asked != Auto && asked != "" && (asked == StartFirst) != (order == StartFirst):
		return "", "", &Refusal{
			Service: part.Compose.Name, Gate: "strategy",
			Reason: fmt.Sprintf("the configuration says %s, and a swarm goes by the compose file, which says %s", asked, order),
			Advice: "deploy: {update_config: {order: …}}   # in the compose file, and strategy: auto in promote.yaml",
		}
	case len(part.Containers) == 0:
		return order, "nothing runs yet", nil
	case order == StartFirst:
		return order, "a new task runs before an old one stops", nil
	case len(part.Containers) > 1:
		return order, "one after the other is down while it restarts, because update_config does not say start-first", nil
	}
	return order, "gap while it restarts, because update_config does not say start-first", nil
}

// oneShot reports whether a service's work is to finish: nothing restarts it, and it finished well.
func oneShot(part Part) bool {
	if part.Compose.Restart != "" && part.Compose.Restart != "no" {
		return false
	}
	for _, c := range part.Containers {
		if c.State != "exited" || c.ExitCode != 0 {
			return false
		}
	}
	return len(part.Containers) > 0
}

// runsOnce reports whether a service is there to do something once: others wait for its end, or the compose file says
// that it is not started again and what it did ended well.
func (p Part) runsOnce() bool {
	return p.Compose.Completes || p.Compose.Restart == "no" && !p.Compose.HealthCheck && (oneShot(p) || neverRan(p))
}

// waitsToRun reports whether a container was made and not started because its service runs once: the way back leaves
// it so.
func (p Part) waitsToRun(c Container) bool { return c.State == "created" && p.runsOnce() }

// neverRan reports whether no container of a service was ever started.
func neverRan(p Part) bool {
	return !slices.ContainsFunc(p.Containers, func(c Container) bool { return c.State != "created" })
}

// goesBack reports whether a service goes to a release that was there before, or is older.
func (r Request) goesBack(present, to registry.Release) bool {
	return r.Kind == Rollback || r.Reverts != "" || to.Version.Less(present.Version)
}

// notStarted reports whether a one-shot stays idle on the way back: what the older release's would do is no way to
// take back what the newer one's did, unless somebody says that it is.
func (r Request) notStarted(roll Roll, part Part) bool {
	return roll.Strategy != FileOnly && roll.Strategy != StartFirst && part.runsOnce() && r.Schema != SchemaUndo
}

// inOrder puts the rolls of a service behind those of its others that they depend on, and else leaves them as they are.
func (s ServiceState) inOrder(rolls []Roll) []Roll {
	needs := map[string][]string{}
	for _, p := range s.Parts {
		needs[p.Compose.Name] = p.Compose.DependsOn
	}
	var sorted []Roll
	for len(rolls) > 0 {
		free := func(r Roll) bool {
			return !slices.ContainsFunc(rolls, func(o Roll) bool { return slices.Contains(needs[r.Service], o.Service) })
		}
		next := max(0, slices.IndexFunc(rolls, free)) // compose refuses a circle
		sorted = append(sorted, rolls[next])
		rolls = slices.Delete(slices.Clone(rolls), next, next+1)
	}
	return sorted
}

// unheeded says where promote puts back although the compose file wants something else, and what of
// promote.yaml does not reach into a swarm.
func (r Request) unheeded(c Choice) []Note {
	if r.Target.Engine == EngineSwarm {
		if len(c.Service.Checks) == 0 {
			return nil
		}
		return []Note{{Service: c.Service.Name, Text: "its checks are not put to the tasks of a swarm, which goes by the health check"}}
	}
	var notes []Note
	for _, part := range c.State.Parts {
		if action := part.Compose.Update.OnFailure; action != "" && action != "rollback" {
			notes = append(notes, Note{Service: part.Compose.Name, Text: "update_config says " + action + " on failure; promote puts everything back"})
		}
	}
	return notes
}
