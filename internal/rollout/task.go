package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"promote/compose"
	"promote/internal/docker"
	"promote/internal/journal"
	"promote/internal/promotion"
)

// labelDeployment is on the containers of tasks, so that they are found again after a crash.
const labelDeployment = "promote.deployment"

// ranTask is a task that was begun, kept on disk: what was done has to be taken back also after a crash.
type ranTask struct {
	Service string `json:"service"`
	Task    string `json:"task"`
	Undo    bool   `json:"undo,omitempty"`
	Of      string `json:"of,omitempty"` // Undo: the other deployment that did it
	Done    bool   `json:"done,omitempty"`
	Told    bool   `json:"told,omitempty"` // that it is not put back
}

// runTask is a step of the plan.
func (r *run) runTask(ctx context.Context, step promotion.Step) error {
	task, ok := r.Target.Task(step.Service, step.Task)
	if !ok {
		return fmt.Errorf("%s has no task %q", step.Service, step.Task)
	}
	if len(commandOf(step, task)) == 0 {
		return nil // maintenance that ends by itself
	}
	if step.List {
		return r.perform(ctx, step, task)
	}
	if err := r.begin(); err != nil {
		return err
	}
	if len(r.Plan.Moves) > 0 {
		r.touch()
	}
	note := ranTask{Service: step.Service, Task: step.Task, Undo: step.Undo, Of: step.Of}
	if err := r.noteTask(note); err != nil {
		return err
	}
	err := r.perform(ctx, step, task)
	if err != nil && task.Optional && ctx.Err() == nil {
		r.tell(Event{Step: promotion.TaskStep, Service: step.Service, Task: task.Name, Status: Noted, Text: err.Error() + "; it is not required"})
		return nil
	}
	if err != nil {
		return err
	}
	note.Done = true
	return r.noteTask(note)
}

// commandOf is what a step of a task runs.
func commandOf(step promotion.Step, task promotion.Task) []string {
	if len(step.Run) > 0 {
		return step.Run
	}
	return promotion.Doing{Undo: step.Undo, List: step.List}.Command(task)
}

// noteTask writes down how far the tasks are.
func (r *run) noteTask(t ranTask) error {
	if t.Done {
		r.ran[len(r.ran)-1].Done = true
	} else {
		r.ran = append(r.ran, t)
	}
	return r.record.WriteJSON(tasksFile, r.ran)
}

// did reports whether a task, or what takes it back, ended well.
func (r *run) did(service, task string, undo bool) bool {
	return slices.ContainsFunc(r.ran, func(t ranTask) bool {
		return t.Service == service && t.Task == task && t.Undo == undo && t.Done
	})
}

const tasksFile = "tasks.json"

// taskError is a task that failed, with its last words.
type taskError struct {
	Service, Task, Reason string
	Logs                  []string
}

func (e *taskError) Error() string { return e.Service + ": task " + e.Task + ": " + e.Reason }

// shown is how many last lines of a task that failed stand under the error.
const shown = 15

// perform runs a command of a task where the task runs, and hands on what it says.
func (r *run) perform(ctx context.Context, step promotion.Step, task promotion.Task) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(task.Timeout, time.Hour))
	defer cancel()
	var said []string
	code, err := r.inPlace(ctx, step, task, func(line string) {
		said = append(said[max(0, len(said)-shown+1):], line)
		r.tell(Event{Step: promotion.TaskStep, Service: step.Service, Task: task.Name, Status: Progress, Text: line})
	})
	failed := func(format string, args ...any) error {
		return &taskError{step.Service, task.Name, fmt.Sprintf(format, args...), said}
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && errors.Is(err, errNoShell):
		return failed("it took longer than %s; %v", task.Timeout, err)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return failed("it took longer than %s", task.Timeout)
	case err != nil:
		return err
	case code != 0:
		return failed("exited with status %d", code)
	case task.Phase == promotion.PhaseBackup && !step.Undo && !step.List && len(said) == 0:
		return failed("it said nothing, so it is not clear that there is a backup")
	}
	return nil
}

// inPlace runs a command of a task where the task runs.
func (r *run) inPlace(ctx context.Context, step promotion.Step, task promotion.Task, say func(string)) (code int, err error) {
	facts, err := r.facts(step)
	if err != nil {
		return 0, err
	}
	argv := commandOf(step, task)
	switch {
	case task.In == promotion.InHost:
		return r.runInFolder(ctx, r.project.Dir(), facts, argv, say)
	case task.In == promotion.InHere && r.here == "":
		return 0, fmt.Errorf("%s: task %s is for the machine that promote is called on", step.Service, task.Name)
	case task.In == promotion.InHere:
		return r.runInFolder(ctx, r.here, facts, argv, say)
	case task.Service() != "":
		return r.runInService(ctx, task.Service(), facts, argv, say)
	}
	return r.inNew(ctx, step, facts, argv, say)
}

// running is a container of a compose service that runs.
func (m *Machine) running(ctx context.Context, project, composeService string) (docker.Container, error) {
	list, err := m.Engine.Service(ctx, project, composeService)
	if err != nil {
		return docker.Container{}, err
	}
	i := slices.IndexFunc(list, func(c docker.Container) bool { return c.State == "running" })
	if i < 0 {
		return docker.Container{}, fmt.Errorf("%s: no container of it runs", composeService)
	}
	return list[i], nil
}

// inNew runs a command in a container of its own, made from the new image. It goes on if the worker dies, and is
// ended by whoever resumes.
func (r *run) inNew(ctx context.Context, step promotion.Step, facts, argv []string, say func(string)) (int, error) {
	once := docker.OneOff{
		Service: r.first(step.Service), Labels: map[string]string{labelDeployment: r.Plan.ID}, Environ: facts, Command: argv,
	}
	if promotion.IsShellLine(argv) { // a line is for a shell, a list for the image's entrypoint
		once.Entrypoint, once.Command = argv[0], argv[1:]
	}
	once.Name = strings.ToLower(fmt.Sprintf("%s-%s-%s-%s-%d", r.compose.Name, step.Service, step.Task, r.Plan.ID, len(r.ran)))
	err := r.withNew(ctx, step, func() error { return r.compose.Start(ctx, once) })
	defer func() { _ = r.Engine.Remove(context.WithoutCancel(ctx), once.Name) }() // what is left of it, resume finds
	if err != nil {
		return 0, err
	}
	return r.Engine.Follow(ctx, once.Name, say)
}

// first is the compose service that speaks for a service.
func (r *run) first(service string) string {
	for _, s := range r.Target.Services {
		if s.Name == service && len(s.Runs) > 0 {
			return s.Runs[0]
		}
	}
	return service
}

// withNew does something while the files say a service's new version, whatever they say otherwise. But what another
// deployment did is taken back by the release that is there: one from before it does not know how.
func (r *run) withNew(ctx context.Context, step promotion.Step, do func() error) error {
	r.files.Lock()
	defer r.files.Unlock()
	if step.Of != "" || r.compose.Overlay != nil { // which says it already
		return do()
	}
	project, err := r.load(ctx)
	if err != nil {
		return err
	}
	var changes []compose.Change
	services := byName(project)
	for _, m := range r.Plan.Moves {
		if m.Service != step.Service {
			continue
		}
		for _, c := range m.Rolls[0].Changes {
			if services[c.Service].Pin != c.To {
				c.From = services[c.Service].Pin
				changes = append(changes, c)
			}
		}
	}
	edit, err := project.Edit(changes...)
	if err != nil {
		return err
	}
	return whileApplied(edit, do)
}

// facts are what a task finds in its environment. What takes it back finds the same versions.
func (r *run) facts(step promotion.Step) ([]string, error) {
	list := []string{"PROMOTE_ENVIRONMENT=" + r.Target.Environment, "PROMOTE_SERVICE=" + step.Service, deploymentVariable + r.Plan.ID}
	if step.Undo {
		list = append(list, "PROMOTE_OF="+cmp.Or(step.Of, r.Plan.ID))
	}
	moves := r.moves()
	if step.Of != "" {
		entries, err := r.History.Entries()
		if err != nil {
			return nil, err
		}
		moves = nil
		for _, e := range entries {
			if e.ID == step.Of && e.Event == journal.Begun {
				moves = e.Moves
			}
		}
	}
	for _, m := range moves {
		if m.Service == step.Service {
			list = append(list, "PROMOTE_FROM="+promotion.Label(m.From), "PROMOTE_VERSION="+promotion.Label(m.To))
		}
	}
	return list, nil
}

// failureTasks tell or tidy up after a deployment that failed. Nothing they do changes its result.
func (r *run) failureTasks(ctx context.Context) {
	for _, m := range r.Plan.Moves {
		for _, task := range r.Target.TasksOf(m) {
			if task.Phase != promotion.PhaseFailure || task.In == promotion.InHere {
				continue
			}
			step := promotion.Step{Kind: promotion.TaskStep, Service: m.Service, Task: task.Name}
			if err := r.perform(ctx, step, task); err != nil {
				r.tell(Event{Step: promotion.TaskStep, Service: m.Service, Task: task.Name, Status: Noted, Text: err.Error()})
			}
		}
	}
}

// recollectTasks reads which tasks the dead worker had begun, and ends those that still run.
func (r *run) recollectTasks(ctx context.Context) error {
	if err := r.record.ReadJSON(tasksFile, &r.ran); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(r.ran) == 0 {
		return nil
	}
	if last := r.ran[len(r.ran)-1]; !last.Done {
		if err := r.killTask(ctx, last); err != nil {
			return err
		}
	}
	if r.Engine == nil {
		return nil
	}
	ids, err := r.Engine.Labelled(ctx, labelDeployment, r.Plan.ID)
	for _, id := range ids {
		err = errors.Join(err, r.Engine.Remove(ctx, id))
	}
	return err
}

// remaining are the tasks that were to come after the last container was replaced, and did not.
func (r *run) remaining() []promotion.Step {
	last := -1
	for i, step := range r.Plan.Steps {
		if step.Kind == promotion.RollStep {
			last = i
		}
	}
	var list []promotion.Step
	for _, step := range r.Plan.Steps[last+1:] {
		if step.Kind == promotion.TaskStep && !r.did(step.Service, step.Task, step.Undo) {
			list = append(list, step)
		}
	}
	return list
}

// taskEntry is what the journal says of tasks that ran.
func (r *run) taskEntry() []journal.Task {
	var list []journal.Task
	for _, t := range r.ran {
		list = append(list, journal.Task{Service: t.Service, Name: t.Task, Undo: t.Undo, Of: t.Of, Done: t.Done})
	}
	return list
}

// verifiedByTask reports whether somebody's own task looked at the release, and found it good.
func (r *run) verifiedByTask(m promotion.Move) bool {
	return slices.ContainsFunc(r.Target.TasksOf(m), func(t promotion.Task) bool {
		return t.Phase == promotion.PhaseVerify && r.did(m.Service, t.Name, false)
	})
}
