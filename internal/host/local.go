package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"syscall"

	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// Local is the host side on this machine.
type Local struct {
	Open   func(context.Context, promotion.Target) (*rollout.Machine, error) // this machine, for a target
	Worker []string                                                          // the command that runs [Work] in a process of its own
	Allow  *Allowance                                                        // nil: everything

	mu       sync.Mutex
	starting map[string]chan struct{} // deployments whose worker is about to start
	sources  map[string]*source       // what is dumped, by the deployment that it is for
	feeds    map[string]*feed         // of workers that are given data
}

// Here is an environment on this machine: what a host would be asked is done in this process.
func Here(target promotion.Target, by string, l *Local) *Side {
	return &Side{Target: target, By: by, caller: l}
}

// idGrammar is what a deployment is called, and nothing that leads out of its folder.
var idGrammar = regexp.MustCompile(`^[0-9a-z][0-9a-z-]{0,63}$`)

// call does what is asked.
func (l *Local) call(ctx context.Context, r Request, tell func(rollout.Event)) (Answer, error) {
	if err := checkGrammar(&r); err != nil {
		return Answer{}, err
	}
	allow, err := l.allowance()
	if err != nil {
		return Answer{}, err
	}
	if allow != nil {
		if err := allow.limit(&r); err != nil {
			return Answer{}, err
		}
	}
	if info, err := os.Stat(r.Target.Project); err != nil || !info.IsDir() {
		return Answer{}, &noProjectError{r.Target}
	}
	if err := r.check(); err != nil {
		return Answer{}, err
	}
	m, err := l.Open(ctx, r.Target)
	if err != nil {
		return Answer{}, err
	}
	return l.answer(ctx, at{m, allow}, r, tell)
}

func (l *Local) answer(ctx context.Context, m at, r Request, tell func(rollout.Event)) (a Answer, err error) {
	switch r.Do {
	case DoState:
		var state promotion.State
		state, err = m.State(ctx)
		a.State = &state
	case DoCheckup:
		checkup := m.Checkup(ctx, r.Credentials)
		a.Checkup = &checkup
	case DoPending:
		a.Pending, err = l.pending(ctx, m, r)
	case DoHistory:
		a.Entries, err = m.History.Entries()
	case DoHolder:
		a.Holder, err = m.journal().Locked()
	case DoQuiet:
		err = m.quiet(ctx, r)
	case DoMark:
		err = m.Mark(r.Kind, r.By, r.Reason, r.Marks)
	case DoDeployment:
		a.Plan, a.Events, err = m.deployment(r.Deployment)
	case DoApply:
		a.Result, err = l.apply(ctx, m, r, tell)
	case DoFollow:
		a.Result, err = m.follow(ctx, r.Deployment, r.After, tell)
	case DoStop:
		err = l.stop(ctx, m, r.Deployment)
	case DoCollect:
		a.Collection, err = m.collect(ctx, r)
	case DoDump:
		err = l.dump(ctx, m, r, tell)
	case DoRead:
		a.Chunk, err = l.read(ctx, r)
	case DoFeed:
		err = l.feed(ctx, r)
	default:
		err = &requestError{fmt.Sprintf("this promote does not know how to %q", r.Do)}
	}
	return a, err
}

// longestName and longestReason are what people say of themselves and of why: it is written into the lock and
// the history.
const (
	longestName   = 256       // bytes
	longestReason = 4 << 10   // bytes
	mostMarks     = 10_000    // at a time: one for each service of a large environment
	longestMarks  = 512 << 10 // bytes that their reasons come to: each mark is written with its own
)

// checkMarks keeps the history, which is never cut, from being filled by one request.
func (r Request) checkMarks() error {
	count, size := len(r.Marks), len(r.Marks)*len(r.Reason)
	if r.Job != nil {
		count += len(r.Job.Plan.Marks)
		for _, m := range r.Job.Plan.Marks {
			size += len(m.Reason)
		}
	}
	if count > mostMarks || size > longestMarks {
		return &requestError{fmt.Sprintf("%d marks with %d bytes of reasons are more than a history takes at once", count, size)}
	}
	return nil
}

// check looks whether a request is one that a client of ours makes, so that what follows can rely on it.
func (r Request) check() error {
	if err := r.checkMarks(); err != nil {
		return err
	}
	for _, s := range r.Target.Services {
		if len(s.Runs) == 0 {
			return &requestError{fmt.Sprintf("nothing runs the service %q", s.Name)}
		}
	}
	switch r.Do {
	case DoDeployment, DoApply, DoPending, DoFollow, DoStop, DoCollect, DoDump, DoRead, DoFeed:
	default:
		return nil
	}
	if !idGrammar.MatchString(r.Deployment) {
		return &requestError{fmt.Sprintf("%q is no deployment", r.Deployment)}
	}
	if (r.Do == DoApply || r.Do == DoPending) && (r.Job == nil || r.Job.Plan.ID != r.Deployment) {
		return &requestError{string(r.Do) + " wants the job of the deployment that it names"}
	}
	return r.checkData()
}

// requestError is a request that no client of this version makes.
type requestError struct{ reason string }

func (e *requestError) Error() string { return e.reason }

// Hint is what is most likely wrong.
func (e *requestError) Hint() string { return "install the same promote at both ends" }

// noProjectError is a project directory that is not there.
type noProjectError struct{ target promotion.Target }

func (e *noProjectError) Error() string {
	return fmt.Sprintf("the project directory of %s, %s, is not there", e.target.Environment, e.target.Project)
}

// Hint names the setting.
func (e *noProjectError) Hint() string {
	return "project: of " + e.target.Environment + " in promote.yaml says where the compose files are"
}

// allowance is what this key may do now: whoever looks after the host may have changed it since it connected.
func (l *Local) allowance() (*Allowance, error) {
	if l.Allow == nil {
		return nil, nil
	}
	return l.Allow.reread()
}

// at is a machine as requests see it.
type at struct {
	*rollout.Machine
	allow *Allowance // nil: everything
}

func (m at) journal() *journal.Journal { return journal.Open(m.Target.Project) }

func (m at) quiet(ctx context.Context, r Request) error {
	lock, err := m.journal().Lock(ctx, r.Wait, journal.Holder{Kind: "look", By: r.By, Since: m.Now().UTC(), PID: os.Getpid()})
	if err != nil {
		return err
	}
	return lock.Release()
}

func (m at) deployment(id string) (*promotion.Plan, []rollout.Event, error) {
	record, plan := m.journal().Deployment(id), promotion.Plan{}
	if err := record.ReadJSON("plan.json", &plan); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, &goneError{id, m.Target.Environment}
	} else if err != nil {
		return nil, nil, err
	}
	if plan.Schema > promotion.Schema {
		return nil, nil, &journal.NewerError{File: record.Path("plan.json"), Schema: plan.Schema}
	}
	events, err := readEvents(record)
	return &plan, events, err
}

// follow tells the events of a deployment behind a number, to its end.
func (m at) follow(ctx context.Context, id string, after int, tell func(rollout.Event)) (*rollout.Result, error) {
	result, err := Follow(ctx, m.journal().Deployment(id), id, after, tell)
	var died *DiedError
	if errors.As(err, &died) {
		died.Environment = m.Target.Environment
		return m.ended(id, died)
	}
	return &result, err
}

// ended asks the history how a deployment ended that could not write its last event, as on a full disk.
func (m at) ended(id string, died error) (*rollout.Result, error) {
	entries, err := m.History.Entries()
	if err != nil {
		return nil, errors.Join(died, err)
	}
	for _, e := range entries {
		if e.ID == id && e.Event == journal.Ended {
			return &rollout.Result{Outcome: rollout.Outcome(e.Outcome), Error: e.Error}, nil
		}
	}
	return nil, died
}

// stop asks the worker that holds the lock to stop and put back, if it is that of the deployment.
func (l *Local) stop(ctx context.Context, m at, id string) error {
	if err := l.started(ctx, id); err != nil {
		return err
	}
	holder, err := m.journal().Locked()
	switch {
	case err != nil || holder == nil || holder.ID != id:
		return err // it has ended already
	case holder.Kind == collecting:
		return fmt.Errorf("%s removes old images and ends by itself", id)
	case holder.PID == 0:
		return fmt.Errorf("%s is only just starting; try again", id)
	}
	return stopWorker(*holder)
}

// started waits until the worker of a deployment that was asked for here is there.
func (l *Local) started(ctx context.Context, id string) error {
	l.mu.Lock()
	starting := l.starting[id]
	l.mu.Unlock()
	if starting == nil {
		return nil
	}
	select {
	case <-starting:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin notes that a worker is about to start, until done is called.
func (l *Local) begin(id string) (done func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.starting == nil {
		l.starting = map[string]chan struct{}{}
	}
	starting := make(chan struct{})
	l.starting[id] = starting
	return func() { close(starting) }
}

// permit asks whether the key may have a job done. One that is not limited may.
func (l *Local) permit(ctx context.Context, m at, job *Job) error {
	if m.allow == nil {
		return nil
	}
	return m.allow.permit(ctx, m, job)
}

// pending looks at what the tasks of a plan would do. A limited key may, where it may have them done.
func (l *Local) pending(ctx context.Context, m at, r Request) ([]rollout.Pending, error) {
	if err := l.permit(ctx, m, r.Job); err != nil {
		return nil, err
	}
	return m.Pending(ctx, rollout.Order{Plan: r.Job.Plan, Credentials: r.Job.Credentials})
}

// apply starts a worker for a job and follows it. Asked again for a deployment that was begun already,
// as by a client that lost its connection, it goes on following.
func (l *Local) apply(ctx context.Context, m at, r Request, tell func(rollout.Event)) (*rollout.Result, error) {
	if err := l.permit(ctx, m, r.Job); err != nil {
		return nil, err
	}
	defer l.starve(r.Deployment)
	err := l.launch(ctx, m, r)
	if locked := (*journal.LockedError)(nil); errors.As(err, &locked) && locked.Holder.ID == r.Deployment {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	result, err := m.follow(ctx, r.Deployment, r.After, tell)
	if died := (*DiedError)(nil); err != nil && !errors.As(err, &died) && !errors.Is(err, ErrDetached) {
		err = &unseenError{err}
	}
	return result, err
}

// unseenError is a deployment that began, and can't be followed. It goes on.
type unseenError struct{ err error }

func (e *unseenError) Error() string {
	return "it can't be followed: " + e.err.Error() + "; the deployment goes on"
}

// Unwrap says so to those who ask.
func (e *unseenError) Unwrap() error { return ErrDetached }

// launch takes the lock and leaves it to a new worker, unless there has been one already.
func (l *Local) launch(ctx context.Context, m at, r Request) error {
	plan, record := r.Job.Plan, m.journal().Deployment(r.Deployment)
	if begun(record) {
		return nil
	}
	defer l.begin(plan.ID)()
	holder := journal.Holder{ID: plan.ID, Kind: string(plan.Kind), By: plan.By, Since: m.Now().UTC()}
	lock, err := m.journal().Lock(ctx, r.Wait, holder)
	if err != nil {
		return err
	}
	defer lock.Release()
	if begun(record) { // by somebody who asked for the same, while we waited
		return nil
	}
	if err := m.resumable(r.Job.Resume); err != nil {
		return err
	}
	if err := m.permitBegin(ctx, r.Job); err != nil {
		return err
	}
	if err := record.Make(); err != nil {
		return err
	}
	worker, err := l.start(*r.Job, record, lock)
	if err != nil {
		return err
	}
	holder.PID, holder.Started = worker.Pid, startOf(worker.Pid)
	_ = lock.Write(holder) // it has begun, whatever a full disk keeps from being written here
	return nil
}

// resumable looks whether a deployment is one to resume. One that ended must not be put back by that.
func (m at) resumable(id string) error {
	if id == "" {
		return nil
	}
	entries, err := m.History.Entries()
	if err != nil {
		return err
	}
	if d := journal.Unfinished(entries); d == nil || d.ID != id {
		return &endedError{id, m.Target.Environment}
	}
	return nil
}

// endedError is a deployment that there is nothing to resume of.
type endedError struct{ id, environment string }

func (e *endedError) Error() string { return e.id + " is not waiting to be resumed" }

// Hint shows what there is.
func (e *endedError) Hint() string { return "promote history " + e.environment }

func begun(record *journal.Record) bool {
	_, err := os.Stat(record.Path("events.jsonl"))
	return err == nil
}

// start starts the worker in a session of its own, so that no signal of the client's terminal reaches
// it. It inherits the lock and the events file, both flocked: when it dies, both locks end.
func (l *Local) start(job Job, record *journal.Record, lock *journal.Lock) (*os.Process, error) {
	events, err := lockedEvents(record)
	if err != nil {
		return nil, err
	}
	defer events.Close()
	log, err := os.OpenFile(record.Path("worker.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(l.Worker[0], l.Worker[1:]...)
	cmd.Path = sameProgram(cmd.Path)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "/", log, log
	cmd.ExtraFiles = []*os.File{lock.File, events} // 3 and 4
	stream, err := l.feeding(job.Plan)
	if err != nil {
		return nil, err
	}
	if stream != nil {
		defer stream.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, stream) // 5
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("the worker could not be started: %w", err)
	}
	err = errors.Join(json.NewEncoder(input).Encode(job), input.Close())
	go cmd.Wait() // how it ends is in its events; this only lets the kernel forget it
	if errors.Is(err, syscall.EPIPE) {
		err = nil // it has died already, which whoever follows it is told
	}
	return cmd.Process, err
}
