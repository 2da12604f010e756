package rollout

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"promote/internal/journal"
	"promote/internal/promotion"
)

// Resume ends a deployment whose worker died: finished, if all that it wanted is there and does its
// work; put back otherwise.
func (m *Machine) Resume(ctx context.Context, id string, o Order) Result {
	r := &run{
		Machine: m, record: m.journal().Deployment(id), began: true, touched: true,
		Order:     Order{Tell: o.Tell, Credentials: o.Credentials},
		committed: map[string]bool{}, unchecked: map[string]bool{},
	}
	result := r.resume(ctx)
	r.tell(Event{Status: Finished, Result: &result})
	return result
}

// Forget ends a deployment in the history and nowhere else: its folder is gone, or somebody has put things right by
// hand.
func (m *Machine) Forget(id string, o Order) {
	result := Result{Outcome: OutcomeDone}
	err := m.History.Append(journal.Entry{
		Schema: promotion.Schema, Event: journal.Ended, ID: id, At: m.Now().UTC().Truncate(time.Millisecond), By: o.Plan.By,
		Reason: o.Plan.Reason, Outcome: outcomeAbandoned, Error: "given up by " + o.Plan.By,
	})
	if err != nil {
		result = Result{Outcome: OutcomeStuck, Error: err.Error()}
	}
	o.Tell(Event{Schema: promotion.Schema, Seq: 1, At: m.Now().UTC(), Status: Finished, Result: &result})
}

// outcomeAbandoned is in histories only: nobody is told of such an end but by them.
const outcomeAbandoned = "abandoned"

func (r *run) resume(ctx context.Context) Result {
	state, err := r.recollect(ctx)
	if err != nil { // not ended in the journal: once this is mended, it can be resumed still
		result := Result{Outcome: OutcomeStuck, Error: err.Error(), Repair: "look at " + r.record.Path("") + ", then promote resume " + r.Target.Environment}
		if errors.Is(err, fs.ErrNotExist) && r.Plan.ID == "" {
			result.Error = "what it had begun is not known any more: " + err.Error()
			result.Repair = "promote status " + r.Target.Environment + " --long; when that is as it should be, promote resume " + r.Target.Environment + " --forget"
		}
		return result
	}
	arrived := r.arrived(state)
	if r.Target.Engine == promotion.EngineSwarm {
		arrived = r.ordered(ctx)
	}
	if arrived && len(r.Plan.Moves) > 0 {
		err = r.finish(ctx)
	} else {
		err = fmt.Errorf("%s was interrupted", r.Plan.ID)
	}
	result := r.end(ctx, err)
	r.tidy(result)
	return result
}

// recollect reads what the dead worker had written down, and what is there now.
func (r *run) recollect(ctx context.Context) (state promotion.State, err error) {
	if err := r.record.ReadJSON("plan.json", &r.Plan); err != nil {
		return state, err
	}
	if r.Plan.Schema > promotion.Schema {
		return state, &journal.NewerError{File: r.record.Path("plan.json"), Schema: r.Plan.Schema}
	}
	if err := r.record.ReadJSON("before.json", &r.before); err != nil {
		return state, err
	}
	if err := r.sweep(); err != nil {
		return state, err
	}
	if r.project, err = r.load(ctx); err != nil {
		return state, err
	}
	if state, err = r.State(ctx); err != nil {
		return state, err
	}
	if err := r.connect(state.Project); err != nil {
		return state, err
	}
	return state, errors.Join(r.recollectTasks(ctx), r.recollectData())
}

// sweep removes the temporary files of a worker that was killed before it could rename them.
func (r *run) sweep() error {
	for path := range r.before.Files {
		if target, err := filepath.EvalSymlinks(path); err == nil {
			path = target
		}
		strays, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".promote-*"))
		for _, stray := range strays {
			err = errors.Join(err, os.Remove(stray))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// arrived reports whether every service is where the plan wanted it, and up. What is left of the old beside
// the new does not matter.
func (r *run) arrived(state promotion.State) bool {
	for _, m := range r.Plan.Moves {
		s, ok := state.Service(m.Service)
		if !ok {
			return false
		}
		for _, roll := range m.Rolls {
			i := slices.IndexFunc(s.Parts, func(p promotion.Part) bool { return p.Compose.Name == roll.Service })
			if i < 0 || !r.reached(m, roll, s.Parts[i]) {
				return false
			}
		}
	}
	return true
}

// reached reports whether the file and as many containers as there should be are on the new release, and no
// others but those that a start-first had still to stop.
func (r *run) reached(m promotion.Move, roll promotion.Roll, part promotion.Part) bool {
	if part.Compose.Pin != roll.Changes[0].To {
		return false
	}
	if r.fileOnly(roll) {
		return true
	}
	list, wanted := part.Containers, roll.Replicas
	if roll.Strategy == promotion.StartFirst {
		wanted = len(r.before.Containers[roll.Service])
		list = slices.DeleteFunc(slices.Clone(list), func(c promotion.Container) bool { return r.before.was(c.ID) })
	}
	return len(list) == wanted && !slices.ContainsFunc(list, func(c promotion.Container) bool { return !isOn(c, m, roll) || !c.Up() && !isIdle(c, roll) })
}

// isIdle reports whether a container is only to be there.
func isIdle(c promotion.Container, roll promotion.Roll) bool {
	return roll.Strategy == promotion.NotStarted && c.State == "created"
}

// isOn reports whether a container runs the new release. With a tag that moves only the digest tells.
func isOn(c promotion.Container, m promotion.Move, roll promotion.Roll) bool {
	sameDigest := c.Digest == "" || m.To.Digest == "" || c.Digest == m.To.Digest
	return c.Image == roll.Changes[0].To.Join(m.Image) && sameDigest
}

// finish proves what the plan wanted and is there, and stops what is left of the old: the worker may have
// died before either.
func (r *run) finish(ctx context.Context) error {
	switch r.Target.Engine {
	case promotion.EngineNone:
		return r.finishTasks(ctx)
	case promotion.EngineSwarm:
		return r.finishStack(ctx)
	}
	watch, stop := r.watch(ctx)
	defer stop()
	for _, roll := range r.rolls() {
		if err := r.finishRoll(ctx, roll, watch); err != nil {
			return err
		}
	}
	return r.finishTasks(ctx)
}

// finishTasks runs the tasks that were to come once all containers are replaced, and ends the deployment.
func (r *run) finishTasks(ctx context.Context) error {
	if err := r.oneByOne(ctx, r.remaining()); err != nil {
		return err
	}
	if err := r.confirmProofs(ctx); err != nil {
		return err
	}
	return r.recordEnd()
}

func (r *run) finishRoll(ctx context.Context, roll promotion.Roll, w *watch) error {
	if r.fileOnly(roll) || roll.Strategy == promotion.NotStarted {
		return nil
	}
	if roll.Strategy != promotion.StartFirst {
		if err := errors.Join(r.proveAll(ctx, roll, w), r.rename(ctx, roll.Service)); err != nil {
			return err
		}
		return r.recreateAttached(ctx, roll, w)
	}
	now, err := r.Engine.Service(ctx, r.compose.Name, roll.Service)
	if err != nil {
		return err
	}
	old, fresh := r.split(now)
	if err := r.show(ctx, roll, w, fresh); err != nil {
		return err
	}
	for _, c := range old {
		if err := r.retire(ctx, roll, w, c); err != nil {
			return err
		}
	}
	return r.rename(ctx, roll.Service)
}

// Mark adds marks of somebody's to the history, without a deployment.
func (m *Machine) Mark(kind, by, reason string, marks []promotion.Mark) error {
	e := journal.Entry{
		Schema: promotion.Schema, Event: journal.Marked, Kind: kind, By: by, Reason: reason,
		At: m.Now().UTC().Truncate(time.Millisecond),
	}
	for _, mark := range marks {
		mark.At, mark.By, mark.Reason = e.At, by, reason
		e.Marks = append(e.Marks, toJournal(mark))
	}
	return m.History.Append(e)
}
