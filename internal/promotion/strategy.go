package promotion

import (
	"cmp"
	"fmt"
	"strings"

	"promote/compose"
)

// Strategies of a rollout.
const (
	Auto       = "auto"
	StartFirst = "start-first" // the new container is proven before the old one stops
	Recreate   = "recreate"    // compose replaces the container; there is a gap
	StopFirst  = "stop-first"  // of a swarm: an old task stops before its successor starts
	FileOnly   = "file-only"   // nothing is to run: the file changes, and that is all
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
