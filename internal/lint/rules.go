package lint

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"promote/compose"
	"promote/internal/promotion"
)

// examined is a compose service that the rules look at, in its environment.
type examined struct {
	Service
	env   Environment
	mover *promotion.Service // that promote moves it with; nil where it does not
}

// rules look at one compose service each.
var rules = []func(examined) []Finding{
	cannotMove, otherImage, sharedPlace, unsetVariable, shadowedDefault, floatingTag,
	versionsDiffer, buildBesideImage, noHealthCheck, noRestart, oneCopy, lateProxy,
}

// finding is one of the service at a place.
func (x examined) finding(rule string, severity Severity, at compose.Place, message, advice string) []Finding {
	return []Finding{{Rule: rule, Severity: severity, Service: x.Name, File: at.File, Line: at.Line, Column: at.Column, Message: message, Advice: advice}}
}

// key is where the first of some keys stands, else the service itself.
func (x examined) key(keys ...string) compose.Place {
	for _, key := range keys {
		if at, ok := x.Keys[key]; ok {
			return at
		}
	}
	return x.At
}

// runs reports whether promote replaces containers of the service here, and not files alone or a swarm.
func (x examined) runs() bool {
	return x.mover != nil && x.env.Target.Engine == promotion.EngineCompose && !x.Disabled && !x.Awaited
}

// command is one of promote's for the service, or a placeholder for it where there is no promote.yaml
// yet.
func (x examined) command(verb string) string {
	if x.env.Target.Environment == "" {
		return "promote " + verb + " ENV " + x.mover.Name
	}
	return "promote " + verb + " " + x.env.Target.Environment + " " + x.mover.Name
}

// cannotMove tells of a refusal that no other rule explains.
func cannotMove(x examined) []Finding {
	e := x.env.Refusals[x.Name]
	explained := len(x.strangers()) > 0 || x.unset() || slices.ContainsFunc(x.Variables, overruled)
	if x.mover == nil || e == nil || explained {
		return nil
	}
	at := compose.Place{File: e.File, Line: e.Line, Column: e.Column}
	if at.Line == 0 {
		at = x.key("image")
	}
	reason := e.Reason
	if e.Service != "" && e.Service != x.Name {
		reason = e.Service + ": " + reason
	}
	return x.finding(ruleCannotMove, SeverityError, at, "its version can't be changed: "+reason, e.Advice)
}

// otherImage leaves alone what a variable that is not set spoils.
func otherImage(x examined) []Finding {
	if x.mover == nil || x.mover.Image == "" || x.Repository == "" || x.unset() || compose.SameRepository(x.Repository, x.mover.Image) {
		return nil
	}
	message := fmt.Sprintf("it runs %s, but promote.yaml says that %s is %s", x.Repository, x.mover.Name, x.mover.Image)
	return x.finding(ruleOtherImage, SeverityError, x.key("image"), message, "image: "+x.Pin.Join(x.mover.Image))
}

// strangers are the services whose version the same place decides, though they do not move together.
func (x examined) strangers() []string {
	var names []string
	for _, name := range x.Place.Services {
		if x.mover != nil && !slices.Contains(x.mover.Runs, name) {
			names = append(names, name)
		}
	}
	return names
}

// sharedPlace tells of a place once, at the first of its services that moves.
func sharedPlace(x examined) []Finding {
	strangers := x.strangers()
	first := slices.IndexFunc(x.Place.Services, func(name string) bool { return x.env.mover(name) != nil })
	if len(strangers) == 0 || x.Place.Services[first] != x.Name {
		return nil
	}
	message := fmt.Sprintf("%s also decides the version of %s, which does not move with it", x.Place.In, strings.Join(strangers, ", "))
	if x.alike(strangers) {
		return x.finding(ruleSharedPlace, SeverityError, x.Place, message, fmt.Sprintf("runs: [%s]   # for %s in promote.yaml", strings.Join(slices.Concat(x.mover.Runs, strangers), ", "), x.mover.Name))
	}
	return x.finding(ruleSharedPlace, SeverityError, x.Place, message, fmt.Sprintf("image: %s:${%s_TAG}   # a variable of its own", x.Repository, variableName(x.mover.Name)))
}

// alike reports whether the strangers run the same image and could move together.
func (x examined) alike(strangers []string) bool {
	return !slices.ContainsFunc(strangers, func(name string) bool {
		w, _ := x.env.written(name)
		return x.env.mover(name) != nil || !compose.SameRepository(w.Repository, x.Repository)
	})
}

func variableName(service string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' {
			return '_'
		}
		return r
	}, strings.ToUpper(service))
}

func missing(v compose.Variable) bool { return !v.Set && !v.Optional }

// overruled reports whether the environment sets a version that a file has, too.
func overruled(v compose.Variable) bool {
	return v.Pin && v.Environment && (v.Optional && !v.Defaulted || v.Assigned.Line > 0)
}

func (x examined) unset() bool { return slices.ContainsFunc(x.Variables, missing) }

// unsetVariable is an error where no image comes out of it. What is empty on purpose only gets docker
// compose's own complaint, every time.
func unsetVariable(x examined) []Finding {
	var found []Finding
	for _, v := range x.Variables {
		if !missing(v) {
			continue
		}
		severity := SeverityWarning
		if _, _, err := compose.SplitReference(x.Image); err != nil || x.mover != nil || strings.HasPrefix(x.Image, "/") {
			severity = SeverityError
		}
		message := fmt.Sprintf("nothing sets %s, so the image is %q", v.Name, x.Image)
		advice := fmt.Sprintf("%s=…   # in %s; or here, a default: ${%s:-…}", v.Name, x.env.envFile(), v.Name)
		found = append(found, x.finding(ruleUnsetVariable, severity, v.Place, message, advice)...)
	}
	return found
}

// envFile is the one that wins, by its name.
func (env Environment) envFile() string {
	if n := len(env.Target.EnvFiles); n > 0 {
		return filepath.Base(env.Target.EnvFiles[n-1])
	}
	return ".env"
}

func shadowedDefault(x examined) []Finding {
	if x.mover == nil {
		return nil
	}
	var found []Finding
	for _, v := range x.Variables {
		switch {
		case overruled(v):
			message := fmt.Sprintf("%s is set in the environment, to %q, which wins over what the files say", v.Name, v.Value)
			found = append(found, x.finding(ruleShadowedDefault, SeverityError, v.Place, message, "unset "+v.Name)...)
		case v.Pin && v.Optional && !v.Defaulted && v.Assigned.Line > 0:
			message := fmt.Sprintf("the default %q is never used, since %s:%d sets %s", v.Default, filepath.Base(v.Assigned.File), v.Assigned.Line, v.Name)
			found = append(found, x.finding(ruleShadowedDefault, SeverityWarning, v.Place, message, "${"+v.Name+":?}   # which says that it has to be set")...)
		}
	}
	return found
}

func floatingTag(x examined) []Finding {
	built := x.mover == nil && x.Context != ""
	if x.Image == "" || x.Pin.Digest != "" || built || x.unset() || x.Refusal != "" || x.told() {
		return nil
	}
	latest := x.Pin.Tag == "" || x.Pin.Tag == "latest"
	text := "the tag " + x.Pin.Tag
	if x.Pin.Tag == "" {
		text = "no tag, which means latest,"
	}
	if x.mover == nil {
		return x.floatingOther(latest, text)
	}
	if _, version := x.mover.Tag.Parse(x.Pin.Tag); version || !floating(x.Repository, x.Pin.Tag) {
		return nil
	}
	return x.finding(ruleFloatingTag, SeverityError, x.Place, text+" does not say which release runs", x.command("deploy")+"   # writes the version")
}

// told reports whether another service has its version from the same place, and was looked at before.
func (x examined) told() bool {
	first := x.Place.Services[0]
	return first != x.Name && x.env.mover(first) == x.mover
}

// floatingOther is about an image of others, which nobody but docker compose pull brings forward.
func (x examined) floatingOther(latest bool, text string) []Finding {
	advice := "docker buildx imagetools inspect " + x.Image + "   # then image: " + x.Image + "@sha256:…"
	switch {
	case latest:
		return x.finding(ruleFloatingTag, SeverityWarning, x.Place, text+" can be the next major version at any pull", advice)
	case floating(x.Repository, x.Pin.Tag):
		return x.finding(ruleFloatingTag, SeverityNote, x.Place, text+" can be another image at any pull", advice)
	}
	return nil
}

// versionsDiffer compares with the first of those that move together, as Drifts does, which keeps
// deployments from building on it.
func versionsDiffer(x examined) []Finding {
	if x.mover == nil || x.Refusal != "" {
		return nil
	}
	for _, name := range x.mover.Runs {
		first, ok := x.env.written(name)
		if !ok {
			continue
		}
		if first.Pin == x.Pin || first.Refusal != "" {
			return nil
		}
		message := fmt.Sprintf("it is on %s and %s on %s, though they move together", promotion.PinLabel(x.Pin.String()), name, promotion.PinLabel(first.Pin.String()))
		return x.finding(ruleVersionsDiffer, SeverityError, x.Place, message, "image: "+first.Pin.Join(x.Repository))
	}
	return nil
}

func buildBesideImage(x examined) []Finding {
	at, ok := x.Keys["build"]
	if x.mover == nil || !ok || x.Image == "" {
		return nil
	}
	message := "docker compose up --build would replace the released image by one built here; deploying never builds"
	advice := fmt.Sprintf("docker compose -f %s -f compose.build.yaml build %s   # with build: in that file only", filepath.Base(at.File), x.Name)
	return x.finding(ruleBuildBesideImage, SeverityWarning, at, message, advice)
}

const exampleCheck = `healthcheck: {test: [CMD, wget, -qO-, "http://127.0.0.1:8080/health"], interval: 5s}`

// noHealthCheck leaves alone who sets the interval only: they know that the image has a check.
func noHealthCheck(x examined) []Finding {
	_, tuned := x.Keys["healthcheck.interval"]
	_, disabled := x.Keys["healthcheck.disable"]
	_, tested := x.Keys["healthcheck.test"]
	switch {
	case !x.runs() || x.HealthCheck || len(x.env.Target.ChecksOf(x.Name)) > 0:
		return nil
	case disabled || tested:
		return x.finding(ruleNoHealthCheck, SeverityWarning, x.key("healthcheck.disable", "healthcheck.test"), "its health check is switched off, so a release that starts and does not work passes", exampleCheck)
	case tuned:
		return nil
	}
	message := "the file has no health check; unless the image brings one, a release that starts and does not work passes"
	return x.finding(ruleNoHealthCheck, SeverityWarning, x.At, message, exampleCheck)
}

func noRestart(x examined) []Finding {
	_, policy := x.Keys["deploy.restart_policy"]
	if !x.runs() || x.Restart != "" || policy {
		return nil
	}
	return x.finding(ruleNoRestart, SeverityWarning, x.key("restart"), "after a crash, or a reboot of the host, nothing starts it again", "restart: unless-stopped")
}

// removable are the obstacles to two copies that are nearly always mere habit.
var removable = map[string]string{
	"container_name": "docker compose exec %s …   # finds the container without container_name:",
	"networks":       "http://%s   # is how others reach it without an address",
}

// mendings say by key how two copies become possible.
var mendings = map[string]string{
	"ports":                      "take ports: out, and have a reverse proxy reach it as http://%s:PORT",
	"network_mode":               "networks: [default]   # where %s gets an address of its own for every copy",
	"deploy.update_config.order": "deploy: {update_config: {order: start-first}}",
	"volumes":                    "volumes: [\"data:/data:ro\"]   # where %s only reads",
}

// oneCopy is a warning where nothing but a habit stands in the way; the rest often has to be so, and
// the plan says it, too. That a worker is alone is not the file's doing.
func oneCopy(x examined) []Finding {
	list := promotion.Obstacles(x.Service.Service, false)
	wanted := x.env.Target.Rollout.Strategy
	if !x.runs() || len(list) == 0 || wanted == promotion.Recreate {
		return nil
	}
	severity := SeverityWarning
	var reasons []string
	for _, o := range list {
		reasons = append(reasons, o.Reason)
		if removable[o.Key] == "" {
			severity = SeverityNote
		}
	}
	message := "every deployment has a gap, because " + strings.Join(reasons, "; ")
	if wanted == promotion.StartFirst {
		severity, message = SeverityError, "start-first is configured, and impossible, because "+strings.Join(reasons, "; ")
	}
	key := list[0].Key
	advice := removable[key] + mendings[key]
	if strings.Contains(advice, "%s") {
		advice = fmt.Sprintf(advice, x.Name)
	}
	return x.finding(ruleOneCopy, severity, x.obstacleAt(key), message, advice)
}

// lateProxy is about Traefik, which its labels give away. What other proxies need stands in configurations
// that are not looked at.
func lateProxy(x examined) []Finding {
	drained := x.mover != nil && x.mover.Front != nil && len(x.mover.Front.Drain) > 0
	if !x.startsFirst() || drained || !routedByTraefik(x.Labels) {
		return nil
	}
	message := "Traefik notices late that an old container is gone, so every deployment loses a few requests"
	advice := fmt.Sprintf("proxy: {drain: touch /drain}   # for %s in promote.yaml, and a health check that fails then: docs/proxies.md", x.mover.Name)
	return x.finding(ruleProxy, SeverityWarning, x.key("labels"), message, advice)
}

// startsFirst reports whether promote starts a new container of the service beside the old one.
func (x examined) startsFirst() bool {
	if !x.runs() {
		return false
	}
	worker := x.mover.Runs[0] != x.Name && !x.mover.Concurrent
	return cmp.Or(x.mover.Strategy, x.env.Target.Rollout.Strategy) != promotion.Recreate && len(promotion.Obstacles(x.Service.Service, worker)) == 0
}

// routedByTraefik reports whether labels have Traefik send requests to a container.
func routedByTraefik(labels map[string]string) bool {
	for label := range labels {
		if strings.HasPrefix(label, "traefik.") {
			return labels["traefik.enable"] != "false"
		}
	}
	return false
}

// obstacleAt is where an obstacle's key stands; another service may be the one that shares a
// namespace.
func (x examined) obstacleAt(key string) compose.Place {
	if key == "networks" {
		return x.key("networks.*.ipv4_address", "networks.*.ipv6_address", "networks")
	}
	return x.key(key)
}

// notInFiles finds what promote.yaml runs and no environment has; that one environment goes without a
// compose service is normal. Where a file can't be loaded, nobody knows.
func (env Environment) notInFiles(all []Environment) []Finding {
	var found []Finding
	for _, s := range env.Target.Services {
		for _, name := range s.Runs {
			elsewhere := slices.ContainsFunc(all, func(other Environment) bool {
				_, has := other.written(name)
				return has || other.Failure != nil
			})
			if elsewhere {
				continue
			}
			at := env.Entries[s.Name]
			found = append(found, Finding{
				Rule: ruleNotInFiles, Severity: SeverityError, Service: s.Name, File: at.File, Line: at.Line, Column: at.Column,
				Message: "it runs the compose service " + name + ", which no compose file has", Advice: runsAdvice(s, all),
			})
		}
	}
	return found
}

// runsAdvice lists the compose services that have a service's image somewhere.
func runsAdvice(s promotion.Service, all []Environment) string {
	var names []string
	for _, env := range all {
		for _, w := range env.Services {
			if compose.SameRepository(w.Repository, s.Image) && !slices.Contains(names, w.Name) {
				names = append(names, w.Name)
			}
		}
	}
	if len(names) == 0 {
		return "docker compose config --services"
	}
	return fmt.Sprintf("runs: [%s]", strings.Join(names, ", "))
}

// sameProject finds an environment whose containers are another's as well for docker compose: the same
// project name on the same machine.
func (env Environment) sameProject(all []Environment) []Finding {
	for _, other := range all {
		if other.Target.Environment == env.Target.Environment {
			return nil
		}
		if other.Failure != nil || other.Project != env.Project || promotion.EngineNone == other.Target.Engine || promotion.EngineNone == env.Target.Engine {
			continue
		}
		return []Finding{{
			Rule: ruleSameProject, Severity: SeverityError, Environments: []string{other.Target.Environment, env.Target.Environment}, File: env.Place.File, Line: env.Place.Line, Column: env.Place.Column,
			Message: fmt.Sprintf("%s and %s are both the compose project %s on this machine: deploying one replaces the containers of the other", env.Target.Environment, other.Target.Environment, env.Project),
			Advice:  fmt.Sprintf("name: %s-%s   # for %s in promote.yaml", env.Project, env.Target.Environment, env.Target.Environment),
		}}
	}
	return nil
}
