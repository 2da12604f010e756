package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"promote/compose/atomicfile"
	"promote/internal/journal"
	"promote/internal/promotion"
)

// loadsFile is on disk what run.loads is: the data of which something may have been replaced.
const loadsFile = "loads.json"

// keptData is how many deployments of an environment keep what they replaced.
const keptData = 2

// replaced is the file that keeps data as it was before a deployment.
func replaced(record *journal.Record, name string) string { return record.Path("replaced-" + name) }

// item is data of the plan.
func (r *run) item(name string) (promotion.Data, error) {
	if r.Plan.Data != nil {
		for _, d := range r.Plan.Data.Items {
			if d.Name == name && !strings.ContainsAny(name, "/\x00") { // it names a file
				return d, nil
			}
		}
	}
	return promotion.Data{}, fmt.Errorf("the plan has no data %q", name)
}

// save keeps data as it is, for the owner alone: it is as real as this environment's data gets.
func (r *run) save(ctx context.Context, step promotion.Step) (err error) {
	d, err := r.item(step.Task)
	if err != nil {
		return err
	}
	path := replaced(r.record, d.Name)
	room, err := r.roomToSave(d.Name)
	if err != nil {
		return err
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	if _, err := r.dump(ctx, d, r.compose.Name, nil, io.MultiWriter(room, f, r.moving(step)), r.sayer(step)); err != nil {
		return errors.Join(err, f.Discard())
	}
	return f.Commit()
}

// reload loads data in place of what is there: from the stream, or from what an earlier deployment replaced.
func (r *run) reload(ctx context.Context, step promotion.Step) error {
	d, err := r.item(step.Task)
	if err != nil {
		return err
	}
	next := r.stream.next
	if id := r.Plan.Data.Undo; id != "" {
		f, err := r.kept(id, d.Name)
		if err != nil {
			return err
		}
		defer f.Close()
		next = pieces(f)
	}
	first, err := next(ctx, nil) // what is there is left alone until something comes
	if err != nil {
		return err
	}
	loads := append(slices.Clone(r.loads), d.Name)
	if err := r.record.WriteJSON(loadsFile, loads); err != nil { // whoever resumes what began has to find it
		return err
	}
	if err := r.begin(); err != nil {
		return err
	}
	r.touch()
	r.loads = loads
	return r.put(ctx, d, step, first, next)
}

// more is where data comes from. It gives a piece of it, [io.EOF] at its end; or [errStopped] once stopped is closed.
type more func(ctx context.Context, stopped <-chan struct{}) ([]byte, error)

// pieces reads a file.
func pieces(f io.Reader) more {
	piece := make([]byte, ChunkSize)
	return func(context.Context, <-chan struct{}) ([]byte, error) {
		n, err := f.Read(piece)
		return piece[:n], err
	}
}

// put has a body of data loaded, and returns when that has ended, well or not.
func (r *run) put(ctx context.Context, d promotion.Data, step promotion.Step, piece []byte, next more) error {
	limited, cancel := context.WithTimeout(ctx, cmp.Or(d.Timeout, time.Hour))
	defer cancel()
	place, err := r.placeOf(limited, d, r.compose.Name)
	if err != nil {
		return err
	}
	s, err := r.startGuarded(limited, place, guardLoad, d.Load, r.sayer(step))
	if err != nil {
		return err
	}
	err = r.fill(limited, s, step, piece, next)
	s.hushed.Store(err != nil && !errors.Is(err, errStopped))
	if err == nil {
		select {
		case <-s.exited:
		case <-limited.Done():
			err = limited.Err()
		}
	}
	s.end()
	if late := limited.Err(); late != nil {
		err = late
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return &dataError{d.Name, "load", fmt.Sprintf("it took longer than %s", d.Timeout)}
	case errors.Is(err, errStopped):
		return cmp.Or(s.failure(d, "load"), error(&dataError{d.Name, "load", "it ended before it had read all"}))
	case err != nil:
		return err
	}
	return s.failure(d, "load")
}

// fill gives a load its blocks, and the end.
func (r *run) fill(ctx context.Context, s *guardedCommand, step promotion.Step, piece []byte, next more) error {
	defer context.AfterFunc(ctx, s.stop)()
	moving, err := r.moving(step), error(nil)
	for ; err == nil; piece, err = next(ctx, s.exited) {
		select {
		case <-s.exited:
			return errStopped
		default:
		}
		if len(piece) == 0 {
			continue
		}
		if _, err := s.in.Write(append(fmt.Appendf(nil, "%d\n", len(piece)), piece...)); err != nil {
			return cmp.Or(ctx.Err(), errStopped)
		}
		_, _ = moving.Write(piece)
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	moving.done()
	if _, err := io.WriteString(s.in, "end\n"); err != nil {
		return cmp.Or(ctx.Err(), errStopped)
	}
	return nil
}

// kept opens what a deployment of this environment replaced.
func (r *run) kept(id, name string) (*os.File, error) {
	entries, err := r.History.Entries()
	if err != nil {
		return nil, err
	}
	own := slices.ContainsFunc(entries, func(e journal.Entry) bool { return e.ID == id && e.Data != nil })
	if !own {
		return nil, fmt.Errorf("%s replaced no data of %s", id, r.Target.Environment)
	}
	f, err := os.Open(replaced(r.journal().Deployment(id), name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("what %s replaced of %s is not there any more: the last %d stay", id, name, keptData)
	}
	return f, err
}

// undoData loads back what was there, the last one first.
func (r *run) undoData(ctx context.Context) error {
	var failures []error
	for _, name := range slices.Backward(r.loads) {
		failures = append(failures, r.loadBack(ctx, name))
	}
	return errors.Join(failures...)
}

func (r *run) loadBack(ctx context.Context, name string) error {
	d, err := r.item(name)
	if err != nil {
		return err
	}
	f, err := os.Open(replaced(r.record, name))
	if err != nil {
		return err
	}
	defer f.Close()
	return r.put(ctx, d, promotion.Step{Kind: promotion.LoadStep, Task: name}, nil, pieces(f))
}

// recollectData reads which data the dead worker had begun to replace.
func (r *run) recollectData() error {
	if r.Plan.Kind != promotion.MoveData {
		return nil
	}
	return r.record.ReadJSON(loadsFile, &r.loads)
}

// forget removes what was kept for putting back: that of a deployment which ended with everything as it was, and all
// but the last ones.
func (r *run) forget(outcome Outcome) error {
	if r.Plan.Kind != promotion.MoveData || outcome == OutcomeStuck {
		return nil
	}
	entries, err := r.History.Entries()
	if err != nil {
		return err
	}
	var failures []error
	kept := 0
	for _, d := range slices.Backward(journal.Deployments(entries)) {
		if d.Data == nil || d.End.IsZero() || d.Outcome == string(OutcomeStuck) {
			continue
		}
		if d.Outcome == string(OutcomeDone) && kept < keptData {
			kept++
			continue
		}
		failures = append(failures, removeReplaced(r.journal().Deployment(d.ID)))
	}
	if outcome == OutcomeFailed || outcome == OutcomeChanged { // not in the history
		failures = append(failures, removeReplaced(r.record))
	}
	return errors.Join(failures...)
}

func removeReplaced(record *journal.Record) error {
	names, err := replacedIn(record)
	for _, name := range names {
		err = errors.Join(err, os.Remove(record.Path(name)))
	}
	return err
}

// replacedIn are the files of a deployment that keep data, and what is left of one that was being written.
func replacedIn(record *journal.Record) ([]string, error) {
	entries, err := os.ReadDir(record.Path(""))
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "replaced-") || strings.HasPrefix(e.Name(), atomicfile.Prefix) {
			names = append(names, e.Name())
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, err
}

// keeps reports whether a deployment keeps data that it replaced.
func (m *Machine) keeps(id string) bool {
	names, err := replacedIn(m.journal().Deployment(id))
	return err != nil || len(names) > 0
}

// transferEntry is what the journal says of data.
func (r *run) transferEntry() *journal.Data {
	if r.Plan.Data == nil {
		return nil
	}
	e := &journal.Data{From: r.Plan.Data.From, Undo: r.Plan.Data.Undo, Bytes: r.moved}
	for _, d := range r.Plan.Data.Items {
		e.Names = append(e.Names, d.Name)
	}
	return e
}

// sayer tells what a command of a step says.
func (r *run) sayer(step promotion.Step) func(string) {
	return func(line string) {
		r.tell(Event{Step: step.Kind, Task: step.Task, Status: Progress, Text: line})
	}
}

// pace is how often it is told how much has moved.
const pace = 500 * time.Millisecond

// moving tells how much has moved: at once that something has, then now and then.
type moving struct {
	r     *run
	step  promotion.Step
	bytes int64
	told  time.Time
}

func (r *run) moving(step promotion.Step) *moving {
	return &moving{r: r, step: step}
}

func (m *moving) Write(data []byte) (int, error) {
	m.bytes += int64(len(data))
	if now := m.r.Now(); now.Sub(m.told) >= pace {
		m.told = now
		m.tell()
	}
	return len(data), nil
}

func (m *moving) tell() {
	m.r.tell(Event{Step: m.step.Kind, Task: m.step.Task, Status: Progress, Moved: m.bytes})
}

// done counts it as moved.
func (m *moving) done() {
	m.tell()
	if !m.r.back {
		m.r.moved += m.bytes
	}
}

// repairData is what a person can do when data could not be loaded back.
func (r *run) repairData() string {
	var paths []string
	for _, name := range r.loads {
		paths = append(paths, replaced(r.record, name))
	}
	return fmt.Sprintf("what was there is in %s; once it is mended what kept that from being loaded: promote resume %s", joined(paths), r.Target.Environment)
}
