package rollout

import (
	"context"
	"fmt"
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
	err := r.record.ReadJSON("plan.json", &r.Plan)
	if err == nil {
		err = r.record.ReadJSON("before.json", &r.before)
	}
	if err != nil {
		return Result{Outcome: OutcomeStuck, Error: err.Error(), Repair: "look at " + r.record.Path("")}
	}
	if r.project, err = r.load(ctx); err != nil {
		return Result{Outcome: OutcomeStuck, Error: err.Error()}
	}
	r.compose = r.command(r.project, r.Plan.Target.Name)
	state, err := r.State(ctx)
	if err == nil && r.arrived(state) {
		err = r.recordEnd()
	} else if err == nil {
		err = fmt.Errorf("%s was interrupted", r.Plan.ID)
	}
	return r.end(ctx, err)
}

// arrived reports whether every service is where the plan wanted it, and up.
func (r *run) arrived(state promotion.State) bool {
	for _, m := range r.Plan.Moves {
		s, ok := state.Service(m.Service)
		if !ok || r.Target.Engine != promotion.EngineNone && !s.Up() {
			return false
		}
		for i, part := range s.Parts {
			change := m.Rolls[i].Changes[0]
			wanted := change.To.Join(m.Image)
			if part.Compose.Pin != change.To || len(part.Containers) > m.Rolls[i].Replicas {
				return false
			}
			for _, c := range part.Containers {
				if c.Image != wanted {
					return false
				}
			}
		}
	}
	return true
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
