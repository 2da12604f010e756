package rollout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"promote/compose"
	"promote/internal/docker"
	"promote/internal/journal"
	"promote/internal/promotion"
)

// Order is a plan with what the carrying out needs besides: secrets, which are kept in memory only, and
// somebody to tell.
type Order struct {
	Plan        promotion.Plan
	Credentials map[string]string // by image repository: the engine's X-Registry-Auth
	Stream      io.Reader         // chunks, as [SendInto] writes them, of a plan that is [promotion.Plan.Streamed]
	Tell        func(Event)
}

// run is one deployment under way.
type run struct {
	*Machine
	Order
	project   *compose.Project
	compose   docker.Compose
	stack     docker.Stack // with engine: swarm
	record    *journal.Record
	before    before
	began     bool            // the journal says so
	touched   bool            // something was changed that would have to be put back
	committed map[string]bool // compose services whose new pin stands in the file for good
	unchecked map[string]bool // compose services that nothing checks the health of
	ran       []ranTask       // in their order
	stream    *stream         // of a plan that moves data
	loads     []string        // data of which something may have been replaced
	moved     int64           // bytes of it
	back      bool            // what was changed is being put back
	stays     []string        // what was not put back, in words
	here      string          // the folder for tasks of the client's machine, which runs nothing else
	seq       int
	proven    provenContainers
	mu        sync.Mutex // of the above, which moves that go side by side share
	files     sync.Mutex // held while the files are a candidate, or change
}

// Run carries a plan out, to its end or back to the beginning. The caller holds the environment's lock.
// When the context ends, what was begun is put back.
func (m *Machine) Run(ctx context.Context, o Order) Result {
	r := &run{
		Machine: m, Order: o, record: m.journal().Deployment(o.Plan.ID),
		committed: map[string]bool{}, unchecked: map[string]bool{},
	}
	receiving, done := context.WithCancel(ctx)
	defer done()
	if o.Stream != nil {
		r.stream = receive(receiving, o.Stream)
	}
	err := r.prepare(ctx)
	if err == nil {
		err = r.carryOut(ctx)
	}
	result := r.end(ctx, err)
	r.tidy(result)
	r.tell(Event{Status: Finished, Result: &result})
	return result
}

// tidy removes what nobody will ask for any more.
func (r *run) tidy(result Result) {
	if err := r.forget(result.Outcome); err != nil {
		r.tell(Event{Status: Noted, Text: "what was kept of earlier data could not be removed: " + err.Error()})
	}
}

// errChanged is a state that is no longer the one the plan was made from.
var errChanged = errors.New("the environment changed since the plan was made")

// prepare looks whether the state is still what the plan was made from, and keeps it.
func (r *run) prepare(ctx context.Context) error {
	state, err := r.State(ctx)
	if err != nil {
		return err
	}
	entries, err := r.History.Entries()
	if err != nil {
		return err
	}
	if state.Basis() != r.Plan.Basis || journal.Unfinished(entries) != nil {
		return errChanged
	}
	if r.project, err = r.load(ctx); err != nil {
		return err
	}
	r.before = beforeOf(state)
	if r.Target.Engine == promotion.EngineSwarm {
		if err := r.rememberStack(ctx, state.Project); err != nil {
			return err
		}
	}
	if err := r.connect(state.Project); err != nil {
		return err
	}
	return r.keep()
}

// connect settles what the project's containers are worked on with.
func (r *run) connect(project string) (err error) {
	if r.Target.Engine == promotion.EngineSwarm {
		r.stack, err = r.stackCommand(r.project, project)
		return err
	}
	r.compose = r.command(r.project, project)
	return nil
}

// carryOut takes the steps of the plan, one after the other; but services that do not wait for each other
// are rolled side by side.
func (r *run) carryOut(ctx context.Context) error {
	steps := r.Plan.Steps
	for len(steps) > 0 {
		n := 1
		for n < len(steps) && sameWave(steps[0], steps[n]) {
			n++
		}
		if err := r.sideBySide(ctx, steps[:n]); err != nil {
			return err
		}
		steps = steps[n:]
	}
	return nil
}

func sameWave(a, b promotion.Step) bool {
	return a.Kind == promotion.RollStep && b.Kind == promotion.RollStep && a.Wave == b.Wave
}

// sideBySide takes the steps of a wave: those of one service in their order, those of several at a time.
func (r *run) sideBySide(ctx context.Context, steps []promotion.Step) error {
	if r.Target.Engine == promotion.EngineSwarm && steps[0].Kind == promotion.RollStep {
		return r.rollStack(ctx, steps)
	}
	moves := map[string][]promotion.Step{}
	for _, step := range steps {
		service, _ := r.rollOf(step.Service)
		moves[service] = append(moves[service], step)
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, own := range moves {
		group.Go(func() error { return r.oneByOne(ctx, own) })
	}
	return group.Wait()
}

func (r *run) oneByOne(ctx context.Context, steps []promotion.Step) error {
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.telling(step, func() error { return r.step(ctx, step) }); err != nil {
			return err
		}
	}
	return nil
}

// telling does something, and tells of it as of a step: that it begins, and how it ends.
func (r *run) telling(step promotion.Step, do func() error) error {
	event := Event{Step: step.Kind, Service: step.Service, Task: step.Task, Status: Started}
	r.tell(event)
	err := do()
	if event.Status = Done; err != nil {
		event.Status, event.Text = Failed, err.Error()
	}
	r.tell(event)
	return err
}

func (r *run) step(ctx context.Context, s promotion.Step) error {
	switch s.Kind {
	case promotion.Preflight:
		return r.preflight(ctx)
	case promotion.Pull:
		return r.pull(ctx)
	case promotion.RollStep:
		_, roll := r.rollOf(s.Service)
		return r.roll(ctx, roll)
	case promotion.TaskStep:
		return r.runTask(ctx, s)
	case promotion.SaveStep:
		return r.save(ctx, s)
	case promotion.LoadStep:
		return r.reload(ctx, s)
	case promotion.Confirm:
		return r.confirm(ctx)
	case promotion.RecordEnd:
		return r.recordEnd()
	}
	return fmt.Errorf("this promote does not know the step %q", s.Kind)
}

// rolls are those of all moves, in their order.
func (r *run) rolls() []promotion.Roll {
	var list []promotion.Roll
	for _, m := range r.Plan.Moves {
		list = append(list, m.Rolls...)
	}
	return list
}

// rollOf finds the roll of a compose service, and the service that it belongs to: none for steps that are of no
// service.
func (r *run) rollOf(composeService string) (service string, roll promotion.Roll) {
	for _, m := range r.Plan.Moves {
		for _, roll := range m.Rolls {
			if roll.Service == composeService {
				return m.Service, roll
			}
		}
	}
	return "", promotion.Roll{Service: composeService}
}

// begin says in the journal that from here on something may change.
func (r *run) begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.began {
		return nil
	}
	r.began = true
	return r.History.Append(r.entry(journal.Begun))
}

// recordEnd is the last step: what was reached becomes history.
func (r *run) recordEnd() error {
	if err := r.begin(); err != nil {
		return err
	}
	e := r.entry(journal.Ended)
	e.Outcome, e.Files, e.Tasks = string(OutcomeDone), slices.Sorted(maps.Keys(r.before.Files)), r.taskEntry()
	if r.Target.Git != nil {
		e.Moves = r.moves() // the commit is the only entry there will be
	}
	for _, mark := range slices.Concat(r.Plan.Marks, r.proofs()) {
		mark.At = e.At
		e.Marks = append(e.Marks, toJournal(mark))
	}
	return r.History.Append(e)
}

// proofs are the marks that only the rollout can give: whose checks passed, and who has none.
func (r *run) proofs() []promotion.Mark {
	var marks []promotion.Mark
	for _, move := range r.Plan.Moves {
		kind := promotion.Verified
		rolled := slices.ContainsFunc(move.Rolls, func(roll promotion.Roll) bool { return !r.fileOnly(roll) && roll.Strategy != promotion.NotStarted })
		unchecked := slices.ContainsFunc(move.Rolls, func(roll promotion.Roll) bool { return r.unchecked[roll.Service] })
		if (!rolled || unchecked) && !r.verifiedByTask(move) {
			kind = promotion.Unchecked
		}
		marks = append(marks, promotion.Mark{Service: move.Service, Kind: kind, Release: move.To, By: r.Plan.By, Deployment: r.Plan.ID})
	}
	return marks
}

// end turns what stopped the deployment, if anything did, into its result; what was changed is put back.
func (r *run) end(ctx context.Context, cause error) Result {
	if cause == nil {
		return Result{Outcome: OutcomeDone}
	}
	result := describeFailure(cause)
	if r.touched {
		if err := r.engineHangs(ctx); err != nil {
			return r.interrupted(result, err)
		}
		result.Outcome = OutcomeRestored
		if err := r.undo(context.WithoutCancel(ctx)); err != nil {
			if hangs := r.engineHangs(ctx); hangs != nil {
				return r.interrupted(result, hangs)
			}
			result.Outcome = OutcomeStuck
			result.Error += "; and putting it back failed: " + err.Error()
			result.Repair = r.repair(err)
		}
		result.Stays = r.stays
	} else if r.began {
		if err := r.undoImages(context.WithoutCancel(ctx)); err != nil {
			r.tell(Event{Status: Noted, Text: "an image pulled under an old one's name keeps it: " + err.Error()})
		}
	}
	if r.began {
		r.failureTasks(context.WithoutCancel(ctx))
		e := r.entry(journal.Ended)
		e.Outcome, e.Error, e.Tasks = string(result.Outcome), result.Error, r.taskEntry()
		if err := r.History.Append(e); err != nil {
			r.tell(Event{Status: Noted, Text: "the history could not be written: " + err.Error()})
		}
	}
	return result
}

// engineHangs looks whether there is an engine to put anything back with.
func (r *run) engineHangs(ctx context.Context) error {
	if r.Engine == nil {
		return nil
	}
	return r.Engine.Hanging(context.WithoutCancel(ctx))
}

// interrupted is the result of a deployment that can neither go on nor back now. Its history says of no end, so that it
// can be resumed once the engine answers; until then nobody is kept from looking at it by its lock.
func (r *run) interrupted(result Result, cause error) Result {
	result.Outcome, result.Error = OutcomeStuck, cause.Error()+"; before that: "+result.Error
	result.Hint, result.Repair = "", fmt.Sprintf("%s; then promote resume %s", Advice(cause), r.Target.Environment)
	return result
}

// Advice is what an error says to do about it, or nothing.
func Advice(err error) string {
	var advised interface{ Hint() string }
	if errors.As(err, &advised) {
		return advised.Hint()
	}
	return ""
}

// describeFailure takes apart an error for people: which service, what to do, what its container said.
func describeFailure(err error) Result {
	result := Result{Outcome: OutcomeFailed, Error: err.Error(), Hint: Advice(err)}
	var failed *containerError
	if errors.As(err, &failed) {
		result.Service, result.Logs = failed.Service, failed.Logs
	}
	var task *taskError
	if errors.As(err, &task) {
		result.Service, result.Logs = task.Service, task.Logs
	}
	switch {
	case errors.Is(err, errChanged):
		result.Outcome, result.Hint = OutcomeChanged, "the same command again; it plans anew"
	case errors.Is(err, context.Canceled):
		result.Error = "stopped on request"
	}
	return result
}

func (r *run) entry(event string) journal.Entry {
	e := journal.Entry{
		Schema: promotion.Schema, Event: event, ID: r.Plan.ID, Kind: string(r.Plan.Kind),
		At: r.Now().UTC().Truncate(time.Millisecond), By: r.Plan.By, Reason: r.Plan.Reason,
		Emergency: r.Plan.Emergency, AcceptDigest: r.Plan.AcceptDigest,
	}
	if event == journal.Begun {
		e.Moves = r.moves()
	}
	e.Data = r.transferEntry()
	return e
}

func (r *run) moves() []journal.Move {
	var moves []journal.Move
	for _, m := range r.Plan.Moves {
		moves = append(moves, journal.Move{Service: m.Service, From: m.From, To: m.To})
	}
	return moves
}

func (r *run) tell(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seq++
	e.Schema, e.Seq, e.At = promotion.Schema, r.seq, r.Now().UTC()
	r.Tell(e)
}

// repair is what a person can do by hand when putting back failed.
func (r *run) repair(err error) string {
	if schema := (*takenBackError)(nil); errors.As(err, &schema) {
		return schema.Hint()
	}
	if r.Plan.Kind == promotion.MoveData {
		return r.repairData()
	}
	if r.Target.Engine == promotion.EngineSwarm {
		return fmt.Sprintf("in %s: look at docker stack ps %s and at %s, put the files back, then docker stack deploy -c %s %s",
			r.project.Dir(), r.stack.Name, r.record.Path("before"), strings.Join(r.stack.Files, " -c "), r.stack.Name)
	}
	return fmt.Sprintf("in %s: look at %s, put the files back, then docker compose -p %s up -d %s",
		r.project.Dir(), r.record.Path("before"), r.compose.Name, joined(slices.Sorted(maps.Keys(r.before.Containers))))
}
