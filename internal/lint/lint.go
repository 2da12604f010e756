// Package lint says what in compose files will bite the users of environments. It reads files, and asks
// neither an engine nor a registry.
package lint

import (
	"cmp"
	"slices"

	"promote/compose"
	"promote/internal/promotion"
)

// Severity is how bad a finding is.
type Severity string

const (
	SeverityError   Severity = "error"   // promote will refuse, or something else than what is written will run
	SeverityWarning Severity = "warning" // it will bite some day, and can be mended
	SeverityNote    Severity = "note"    // good to know; often it has to be so
)

const (
	ruleCannotLoad       = "cannot-load"
	ruleCannotMove       = "cannot-move"
	ruleNotInFiles       = "not-in-files"
	ruleOtherImage       = "other-image"
	ruleSharedPlace      = "shared-place"
	ruleUnsetVariable    = "unset-variable"
	ruleShadowedDefault  = "shadowed-default"
	ruleFloatingTag      = "floating-tag"
	ruleVersionsDiffer   = "versions-differ"
	ruleSameProject      = "same-project"
	ruleBuildBesideImage = "build-beside-image"
	ruleNoHealthCheck    = "no-health-check"
	ruleNoRestart        = "no-restart"
	ruleOneCopy          = "one-copy"
	ruleProxy            = "proxy"
)

// Rules are the names of all rules, in the order of the documentation.
var Rules = []string{
	ruleCannotLoad, ruleCannotMove, ruleNotInFiles, ruleOtherImage, ruleSharedPlace, ruleUnsetVariable, ruleShadowedDefault,
	ruleFloatingTag, ruleVersionsDiffer, ruleSameProject, ruleBuildBesideImage, ruleNoHealthCheck, ruleNoRestart, ruleOneCopy, ruleProxy,
}

// Finding is something in the compose files of environments that will bite somebody.
type Finding struct {
	Rule         string   `json:"rule"`
	Severity     Severity `json:"severity"`
	Environments []string `json:"environments,omitempty"` // in which it was found, in the order of promote.yaml
	Service      string   `json:"service,omitempty"`      // of compose; of promote.yaml where compose has none
	File         string   `json:"file"`                   // absolute
	Line         int      `json:"line,omitempty"`         // from 1; zero where the file or directory as a whole is meant
	Column       int      `json:"column,omitempty"`       // from 1, in characters
	Message      string   `json:"message"`
	Advice       string   `json:"advice"` // a command or YAML to paste
}

// Environment is what is known of the compose files of an environment, without asking any engine.
type Environment struct {
	Target   promotion.Target
	Place    compose.Place             // of the environment in promote.yaml
	Entries  map[string]compose.Place  // service → its place in promote.yaml
	Project  string                    // compose project name
	Services []Service                 // every compose service of the files
	Refusals map[string]*compose.Error // compose service → why its version can't be changed
	Failure  *compose.Error            // it can't be loaded; nothing but Target and the places is known then
}

// Service is a compose service as its files say it.
type Service struct {
	compose.Service
	At        compose.Place            // of the service's own key
	Keys      map[string]compose.Place // where its keys are, of those that Keys names
	Variables []compose.Variable       // of its image
	Labels    map[string]string        // of its containers
	Awaited   bool                     // others wait for it to do its work and end
}

// Keys are the keys of a service whose places [FindProblems] wants to know.
var Keys = []string{
	"image", "build", "ports", "container_name", "networks", "networks.*.ipv4_address", "networks.*.ipv6_address", "network_mode",
	"volumes", "restart", "labels", "deploy.restart_policy", "deploy.update_config.order", "healthcheck.disable", "healthcheck.interval", "healthcheck.test",
}

// FindProblems says what will bite the users of environments, by looking at their files alone. Give it all
// environments, also where only some of them are asked about: what one of them lacks may stand in
// another. The findings are sorted by file, line and rule; what several environments have in common is
// found once.
func FindProblems(environments []Environment) []Finding {
	var found []Finding
	for _, env := range environments {
		for _, f := range env.findings(environments) {
			if name := env.Target.Environment; name != "" && f.Environments == nil {
				f.Environments = []string{name}
			}
			found = append(found, f)
		}
	}
	return merged(found)
}

// findings are those of one environment.
func (env Environment) findings(all []Environment) []Finding {
	if e := env.Failure; e != nil {
		return []Finding{{Rule: ruleCannotLoad, Severity: SeverityError, File: e.File, Line: e.Line, Column: e.Column, Message: e.Reason, Advice: e.Advice}}
	}
	found := slices.Concat(env.notInFiles(all), env.sameProject(all))
	for _, w := range env.Services {
		x := examined{Service: w, env: env, mover: env.mover(w.Name)}
		for _, rule := range rules {
			found = append(found, rule(x)...)
		}
	}
	return found
}

// mover is the service of promote.yaml that a compose service moves with, or nil.
func (env Environment) mover(name string) *promotion.Service {
	i := slices.IndexFunc(env.Target.Services, func(s promotion.Service) bool { return slices.Contains(s.Runs, name) })
	if i < 0 {
		return nil
	}
	return &env.Target.Services[i]
}

func (env Environment) written(name string) (Service, bool) {
	i := slices.IndexFunc(env.Services, func(w Service) bool { return w.Name == name })
	if i < 0 {
		return Service{}, false
	}
	return env.Services[i], true
}

// merged sorts findings, and makes one of those that several environments have in common.
func merged(found []Finding) []Finding {
	slices.SortStableFunc(found, compareFindings)
	var list []Finding
	for _, f := range found {
		if n := len(list); n > 0 && compareFindings(list[n-1], f) == 0 {
			list[n-1].Environments = append(list[n-1].Environments, f.Environments...)
			continue
		}
		list = append(list, f)
	}
	return list
}

// compareFindings leaves out the advice: that may name the environment.
func compareFindings(a, b Finding) int {
	return cmp.Or(
		cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Column, b.Column),
		cmp.Compare(a.Service, b.Service), cmp.Compare(a.Message, b.Message), cmp.Compare(a.Severity, b.Severity),
	)
}
