package promotion

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
)

// Phases of tasks.
const (
	PhaseBackup      = "backup"      // before everything else; it has to say something, or leave a file: an empty one is none
	PhaseBefore      = "before"      // before any container is replaced: a migration
	PhaseMaintenance = "maintenance" // on before the migrations that follow it, off once all is verified
	PhaseVerify      = "verify"      // once all containers are replaced
	PhaseAfter       = "after"       // once all is verified
	PhaseFailure     = "failure"     // once what failed was put back
	PhaseManual      = "manual"      // only by promote run
)

// Places where tasks run.
const (
	InNew     = "new"     // a one-off container of the new image
	InHost    = "host"    // the environment's machine
	InHere    = "here"    // the client's machine: before the deployment is handed over, or once it ended
	InService = "service" // a container that runs: service:NAME
)

// Task is a command of the user's around a deployment.
type Task struct {
	Name     string        `json:"name"`
	Phase    string        `json:"phase"`
	In       string        `json:"in"` // new, host, here or service:NAME
	Run      []string      `json:"run"`
	Undo     []string      `json:"undo,omitempty"`    // what takes it back
	List     []string      `json:"list,omitempty"`    // what says beforehand what it would do
	Changed  []string      `json:"changed,omitempty"` // patterns of files of the service: without a change of one it does not run
	Timeout  time.Duration `json:"timeout"`
	Optional bool          `json:"optional,omitempty"` // its failure is not the deployment's
}

// Service is the compose service whose container the task runs in, if it runs in one that is there.
func (t Task) Service() string {
	where, service, _ := strings.Cut(t.In, ":")
	if where != InService {
		return ""
	}
	return service
}

// Files are what is known of the difference between the release that a service is on and another one.
type Files struct {
	Known   bool     // whether it could be found out; if not, everything may have changed
	Changed []string // relative to the service's path
}

// wanted reports whether a task has something to do.
func (t Task) wanted(f Files) bool {
	return len(t.Changed) == 0 || !f.Known || len(t.WaitsFor(f)) > 0
}

// WaitsFor are those of the files that changed which the task waits for.
func (t Task) WaitsFor(f Files) []string {
	var list []string
	for _, file := range f.Changed {
		if slices.ContainsFunc(t.Changed, func(pattern string) bool { return Matches(pattern, file) }) {
			list = append(list, file)
		}
	}
	return list
}

// Matches reports whether a path matches a pattern: as [path.Match] says, and ** is any number of folders.
func Matches(pattern, file string) bool {
	return matchParts(strings.Split(pattern, "/"), strings.Split(file, "/"))
}

func matchParts(pattern, parts []string) bool {
	switch {
	case len(pattern) == 0:
		return len(parts) == 0
	case pattern[0] == "**":
		return matchParts(pattern[1:], parts) || len(parts) > 0 && matchParts(pattern, parts[1:])
	case len(parts) == 0:
		return false
	}
	fits, err := path.Match(pattern[0], parts[0])
	return err == nil && fits && matchParts(pattern[1:], parts[1:])
}

// tasks are those of a service that a move to another release runs, by name. Going back runs no migration, and what
// belongs to one only if one is taken back.
func (r Request) tasks(s Service, back []Undoing) []string {
	var list []string
	for _, t := range s.Tasks {
		goesBack := r.Kind == Rollback || r.Reverts != ""
		if t.Phase != PhaseManual && (!goesBack || s.runsOnWayBack(t, back)) && t.wanted(r.Files[s.Name]) {
			list = append(list, t.Name)
		}
	}
	return list
}

func (s Service) runsOnWayBack(t Task, back []Undoing) bool {
	switch t.Phase {
	case PhaseBefore:
		return false
	case PhaseMaintenance:
		return len(back) > 0
	case PhaseBackup: // what is written over
		return slices.ContainsFunc(back, func(b Undoing) bool { task, _ := s.task(b.Task); return task.Phase == PhaseBackup })
	}
	return true
}

// checkTasks refuses what the environment can't do.
func (r Request) checkTasks(m Move) error {
	for _, t := range r.Target.TasksOf(m) {
		if err := r.Target.runs(t, m.Service); err != nil {
			return err
		}
	}
	return nil
}

// runs refuses a task whose place the environment does not have.
func (t Target) runs(task Task, service string) error {
	if task.In == InHost || task.In == InHere || t.Engine == EngineCompose || t.Engine == "" {
		return nil
	}
	return refuse(service, "task", "task %s wants a container to run in, and with engine %s it gets none", "in: host   # for that task in promote.yaml", task.Name, t.Engine)
}

// Task finds a task of a service.
func (t Target) Task(service, name string) (Task, bool) {
	for _, s := range t.Services {
		if s.Name == service {
			return s.task(name)
		}
	}
	return Task{}, false
}

func (s Service) task(name string) (Task, bool) {
	i := slices.IndexFunc(s.Tasks, func(t Task) bool { return t.Name == name })
	if i < 0 {
		return Task{}, false
	}
	return s.Tasks[i], true
}

// TasksOf are the tasks that a move runs.
func (t Target) TasksOf(m Move) []Task {
	var list []Task
	for _, name := range m.Tasks {
		if task, ok := t.Task(m.Service, name); ok {
			list = append(list, task)
		}
	}
	return list
}

// taskSteps are the steps of the moves' tasks of some phases, in the order of the configuration.
func (t Target) taskSteps(moves []Move, phases ...string) []Step {
	var list []Step
	for _, m := range moves {
		for _, task := range t.TasksOf(m) {
			if task.In != InHere && slices.Contains(phases, task.Phase) {
				list = append(list, Step{Kind: TaskStep, Service: m.Service, Task: task.Name})
			}
		}
	}
	return list
}

// backSteps are the steps that take back what tasks of other deployments did.
func backSteps(moves []Move) []Step {
	var list []Step
	for _, m := range moves {
		for _, back := range m.Undo {
			list = append(list, Step{Kind: TaskStep, Service: m.Service, Task: back.Task, Undo: true, Of: back.Of})
		}
	}
	return list
}

// maintenanceOff are the steps that end maintenance, in reverse order.
func (t Target) maintenanceOff(moves []Move) []Step {
	list := t.taskSteps(moves, PhaseMaintenance)
	slices.Reverse(list)
	for i := range list {
		list[i].Undo = true
	}
	return list
}

// Doing is what of a task is run, when it is run by itself.
type Doing struct {
	Undo bool     // what takes it back
	List bool     // what says what it would do
	Args []string // more arguments for the command
}

// Command is the one of a task that is meant, or nothing.
func (d Doing) Command(t Task) []string {
	switch {
	case d.Undo:
		return WithArguments(t.Undo, d.Args)
	case d.List:
		return WithArguments(t.List, d.Args)
	}
	return WithArguments(t.Run, d.Args)
}

// RunTask makes the plan that runs one task by itself, as the service is now.
func RunTask(r Request, service, name string, do Doing) (Plan, error) {
	state, ok := r.State.Service(service)
	task, known := r.Target.Task(service, name)
	step := Step{Kind: TaskStep, Service: service, Task: name, Undo: do.Undo, List: do.List, Run: do.Command(task)}
	switch {
	case !ok || !known:
		return Plan{}, fmt.Errorf("%s has no task %q", service, name)
	case len(step.Run) == 0:
		return Plan{}, fmt.Errorf("task %s of %s does not say how", name, service)
	case len(state.Parts) == 0:
		return Plan{}, refuse(service, "absent", "the compose files of %s don't run it", "name it under runs: in promote.yaml", r.Target.Environment)
	}
	if err := r.Target.runs(task, service); err != nil {
		return Plan{}, err
	}
	if do.Undo && len(do.Args) == 0 { // with arguments it may take back more, or less
		step.Of = state.LastRun(name)
	}
	p := r.plan(Run)
	p.Steps = StepsAlone(step)
	return p, nil
}

// StepsAlone are the steps of a plan that runs one task. That somebody asked what it would do is not history.
func StepsAlone(task Step) []Step {
	if task.List {
		return []Step{task}
	}
	return []Step{task, {Kind: RecordEnd}}
}
