package promotion

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"promote/registry"
)

// Schema says what becomes of a database's schema when a service goes back behind a migration.
const (
	SchemaKeep    = "keep"    // it stays as it is: the older release can live with it
	SchemaUndo    = "undo"    // the migrations are taken back, the last one first
	SchemaRestore = "restore" // the backup from before them is put back, and what was written since is lost
)

// TaskRun is a task that ended well in an environment, and did what containers don't hold: a migration that was not
// taken back since, or a backup.
type TaskRun struct {
	Task       string    `json:"task"`
	Phase      string    `json:"phase"`
	Deployment string    `json:"deployment"`
	At         time.Time `json:"at"` // when that began
}

// Undoing is a task whose doing in another deployment a move takes back before anything is replaced.
type Undoing struct {
	Task string `json:"task"`
	Of   string `json:"of"` // deployment
}

const gateSchema = "schema"

// goBackOver settles what becomes of the migrations that ran since a service was last on the release that it goes
// back to. None is ever taken back unasked.
func (r Request) goBackOver(c Choice, m *Move) (notes []Note, err error) {
	if r.Reverts != "" {
		m.Undo = c.Service.reverting(c.State.Ran, r.Reverts)
		return nil, nil
	}
	migrations := c.State.since(c.Release)
	if r.Kind != Rollback || len(migrations) == 0 {
		return nil, nil
	}
	note := func(format string, args ...any) { notes = append(notes, Note{m.Service, fmt.Sprintf(format, args...)}) }
	undo, backup := c.Service.undoing(migrations), c.Service.restoring(c.State.Ran, migrations)
	switch {
	case r.Schema == "" && (undo != nil || backup != nil):
		return nil, r.askSchema(c, migrations, undo != nil, backup != nil)
	case r.Schema == SchemaUndo && undo == nil:
		return nil, refuse(m.Service, gateSchema, "promote.yaml does not say how all of %s is taken back",
			"--schema=keep, or undo: … of the task in promote.yaml", runNames(migrations))
	case r.Schema == SchemaRestore && backup == nil:
		return nil, refuse(m.Service, gateSchema, "there is no backup from before %s of which promote.yaml says how it is put back",
			"--schema=keep, or undo: … of the backup task in promote.yaml, which is what puts it back", runNames(migrations))
	case r.Schema == SchemaUndo:
		m.Undo = undo
	case r.Schema == SchemaRestore:
		m.Undo = []Undoing{{Task: backup.Task, Of: backup.Deployment}}
		note("%s of %s is put back; what was written since %s is lost, but for the backup that is made first",
			backup.Task, backup.Deployment, backup.At.Format(time.RFC3339))
	default:
		note("%s is not taken back", runNames(migrations))
	}
	return notes, nil
}

// askSchema refuses to guess.
func (r Request) askSchema(c Choice, migrations []TaskRun, undo, restore bool) error {
	advice := fmt.Sprintf("promote rollback %s --schema=keep   # if %s can live with it", r.Target.Environment, Label(c.Release))
	if undo {
		advice += "; undo takes it back"
	}
	if restore {
		advice += "; restore puts back the backup from before it, and loses what was written since"
	}
	return refuse(c.Service.Name, gateSchema, "%s ran since %s was here", advice, runNames(migrations), Label(c.Release))
}

// runNames are those of tasks and the deployments that they ran in.
func runNames(list []TaskRun) string {
	var texts []string
	for _, run := range list {
		texts = append(texts, run.Task+" of "+run.Deployment)
	}
	return strings.Join(texts, ", ")
}

// since are the migrations that ran after the service was last put on a release, the last one first.
func (s ServiceState) since(release registry.Release) []TaskRun {
	later, at := map[string]bool{}, time.Time{}
	for _, m := range slices.Backward(s.Marks) {
		if m.Kind == Running && Same(m.Release, release) {
			at = m.At
			break
		}
		if m.Kind == Running {
			later[m.Deployment] = true
		}
	}
	var list []TaskRun
	for _, run := range slices.Backward(s.Ran) {
		if run.Phase == PhaseBefore && (later[run.Deployment] || run.At.After(at)) {
			list = append(list, run)
		}
	}
	return list
}

// undoing is how migrations are taken back; nil if not all of them can be.
func (s Service) undoing(migrations []TaskRun) []Undoing {
	var list []Undoing
	for _, run := range migrations {
		if task, _ := s.task(run.Task); len(task.Undo) == 0 {
			return nil
		}
		list = append(list, Undoing{Task: run.Task, Of: run.Deployment})
	}
	return list
}

// reverting is how those migrations of a deployment are taken back that can be, the last one first.
func (s Service) reverting(ran []TaskRun, deployment string) []Undoing {
	var list []Undoing
	for _, run := range slices.Backward(ran) {
		task, _ := s.task(run.Task)
		if run.Deployment == deployment && run.Phase == PhaseBefore && len(task.Undo) > 0 {
			list = append(list, Undoing{Task: run.Task, Of: run.Deployment})
		}
	}
	return list
}

// restoring finds the last backup from before migrations that can be put back, or nil. That of the deployment of a
// migration came before it.
func (s Service) restoring(ran, migrations []TaskRun) *TaskRun {
	first := migrations[len(migrations)-1]
	for i, run := range slices.Backward(ran) {
		task, _ := s.task(run.Task)
		before := run.Deployment == first.Deployment || run.At.Before(first.At)
		if run.Phase == PhaseBackup && before && len(task.Undo) > 0 {
			return &ran[i]
		}
	}
	return nil
}

// LastRun is the deployment in which a task last did what was not taken back; empty if there is none.
func (s ServiceState) LastRun(task string) string {
	for _, run := range slices.Backward(s.Ran) {
		if run.Task == task {
			return run.Deployment
		}
	}
	return ""
}
