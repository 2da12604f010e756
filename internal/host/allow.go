package host

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v4"

	"promote/compose"
	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/registry"
	"promote/semver"
)

// AllowFile is where a host says more of what a limited key may do. The client can't write it.
const AllowFile = "allow.yaml"

// Allowance is what a limited key may do: move versions in one project directory, between the releases of
// the repositories that its compose files already name. It is for
//
//	restrict,command="promote host --project /srv/shop" ssh-ed25519 …
//
// in authorized_keys.
type Allowance struct {
	Project string // the only project directory
	As      string // who uses the key, whatever the client says; empty: as it says
	settings
}

// settings are those of the allow file, at the defaults where there is none.
type settings struct {
	Names    nameList     `yaml:"environment"` // of environments; default: those that the history has
	Compose  []string     `yaml:"compose"`     // compose files; default: what docker compose finds
	EnvFile  []string     `yaml:"env_file"`    // env files; default: .env
	Name     string       `yaml:"name"`        // compose project, or the swarm's stack
	Engine   string       `yaml:"engine"`      // compose, which is the default, or swarm
	Profiles []string     `yaml:"profiles"`
	Accept   semver.Range `yaml:"-"` // versions that may come here
	Range    string       `yaml:"accept"`
	Commands []Command    `yaml:"commands"`      // that may be run in a container, by checks, for proxies and as tasks
	OnHost   []Command    `yaml:"host_commands"` // that may be run on the host itself, as tasks
	Data     []Data       `yaml:"data"`          // that may be read from here, or replaced
}

// nameList is one name, or several.
type nameList []string

// UnmarshalYAML reads a text as one name.
func (l *nameList) UnmarshalYAML(n *yaml.Node) error {
	var list []string
	if n.Kind == yaml.ScalarNode {
		list = []string{n.Value}
	} else if err := n.Decode(&list); err != nil {
		return err
	}
	*l = list
	return nil
}

// Allow reads what a key that is limited to a project directory may do.
func Allow(project string) (*Allowance, error) {
	project, err := filepath.Abs(project)
	if err != nil {
		return nil, err
	}
	return (&Allowance{Project: project}).reread()
}

// reread reads the allow file as it is now.
func (old *Allowance) reread() (*Allowance, error) {
	project := old.Project
	a := &Allowance{Project: project, As: old.As, settings: settings{Engine: promotion.EngineCompose}}
	path := filepath.Join(project, journal.Folder, AllowFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return nil, err
	}
	if err := a.read(data); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if a.Engine = cmp.Or(a.Engine, promotion.EngineCompose); a.Engine != promotion.EngineCompose && a.Engine != promotion.EngineSwarm {
		return nil, fmt.Errorf("%s: engine: expected compose or swarm, found %q", path, a.Engine)
	}
	if a.Range != "" {
		if a.Accept, err = semver.ParseRange(a.Range); err != nil {
			return nil, fmt.Errorf("%s: accept: %w", path, err)
		}
	}
	return a, nil
}

// read takes the settings from the allow file. What somebody may have meant to forbid something with is never
// passed over: a second document, a key without a value.
func (s *settings) read(data []byte) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	err := decoder.Decode(s)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil && !errors.Is(decoder.Decode(new(yaml.Node)), io.EOF) {
		err = errors.New("it has more than one document")
	}
	if err != nil {
		return err
	}
	var keys map[string]yaml.Node
	if err := yaml.Unmarshal(data, &keys); err != nil {
		return err
	}
	for key, value := range keys {
		if value.Value == "" && len(value.Content) == 0 || value.Tag == "!!null" {
			return fmt.Errorf("%s has no value", key)
		}
	}
	return nil
}

// deniedError is what a limited key may not do.
type deniedError struct{ reason string }

func (e *deniedError) Error() string { return "this key may not do that: " + e.reason }

// Hint says who can change it.
func (e *deniedError) Hint() string {
	return "whoever looks after the host decides it, in authorized_keys and in " + journal.Folder + "/" + AllowFile + " of the project"
}

func deny(format string, args ...any) error { return &deniedError{fmt.Sprintf(format, args...)} }

// limit makes a request one about what is allowed: where the files are and how the project is called is
// taken from the host, whatever the client says.
func (a *Allowance) limit(r *Request) error {
	if filepath.Clean(r.Target.Project) != a.Project {
		return deny("%s is not %s", r.Target.Project, a.Project)
	}
	if swarm := promotion.EngineSwarm; (r.Target.Engine == swarm) != (a.Engine == swarm) {
		return deny("the engine is %s here, not %s", a.Engine, r.Target.Engine)
	}
	if err := a.permitEnvironment(r.Target.Environment); err != nil {
		return err
	}
	a.target(&r.Target)
	r.By = cmp.Or(a.As, r.By)
	if r.Job != nil {
		r.Job.Plan.Target = r.Target // what is looked at here is what the worker does
		r.Job.Plan.By = cmp.Or(a.As, r.Job.Plan.By)
		for i := range r.Job.Plan.Marks {
			r.Job.Plan.Marks[i].By = cmp.Or(a.As, r.Job.Plan.Marks[i].By)
		}
		return a.permitRuns(r.Target)
	}
	return nil
}

// permitEnvironment keeps a key to the environments of the project: locks, holds and the history go by the name.
func (a *Allowance) permitEnvironment(name string) error {
	allowed := []string(a.Names)
	if len(allowed) == 0 {
		entries, err := journal.Open(a.Project).Entries()
		if err != nil {
			return err
		}
		for _, e := range entries {
			allowed = append(allowed, e.Environment)
		}
	}
	if len(allowed) > 0 && !slices.Contains(allowed, name) {
		return deny("%q is no environment of this project", name)
	}
	return nil
}

// permitBegin refuses a limited key to begin anything while somebody keeps the environment locked, or something in the
// folder waits to be resumed, in whichever environment. The caller holds the lock, so that what it sees stays so; who
// comes back to follow what began already is not asked.
func (m at) permitBegin(ctx context.Context, job *Job) error {
	if m.allow == nil || job.Resume != "" {
		return nil
	}
	state, err := m.State(ctx)
	if err != nil {
		return err
	}
	if lock := state.Locked; lock != nil {
		return deny("%s is locked by %s", state.Environment, lock.By)
	}
	entries, err := m.journal().Entries()
	if err != nil {
		return err
	}
	for id, waits := range journal.Pending(entries) {
		if waits {
			return deny("%s waits to be resumed", id)
		}
	}
	return nil
}

func (a *Allowance) target(t *promotion.Target) {
	t.Project, t.Compose, t.EnvFiles, t.Name, t.Profiles = a.Project, a.Compose, a.EnvFile, a.Name, a.Profiles
	t.Engine, t.Git = a.Engine, nil
}

// permit looks at what a job would do: only to services of the project, and only releases of the
// repositories that they are on.
func (a *Allowance) permit(ctx context.Context, m at, job *Job) error {
	state, err := m.State(ctx)
	if err != nil {
		return err
	}
	plan := job.Plan
	if err := a.permitLoads(plan); err != nil {
		return err
	}
	if err := permitChecks(state, plan.Target); err != nil || job.Resume != "" {
		return err // what is resumed was permitted when it began, and launch looks whether it did
	}
	if err := permitSteps(plan); err != nil {
		return err
	}
	if err := permitRun(state, plan); err != nil {
		return err
	}
	for i := range plan.Moves {
		settleFacts(state, plan.Target, &plan.Moves[i])
	}
	for _, move := range plan.Moves {
		if err := a.permitRelease(plan.Target, move); err != nil {
			return err
		}
		for _, roll := range move.Rolls {
			if err := permitRoll(state, move, roll); err != nil {
				return err
			}
			if err := permitProxies(state, plan.Target, move, roll); err != nil {
				return err
			}
		}
	}
	return nil
}

// permitSteps has a plan do what promote itself would: the steps of its moves, or one of the target's tasks.
func permitSteps(plan promotion.Plan) error {
	wanted := promotion.Steps(plan.Target, plan.Moves)
	if plan.Kind == promotion.MoveData && plan.Data != nil && len(plan.Moves) == 0 {
		wanted = plan.Data.Steps()
	}
	if plan.Kind == promotion.Run && len(plan.Steps) > 0 && len(plan.Moves) == 0 {
		step := plan.Steps[0]
		task, _ := plan.Target.Task(step.Service, step.Task)
		if task.In == promotion.InHere {
			return deny("the task %q is not for this machine", step.Task)
		}
		if !slices.ContainsFunc([][]string{task.Run, task.Undo, task.List}, func(argv []string) bool { return len(argv) > 0 && slices.Equal(argv, step.Run) }) {
			return deny("%q is no command of the task %q", step.Run, step.Task)
		}
		own := promotion.Step{Kind: promotion.TaskStep, Service: step.Service, Task: step.Task, Undo: step.Undo, Of: step.Of, List: step.List, Run: step.Run}
		wanted = promotion.StepsAlone(own)
	}
	if !reflect.DeepEqual(plan.Steps, wanted) {
		return deny("the steps of %s are not those of its moves", plan.ID)
	}
	return nil
}

// permitRun has a task by itself run in a container of the project.
func permitRun(state promotion.State, plan promotion.Plan) error {
	if plan.Kind != promotion.Run {
		return nil
	}
	s, found := state.Service(plan.Steps[0].Service)
	task, _ := plan.Target.Task(plan.Steps[0].Service, plan.Steps[0].Task)
	if task.In != promotion.InHost && (!found || len(s.Parts) == 0) {
		return deny("%q is no service of the project", plan.Steps[0].Service)
	}
	return nil
}

// settleFacts has the host's own commands find in their environment what is so here, whatever the client says: what
// the service is on, and the version that its new tag is.
func settleFacts(state promotion.State, t promotion.Target, m *promotion.Move) {
	for _, s := range t.Services {
		if own, found := state.Service(m.Service); found && s.Name == m.Service && len(own.Parts) > 0 {
			m.From = own.Present(s.Tag)
			m.To.Version, _ = s.Tag.Parse(m.To.Tag)
		}
	}
}

// templateGrammar keeps the client's way to write versions in tags from taking a digit away from one: with v1{version},
// v11.0.0 would be 1.0.0.
var templateGrammar = regexp.MustCompile(`^([A-Za-z0-9_.-]*[A-Za-z_-])?\{version\}([-_][A-Za-z].*)?$`)

// permitRelease goes by the tag, since that is what will stand in the file: the version that the client
// says it is may be another.
func (a *Allowance) permitRelease(t promotion.Target, move promotion.Move) error {
	if _, err := compose.ParsePin(written(move.To)); err != nil || len(move.Rolls) == 0 {
		return deny("%q of %s is no release", written(move.To), move.Service)
	}
	if a.Range == "" {
		return nil
	}
	i := slices.IndexFunc(t.Services, func(s promotion.Service) bool { return s.Name == move.Service })
	if i < 0 {
		return deny("%q is no service of the environment", move.Service)
	}
	if template := t.Services[i].Tag.String(); !templateGrammar.MatchString(template) {
		return deny("%q is no way to write versions", template)
	}
	if v, ok := t.Services[i].Tag.Parse(move.To.Tag); !ok || !a.Accept.Allows(v) {
		return deny("%s is not in %s", cmp.Or(move.To.Tag, move.To.Digest), a.Range)
	}
	return nil
}

// written is a release as a compose file names it.
func written(r registry.Release) string {
	return compose.Pin{Tag: r.Tag, Digest: r.Digest}.String()
}

func permitRoll(state promotion.State, move promotion.Move, roll promotion.Roll) error {
	if len(roll.Changes) == 0 || roll.Changes[0].Service != roll.Service {
		return deny("%q would be replaced without a change of its version", roll.Service)
	}
	if part, _ := partOf(state, roll.Service); !slices.Equal(roll.Attached, part.Attached) {
		return deny("the services in the namespaces of %q are not those that would be made anew", roll.Service)
	}
	for _, c := range roll.Changes {
		part, found := partOf(state, c.Service)
		switch {
		case !found:
			return deny("%q is no service of the project that it names", c.Service)
		case !compose.SameRepository(part.Compose.Repository, move.Image):
			return deny("%s runs %s, not %s", c.Service, part.Compose.Repository, move.Image)
		case !names(c.To, move.To):
			return deny("%q would stand in the file for %q", c.To, written(move.To))
		}
	}
	return nil
}

// permitProxies has a plan tell no other proxies anything, and nothing else, than follows from the target.
func permitProxies(state promotion.State, t promotion.Target, move promotion.Move, roll promotion.Roll) error {
	if len(roll.Proxies) == 0 {
		return nil
	}
	i := slices.IndexFunc(t.Services, func(s promotion.Service) bool { return s.Name == move.Service })
	part, found := partOf(state, roll.Service)
	if i < 0 || !found || !reflect.DeepEqual(roll.Proxies, t.Services[i].Proxies(state.Project, part)) {
		return deny("the proxies of %q are not those that are in front of it", roll.Service)
	}
	return nil
}

// names reports whether a pin is one of the ways to write a release: its tag, its digest, both, or, for
// latest, nothing.
func names(pin compose.Pin, r registry.Release) bool {
	implied := pin.Tag == "" && (pin.Digest != "" || r.Tag == "" || r.Tag == "latest")
	return (pin.Tag == r.Tag || implied) && (pin.Digest == "" || pin.Digest == r.Digest)
}

func partOf(state promotion.State, name string) (promotion.Part, bool) {
	for _, s := range state.Services {
		if i := slices.IndexFunc(s.Parts, func(p promotion.Part) bool { return p.Compose.Name == name }); i >= 0 {
			return s.Parts[i], true
		}
	}
	return promotion.Part{}, false
}
