package config

import (
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// derive fills in the defaults that depend on more than their key. The other defaults stand with the
// keys, in the tables.
func (c *Config) derive(d *decoder) {
	c.deriveNotify()
	c.deriveData()
	for _, s := range c.Services {
		if len(s.Runs) == 0 {
			s.Runs = []string{s.Name}
		}
		s.deriveChecks()
		if d.at(&s.GitTag) != nil {
			continue
		}
		tag := "v{version}"
		if len(c.Services) > 1 {
			tag = s.Name + "/" + tag
		}
		s.GitTag, _ = gitTag.read(d, scalar(tag, &yaml.Node{Line: s.Place.Line, Column: s.Place.Column}))
	}
}

// check finds the mistakes that lie between values.
func (c *Config) check(d *decoder) {
	c.checkRuns(d)
	c.checkHealth(d)
	c.checkAfter(d)
	c.checkFrom(d)
	c.checkLinked(d)
	c.checkChangelogs(d)
	c.checkNotify(d)
	c.checkPullLogins(d)
	c.checkData(d)
	for _, s := range c.Services {
		s.checkBuild(d)
		s.checkTasks(d)
	}
	services := names(c.Services)
	for _, e := range c.Environments {
		d.within(e.Name, func() { known(d, &e.Services, e.Services, "service", services) })
		e.checkEngine(d)
		if hosts := d.at(&e.Hosts); hosts != nil && d.at(&e.Project) == nil {
			d.fail(hosts, "%s: project is missing: the project directory on the host", e.Name)
		}
	}
}

// checkRuns keeps a compose service from being two services' own: they would fight over its pin.
func (c *Config) checkRuns(d *decoder) {
	owner := map[string]*Service{}
	for _, s := range c.Services {
		for i, run := range s.Runs {
			if first := owner[run]; first != nil {
				d.failAt(s.placeOfRun(d, i), "%s: the compose service %s already runs %s", s.Name, run, first.Name)
				continue
			}
			owner[run] = s
		}
	}
}

func (s *Service) placeOfRun(d *decoder, i int) Place {
	if d.at(&s.Runs) == nil {
		return s.Place
	}
	return d.place(d.item(&s.Runs, i))
}

func (c *Config) checkAfter(d *decoder) {
	all, next := names(c.Services), map[string][]string{}
	for _, s := range c.Services {
		d.within(s.Name, func() { known(d, &s.After, s.After, "service", all) })
		next[s.Name] = s.After
	}
	for _, cycle := range cycles(all, next) {
		s, _ := c.Service(cycle[0])
		i := slices.Index(s.After, cycle[1])
		d.fail(d.item(&s.After, i), "%s: after makes a cycle: %s", s.Name, strings.Join(cycle, " → "))
	}
}

func (c *Config) checkFrom(d *decoder) {
	all, next := names(c.Environments), map[string][]string{}
	for _, e := range c.Environments {
		if e.From == "" {
			continue
		}
		d.within(e.Name, func() { known(d, &e.From, []string{e.From}, "environment", all) })
		next[e.Name] = []string{e.From}
	}
	for _, cycle := range cycles(all, next) {
		e, _ := c.Environment(cycle[0])
		d.fail(d.at(&e.From), "%s: from makes a cycle: %s", e.Name, strings.Join(cycle, " → "))
	}
}

// checkLinked keeps a service from having two versions that it shall always have.
func (c *Config) checkLinked(d *decoder) {
	all, owner := names(c.Services), map[string]int{}
	for i := range c.Linked {
		set, n := &c.Linked[i], d.item(&c.Linked, i)
		d.nodes[set] = n
		d.within("linked", func() { known(d, set, *set, "service", all) })
		if len(*set) < 2 {
			d.fail(n, "linked: a set of one service links nothing")
		}
		for j, name := range *set {
			if first, taken := owner[name]; taken && first != i {
				d.fail(d.item(set, j), "linked: %s is in another set already", shortened(name))
			}
			owner[name] = i
		}
	}
}

// checkChangelogs keeps services whose versions differ out of one file: a heading there names a version only.
func (c *Config) checkChangelogs(d *decoder) {
	owner := map[string]*Service{}
	for _, s := range c.Services {
		if s.Changelog == "" || s.Changelog == ChangelogNone {
			continue
		}
		path := filepath.Clean(s.Changelog)
		if first := owner[path]; first != nil && !slices.Contains(c.LinkedTo(s), first) {
			d.fail(d.at(&s.Changelog), "%s: %s is the changelog of %s, which is not linked to it", s.Name, s.Changelog, first.Name)
			continue
		}
		owner[path] = s
	}
}

// checkEngine refuses what would have no effect: with engine none nothing runs, with another one nothing
// is committed.
func (e *Environment) checkEngine(d *decoder) {
	refuse := func(field any, message string) {
		if n := d.at(field); n != nil {
			d.fail(n, "%s: %s", e.Name, message)
		}
	}
	if e.Engine == EngineNone {
		refuse(&e.Hosts, "engine none changes files on this machine only; it has no hosts")
	} else if e.Git != nil {
		refuse(&e.Git, "git is for engine none only")
	}
	if e.Engine == EngineSwarm && e.ProjectName == "" {
		d.failAt(e.Place, "%s: engine swarm needs name, which is the stack's", e.Name)
	}
	if e.Engine == EngineSwarm && len(e.Hosts) > 1 {
		refuse(&e.Hosts, "a swarm is deployed to through one of its managers; name that as host")
	}
	if e.Git != nil && e.Git.Push && !e.Git.Commit {
		refuse(&e.Git, "git can't push what it doesn't commit")
	}
}

// known reports the values of a field that name nothing.
func known(d *decoder, field any, values []string, noun string, all []string) {
	for i, value := range values {
		if !slices.Contains(all, value) {
			d.fail(d.item(field, i), "unknown %s %q%s", noun, shortened(value), didYouMean(value, all))
		}
	}
}

// cycles gives every way from a name back to itself along next, each once, with that name at both ends.
func cycles(order []string, next map[string][]string) [][]string {
	var found [][]string
	var path []string
	done := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		if i := slices.Index(path, name); i >= 0 {
			found = append(found, append(slices.Clone(path[i:]), name))
			return
		}
		if done[name] {
			return
		}
		path = append(path, name)
		for _, to := range next[name] {
			visit(to)
		}
		path, done[name] = path[:len(path)-1], true
	}
	for _, name := range order {
		visit(name)
	}
	return found
}
