package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"promote/compose"
	"promote/internal/docker"
	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/registry"
	"promote/semver"
)

// CheckState says how a check went.
type CheckState string

const (
	Fine    CheckState = "ok"
	Warning CheckState = "warning" // a deployment will work, but
	Broken  CheckState = "failed"  // a deployment would fail
)

// Check is one thing that a deployment needs, looked at beforehand.
type Check struct {
	Name   string     `json:"check"`
	State  CheckState `json:"state"`
	Text   string     `json:"text"`
	Advice string     `json:"advice,omitempty"` // how to mend it
}

// CheckOf is what an error means for a check: it failed, with the error's own hint.
func CheckOf(name string, err error) Check {
	return Check{Name: name, State: Broken, Text: err.Error(), Advice: Advice(err)}
}

func fine(name, format string, args ...any) Check {
	return Check{Name: name, State: Fine, Text: fmt.Sprintf(format, args...)}
}

func warn(name, advice, format string, args ...any) Check {
	return Check{Name: name, State: Warning, Text: fmt.Sprintf(format, args...), Advice: advice}
}

func broken(name, advice, format string, args ...any) Check {
	return Check{Name: name, State: Broken, Text: fmt.Sprintf(format, args...), Advice: advice}
}

// Checkup is what a machine finds out about itself, and its clock.
type Checkup struct {
	Now    time.Time `json:"now"`
	Checks []Check   `json:"checks"`
}

// Checkup looks at all that a deployment of the environment will need on this machine. Nothing is
// changed. credentials are as for Order.
func (m *Machine) Checkup(ctx context.Context, credentials map[string]string) Checkup {
	project, err := m.load(ctx)
	looks := []look{m.checkHistory, m.checkDisk, m.checkLogin}
	facts := sync.OnceValues(func() (docker.Facts, error) { return m.Engine.Facts(ctx) })
	if m.Engine != nil {
		looks = append(looks, func(ctx context.Context) []Check { return m.checkEngine(ctx, facts) }, m.checkDriver)
	}
	if err != nil {
		looks = append([]look{func(context.Context) []Check { return one(CheckOf("files", err)) }}, looks...)
	} else {
		looks = append(looks, m.ofProject(project, facts, credentials)...)
	}
	found := make([][]Check, len(looks))
	var group sync.WaitGroup
	for i, look := range looks {
		group.Go(func() { found[i] = look(ctx) })
	}
	group.Wait()
	return Checkup{Now: m.Now().UTC(), Checks: slices.Concat(found...)}
}

// look is one thing to look at.
type look func(context.Context) []Check

// engineFacts asks the engine what it is, once for all who want to know.
type engineFacts func() (docker.Facts, error)

// ofProject are the looks at what the compose files say.
func (m *Machine) ofProject(p *compose.Project, facts engineFacts, credentials map[string]string) []look {
	looks := []look{func(context.Context) []Check { return m.checkFiles(p) }}
	if m.Engine == nil {
		return looks
	}
	check := m.checkProject
	if m.Target.Engine == promotion.EngineSwarm {
		check = m.checkStack
	}
	looks = append(looks, func(ctx context.Context) []Check { return one(check(ctx, p)) })
	services := byName(p)
	for _, s := range m.Target.Services {
		if part := services[s.Runs[0]]; part.Image != "" {
			looks = append(looks, func(ctx context.Context) []Check {
				repository := part.Repository // a login goes to the registry that it is for
				if compose.SameRepository(repository, s.Image) {
					repository = s.Image
				}
				return one(m.checkImage(ctx, facts, part.Image, m.auth(ctx, credentials, repository)))
			})
		}
	}
	return looks
}

func one(c Check) []Check { return []Check{c} }

// checkFiles looks whether every version can be changed where it stands.
func (m *Machine) checkFiles(p *compose.Project) []Check {
	var checks []Check
	seen := map[string]bool{}
	for _, s := range p.Services() {
		if s.Refusal != "" {
			checks = append(checks, broken("files", "promote lint "+m.Target.Environment, "%s", s.Refusal))
			continue
		}
		if path := s.Place.File; !seen[path] {
			seen[path] = true
			if err := writable(path); err != nil {
				check := CheckOf("files", err)
				check.Advice = cmp.Or(check.Advice, "chown or chmod "+filepath.Dir(path)+": promote writes a new file there and renames it")
				checks = append(checks, check)
			}
		}
	}
	if len(checks) == 0 {
		checks = one(fine("files", "every version in %s can be changed", m.short(p.Files())))
	}
	return checks
}

func (m *Machine) short(paths []string) string {
	var list []string
	for _, path := range paths {
		if relative, err := filepath.Rel(m.Target.Project, path); err == nil {
			path = relative
		}
		list = append(list, path)
	}
	return strings.Join(list, ", ")
}

// checkHistory looks whether the journal can be read and written, and whether all that began has ended.
func (m *Machine) checkHistory(context.Context) []Check { return one(m.historyCheck()) }

func (m *Machine) historyCheck() Check {
	const name = "history"
	holder, err := m.journal().Locked()
	if err != nil {
		return CheckOf(name, err)
	}
	if holder != nil {
		return warn(name, "promote attach "+m.Target.Environment, "somebody is at it: %s", holder)
	}
	state := promotion.State{}
	if err := m.recall(&state); err != nil {
		return CheckOf(name, err)
	}
	if i := state.Interrupted; i != nil {
		return warn(name, "promote resume "+m.Target.Environment, "%s %s by %s began and did not end", i.Kind, i.ID, i.By)
	}
	dir := filepath.Join(m.Target.Project, journal.Folder)
	if _, err := os.Stat(dir); err != nil {
		dir = m.Target.Project // it will be made there
	}
	if err := writable(filepath.Join(dir, "history.jsonl")); err != nil {
		return broken(name, "chown or chmod "+dir, "%v", err)
	}
	return fine(name, "it can be written in %s", dir)
}

// scarce is the free space below which the next deployments may not fit.
const scarce = 1 << 30 // bytes

func (m *Machine) checkDisk(context.Context) []Check {
	return one(m.diskCheck("disk", m.Target.Project))
}

// diskCheck looks for space and inodes.
func (m *Machine) diskCheck(name, path string) Check {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return CheckOf(name, fmt.Errorf("%s: %w", path, err))
	}
	free := s.Bavail * uint64(s.Bsize)
	text, advice := fmt.Sprintf("%s has %d MB free", path, free>>20), "promote gc "+m.Target.Environment
	switch {
	case s.Files > 0 && s.Ffree < 1000:
		return broken(name, advice, "%s has no inodes left (%d)", path, s.Ffree)
	case free < least:
		return broken(name, advice, "%s", text)
	case free < scarce:
		return warn(name, advice, "%s", text)
	}
	return fine(name, "%s", text)
}

// oldest are the versions that promote was tried with.
var (
	oldestAPI     = semver.MustParse("1.41.0") // Engine 20.10
	oldestCompose = semver.MustParse("2.20.0")
)

func (m *Machine) checkEngine(ctx context.Context, ask engineFacts) []Check {
	const name = "engine"
	facts, err := ask()
	if err != nil {
		return one(CheckOf(name, err))
	}
	check := fine(name, "Docker Engine %s, API %s, %s", facts.Version, facts.API, facts.Platform)
	if v, err := semver.Parse(facts.API + ".0"); err == nil && v.Less(oldestAPI) {
		check = broken(name, "apt-get install docker.io", "Docker Engine %s is older than 20.10", facts.Version)
	}
	checks := one(check)
	root, here, err := m.Engine.Root(ctx)
	if err == nil && here {
		checks = append(checks, m.diskCheck("engine disk", root))
	}
	return checks
}

// checkDriver looks at what the project's containers are worked on with.
func (m *Machine) checkDriver(ctx context.Context) []Check {
	if m.Target.Engine == promotion.EngineSwarm {
		return one(m.checkManager(ctx))
	}
	return m.checkCompose(ctx)
}

func (m *Machine) checkManager(ctx context.Context) Check {
	const name = "swarm"
	if err := m.Engine.Manager(ctx); err != nil {
		return CheckOf(name, err)
	}
	services, err := m.Engine.StackServices(ctx, m.Target.Name)
	if err != nil {
		return CheckOf(name, err)
	}
	return fine(name, "the engine is a manager, the stack %s has %d services", m.Target.Name, len(services))
}

// checkStack looks whether docker stack accepts the files.
func (m *Machine) checkStack(ctx context.Context, p *compose.Project) Check {
	const name = "project"
	stack, err := m.stackCommand(p, m.Target.Name)
	if err != nil {
		return CheckOf(name, err)
	}
	overlay, err := p.Overlay(nil)
	if err != nil {
		return CheckOf(name, err)
	}
	if err := stack.Check(ctx, overlay); err != nil {
		return CheckOf(name, err)
	}
	return fine(name, "docker stack accepts %s", m.short(p.Files()))
}

func (m *Machine) checkCompose(ctx context.Context) []Check {
	const name = "compose"
	text, err := docker.ComposeVersion(ctx, m.Environ)
	if err != nil {
		return one(CheckOf(name, err))
	}
	if v, err := semver.Parse(text); err == nil && v.Less(oldestCompose) {
		return one(broken(name, "apt-get install docker-compose-plugin", "docker compose %s is older than %s", text, oldestCompose))
	}
	return one(fine(name, "docker compose %s", text))
}

// checkProject looks whether docker compose accepts the files, and whose containers have the project's
// name.
func (m *Machine) checkProject(ctx context.Context, p *compose.Project) Check {
	const name = "project"
	containers, err := m.Engine.Containers(ctx, "")
	if err != nil {
		return CheckOf(name, err)
	}
	project, err := m.projectName(p, containers)
	if err != nil {
		return CheckOf(name, err)
	}
	running := 0
	for _, c := range containers {
		if c.Project == project && c.Dir != "" && !samePath(c.Dir, p.Dir()) {
			return broken(name, "give one of them another name: in promote.yaml, or in its compose file", "the compose project %s also runs from %s", project, c.Dir)
		}
		if c.Project == project {
			running++
		}
	}
	if err := m.command(p, project).Check(ctx); err != nil {
		return broken(name, "docker compose config", "%v", err)
	}
	return fine(name, "docker compose accepts %s, %d containers are there", project, running)
}

// checkImage asks, as the engine, for the image that a service has now: whether the registry can be
// reached from there, lets it in, and has something that the engine can run.
func (m *Machine) checkImage(ctx context.Context, ask engineFacts, image, auth string) Check {
	const name = "image"
	facts, err := ask()
	if err != nil {
		return CheckOf(name, err)
	}
	platforms, err := m.Engine.Published(ctx, image, auth)
	if errors.Is(err, registry.ErrNotFound) {
		return warn(name, "promote versions", "%s is not in its registry", image)
	}
	if err != nil {
		return CheckOf(name, err)
	}
	runs := func(p string) bool { return p == facts.Platform || strings.HasPrefix(p, facts.Platform+"/") }
	if len(platforms) > 0 && !slices.ContainsFunc(platforms, runs) {
		return broken(name, "docker build --platform "+facts.Platform, "%s is for %s, the engine runs %s", image, strings.Join(platforms, ", "), facts.Platform)
	}
	return fine(name, "the engine can pull %s", image)
}
