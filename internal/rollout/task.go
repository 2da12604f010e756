package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
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
	Done    bool   `json:"done,omitempty"`
}

// runTask is a step of the plan.
func (r *run) runTask(ctx context.Context, step promotion.Step) error {
	task, ok := r.Target.Task(step.Service, step.Task)
	if !ok {
		return fmt.Errorf("%s has no task %q", step.Service, step.Task)
	}
	argv := commandOf(step, task)
	if len(argv) == 0 {
		return nil // maintenance that ends by itself
	}
	if err := r.begin(); err != nil {
		return err
	}
	if len(r.Plan.Moves) > 0 {
		r.touch()
	}
	if err := r.noteTask(ranTask{step.Service, step.Task, step.Undo, false}); err != nil {
		return err
	}
	said, err := r.perform(ctx, step.Service, task, argv)
	if err == nil && task.Phase == promotion.PhaseBackup && len(said) == 0 {
		err = &taskError{step.Service, task.Name, "it said nothing, so it is not clear that there is a backup", nil}
	}
	if err != nil && task.Optional && ctx.Err() == nil {
		r.tell(Event{Step: promotion.TaskStep, Service: step.Service, Task: task.Name, Status: Noted, Text: err.Error() + "; it is not required"})
		return nil
	}
	if err != nil {
		return err
	}
	return r.noteTask(ranTask{step.Service, step.Task, step.Undo, true})
}

// commandOf is what a step of a task runs.
func commandOf(step promotion.Step, task promotion.Task) []string {
	switch {
	case len(step.Run) > 0:
		return step.Run
	case step.Undo:
		return task.Undo
	}
	return task.Run
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
	return slices.Contains(r.ran, ranTask{service, task, undo, true})
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
func (r *run) perform(ctx context.Context, service string, task promotion.Task, argv []string) (said []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(task.Timeout, time.Hour))
	defer cancel()
	say := func(line string) {
		said = append(said[max(0, len(said)-shown+1):], line)
		r.tell(Event{Step: promotion.TaskStep, Service: service, Task: task.Name, Status: Progress, Text: line})
	}
	code := 0
	switch {
	case task.In == promotion.InHost:
		code, err = r.onHost(ctx, service, argv, say)
	case task.Service() != "":
		code, err = r.inService(ctx, service, task.Service(), argv, say)
	default:
		code, err = r.inNew(ctx, service, task, argv, say)
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return said, &taskError{service, task.Name, fmt.Sprintf("it took longer than %s", task.Timeout), said}
	case err != nil:
		return said, err
	case code != 0:
		return said, &taskError{service, task.Name, fmt.Sprintf("exited with status %d", code), said}
	}
	return said, nil
}

// onHost runs a command in the project directory. Whatever it starts ends with it when it is stopped.
func (r *run) onHost(ctx context.Context, service string, argv []string, say func(string)) (int, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = r.project.Dir(), append(slices.Clone(r.Environ), r.facts(service)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if r.Lock != nil {
		cmd.ExtraFiles = []*os.File{r.Lock}
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	docker.Lines(out, say)
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), ctx.Err()
	}
	return 0, err
}

// inService runs a command in a container of a compose service that runs.
func (r *run) inService(ctx context.Context, service, composeService string, argv []string, say func(string)) (int, error) {
	list, err := r.Engine.Service(ctx, r.compose.Name, composeService)
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(list, func(c docker.Container) bool { return c.State == "running" })
	if i < 0 {
		return 0, fmt.Errorf("%s: no container of it runs", composeService)
	}
	code, said, err := r.Engine.Execute(ctx, list[i].ID, docker.ExecOptions{Cmd: argv, Env: r.facts(service)})
	docker.Lines(strings.NewReader(said), say)
	return code, err
}

// inNew runs a command in a container of its own, made from the new image. It goes on if the worker dies, and is
// ended by whoever resumes.
func (r *run) inNew(ctx context.Context, service string, task promotion.Task, argv []string, say func(string)) (int, error) {
	once := docker.OneOff{
		Service: r.first(service), Labels: map[string]string{labelDeployment: r.Plan.ID}, Environ: r.facts(service), Command: argv,
	}
	if promotion.IsShellLine(argv) { // a line is for a shell, a list for the image's entrypoint
		once.Entrypoint, once.Command = argv[0], argv[1:]
	}
	once.Name = strings.ToLower(fmt.Sprintf("%s-%s-%s-%d", r.compose.Name, task.Name, r.Plan.ID, len(r.ran)))
	err := r.withNew(ctx, service, func() error { return r.compose.Start(ctx, once) })
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

// withNew does something while the files say a service's new version, whatever they say otherwise.
func (r *run) withNew(ctx context.Context, service string, do func() error) error {
	r.files.Lock()
	defer r.files.Unlock()
	project, err := r.load(ctx)
	if err != nil {
		return err
	}
	var changes []compose.Change
	services := byName(project)
	for _, m := range r.Plan.Moves {
		if m.Service != service {
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

// facts are what a task finds in its environment.
func (r *run) facts(service string) []string {
	list := []string{"PROMOTE_ENVIRONMENT=" + r.Target.Environment, "PROMOTE_SERVICE=" + service, "PROMOTE_DEPLOYMENT=" + r.Plan.ID}
	for _, m := range r.Plan.Moves {
		if m.Service == service {
			list = append(list, "PROMOTE_FROM="+promotion.Label(m.From), "PROMOTE_VERSION="+promotion.Label(m.To))
		}
	}
	return list
}

// undoTasks takes back what tasks did, in reverse order, after the containers are what they were. broken tells that
// they are not: then maintenance stays on if a migration did something, so that nobody meets a half of both.
func (r *run) undoTasks(ctx context.Context, broken bool) error {
	var failures []error
	migrated := false
	for _, t := range slices.Backward(slices.Clone(r.ran)) { // taking back adds to it
		task, _ := r.Target.Task(t.Service, t.Task)
		step := promotion.Step{Kind: promotion.TaskStep, Service: t.Service, Task: t.Task, Undo: true}
		switch {
		case t.Undo || r.did(t.Service, t.Task, true):
		case task.Phase == promotion.PhaseBefore && (!t.Done || len(task.Undo) == 0):
			migrated = true
			r.tell(Event{Step: promotion.TaskStep, Service: t.Service, Task: t.Task, Status: Noted, Text: notTakenBack(t, task)})
		case task.Phase == promotion.PhaseBefore:
			if err := r.runTask(ctx, step); err != nil {
				migrated = true
				failures = append(failures, fmt.Errorf("taking it back: %w", err))
			}
		case task.Phase == promotion.PhaseMaintenance && migrated && (broken || len(failures) > 0):
			failures = append(failures, fmt.Errorf("%s: %s is still on, since something was migrated and not all is back", t.Service, t.Task))
		case task.Phase == promotion.PhaseMaintenance:
			failures = append(failures, r.runTask(ctx, step))
		}
	}
	return errors.Join(failures...)
}

func notTakenBack(t ranTask, task promotion.Task) string {
	if !t.Done {
		return fmt.Sprintf("task %s did not come to its end; what it did until then stays", t.Task)
	}
	return fmt.Sprintf("task %s was done and says nothing of how to take it back: what it did stays", task.Name)
}

// failureTasks tell or tidy up after a deployment that failed. Nothing they do changes its result.
func (r *run) failureTasks(ctx context.Context) {
	for _, m := range r.Plan.Moves {
		for _, task := range r.Target.TasksOf(m) {
			if task.Phase != promotion.PhaseFailure {
				continue
			}
			if _, err := r.perform(ctx, m.Service, task, task.Run); err != nil {
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
	if len(r.ran) == 0 || r.Engine == nil {
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
		list = append(list, journal.Task{Service: t.Service, Name: t.Task, Undo: t.Undo, Done: t.Done})
	}
	return list
}

// verifiedByTask reports whether somebody's own task looked at the release, and found it good.
func (r *run) verifiedByTask(m promotion.Move) bool {
	return slices.ContainsFunc(r.Target.TasksOf(m), func(t promotion.Task) bool {
		return t.Phase == promotion.PhaseVerify && r.did(m.Service, t.Name, false)
	})
}
