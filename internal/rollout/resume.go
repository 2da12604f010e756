package rollout

import (
	"context"
	"errors"
	"fmt"
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

func (r *run) resume(ctx context.Context) Result {
	state, err := r.recollect(ctx)
	if err != nil { // not ended in the journal: once this is mended, it can be resumed still
		return Result{Outcome: OutcomeStuck, Error: err.Error(), Repair: "look at " + r.record.Path("") + ", then promote resume " + r.Target.Environment}
	}
	if r.arrived(state) {
		err = r.finish(ctx)
	} else {
		err = fmt.Errorf("%s was interrupted", r.Plan.ID)
	}
	return r.end(ctx, err)
}

// recollect reads what the dead worker had written down, and what is there now.
func (r *run) recollect(ctx context.Context) (state promotion.State, err error) {
	if err := r.record.ReadJSON("plan.json", &r.Plan); err != nil {
		return state, err
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
	r.compose = r.command(r.project, state.Project)
	return state, nil
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

// arrived reports whether every service is where the plan wanted it, and up.
func (r *run) arrived(state promotion.State) bool {
	for _, m := range r.Plan.Moves {
		s, ok := state.Service(m.Service)
		if !ok || r.Target.Engine != promotion.EngineNone && !s.Up() {
			return false
		}
		for _, roll := range m.Rolls {
			i := slices.IndexFunc(s.Parts, func(p promotion.Part) bool { return p.Compose.Name == roll.Service })
			if i < 0 || !reached(m, roll, s.Parts[i]) {
				return false
			}
		}
	}
	return true
}

// reached reports whether the file and all containers of a compose service are on the new release.
// With a tag that moves only the digest tells.
func reached(m promotion.Move, roll promotion.Roll, part promotion.Part) bool {
	change := roll.Changes[0]
	if part.Compose.Pin != change.To || len(part.Containers) > roll.Replicas {
		return false
	}
	return !slices.ContainsFunc(part.Containers, func(c promotion.Container) bool {
		return c.Image != change.To.Join(m.Image) || c.Digest != m.To.Digest && c.Digest != "" && m.To.Digest != ""
	})
}

// finish proves what the plan wanted and is there: the worker may have died before it was, and then the
// pin stands in the file all the same where containers are recreated.
func (r *run) finish(ctx context.Context) error {
	if r.Target.Engine == promotion.EngineNone {
		return r.recordEnd()
	}
	watch, stop := r.watch(ctx)
	defer stop()
	for _, m := range r.Plan.Moves {
		for _, roll := range m.Rolls {
			if err := r.proveAll(ctx, roll, watch); err != nil {
				return err
			}
			if err := r.rename(ctx, roll.Service); err != nil {
				return err
			}
		}
	}
	return r.recordEnd()
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
