package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"promote/internal/journal"
	"promote/internal/promotion"
)

// undoTasks takes back what tasks did, in reverse order, after the containers are what they were. broken tells that
// they are not: then maintenance stays on if a migration did something, so that nobody meets a half of both.
func (r *run) undoTasks(ctx context.Context, broken bool) error {
	var failures []error
	fail := func(err error) {
		if err != nil {
			failures = append(failures, err)
		}
	}
	migrated := false
	for i, t := range slices.Backward(slices.Clone(r.ran)) { // taking back adds to it
		task, _ := r.Target.Task(t.Service, t.Task)
		step := promotion.Step{Kind: promotion.TaskStep, Service: t.Service, Task: t.Task, Undo: true}
		switch {
		case t.Of != "":
			migrated = true
			fail(r.notDoneAgain(i))
		case t.Undo || r.did(t.Service, t.Task, true):
		case task.Phase == promotion.PhaseBefore && (!t.Done || len(task.Undo) == 0):
			migrated = true
			r.stays = append(r.stays, notTakenBack(t))
			r.tell(Event{Step: promotion.TaskStep, Service: t.Service, Task: t.Task, Status: Noted, Text: notTakenBack(t)})
		case task.Phase == promotion.PhaseBefore:
			if err := r.runTask(ctx, step); err != nil {
				migrated = true
				fail(fmt.Errorf("taking it back: %w", err))
			}
		case task.Phase == promotion.PhaseMaintenance && migrated && (broken || len(failures) > 0):
			fail(fmt.Errorf("%s: %s is still on, since something was migrated and not all is back", t.Service, t.Task))
		case task.Phase == promotion.PhaseMaintenance:
			fail(r.runTask(ctx, step))
		}
	}
	return errors.Join(failures...)
}

// notDoneAgain says of what was taken back that it stays so: it is for somebody to look at. A second attempt takes it
// as looked at.
func (r *run) notDoneAgain(i int) error {
	t := r.ran[i]
	stays := &takenBackError{t, r.Target.Environment}
	if t.Told {
		r.tell(Event{Step: promotion.TaskStep, Service: t.Service, Task: t.Task, Status: Noted, Text: stays.Error()})
		return nil
	}
	r.ran[i].Told = true
	return errors.Join(stays, r.record.WriteJSON(tasksFile, r.ran))
}

// takenBackError is what a rollback took back before it failed.
type takenBackError struct {
	ranTask
	environment string
}

func (e *takenBackError) Error() string {
	if !e.Done {
		return fmt.Sprintf("%s: taking back %s of %s did not come to its end", e.Service, e.Task, e.Of)
	}
	return fmt.Sprintf("%s: %s of %s was taken back, and is not done again by itself", e.Service, e.Task, e.Of)
}

// Hint is what a person is needed for.
func (e *takenBackError) Hint() string {
	return fmt.Sprintf("look at what %s is about, then promote resume %s", e.Task, e.environment)
}

// notTakenBack says what a task leaves behind: nobody knows how far it came, or how to take it back.
func notTakenBack(t ranTask) string {
	if !t.Done {
		return fmt.Sprintf("what task %s did before it failed stays", t.Task)
	}
	return fmt.Sprintf("what task %s did stays, as it does not say how it is taken back", t.Task)
}

// taskRuns are by service the migrations that were not taken back, and the backups.
func (m *Machine) taskRuns(entries []journal.Entry) map[string][]promotion.TaskRun {
	ran := map[string][]promotion.TaskRun{}
	for _, d := range journal.Deployments(entries) {
		for _, t := range d.Tasks {
			list := ran[t.Service]
			task, _ := m.Target.Task(t.Service, t.Name)
			switch {
			case !t.Done:
			case t.Undo:
				list = slices.DeleteFunc(list, func(run promotion.TaskRun) bool { return takenBack(run, t, cmp.Or(t.Of, d.ID), task.Phase) })
			case task.Phase == promotion.PhaseBefore || task.Phase == promotion.PhaseBackup:
				list = append(list, promotion.TaskRun{Task: t.Name, Phase: task.Phase, Deployment: d.ID, At: d.At})
			}
			ran[t.Service] = list
		}
	}
	for service, list := range ran {
		ran[service] = list[max(0, len(list)-remembered):]
	}
	return ran
}

// remembered is how many of them are of interest: nobody goes back behind more at once.
const remembered = 100

// takenBack reports whether a migration is gone by what took back the doing of a deployment: putting back a backup
// takes all that came after it.
func takenBack(run promotion.TaskRun, t journal.Task, of, phase string) bool {
	if run.Phase != promotion.PhaseBefore {
		return false
	}
	return run.Task == t.Name && run.Deployment == of || phase == promotion.PhaseBackup && run.Deployment >= of
}
