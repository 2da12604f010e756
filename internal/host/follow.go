package host

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	"github.com/fsnotify/fsnotify"
	"golang.org/x/sys/unix"

	"promote/internal/journal"
	"promote/internal/rollout"
)

// Follow tells the events of a deployment after a number, those that were and those that come, until
// it has ended. The kernel says when there is more to read and when the worker is gone; nothing polls, unless
// the kernel has no more watches for this user.
func Follow(ctx context.Context, record *journal.Record, id string, after int, tell func(rollout.Event)) (rollout.Result, error) {
	f, err := os.Open(record.Path("events.jsonl"))
	if err != nil {
		return rollout.Result{}, err
	}
	defer f.Close()
	grown, stop := watchGrowth(f.Name())
	defer stop()
	t := &tail{reader: bufio.NewReader(f), after: after, tell: tell}
	gone := workerGone(f)
	for {
		if result, err := t.read(); result != nil || err != nil {
			waitFor(ctx, gone) // so that nothing of the worker, such as its lock, is in the way of what comes next
			return *result, err
		}
		select {
		case <-grown:
		case <-gone:
			if result, err := t.read(); result != nil || err != nil {
				return *result, err
			}
			return rollout.Result{}, &DiedError{ID: id, Log: record.Path("worker.log")}
		case <-ctx.Done():
			return rollout.Result{}, ErrDetached
		}
	}
}

// lookAgain is how often a file is read that can't be watched.
const lookAgain = 200 * time.Millisecond

// watchGrowth tells when a file may have grown. A user has few watches, and every container that runs as this user
// takes its own: without one, it may have grown now and then.
func watchGrowth(path string) (grown <-chan struct{}, stop func()) {
	watcher, err := fsnotify.NewWatcher()
	if err == nil {
		if err = watcher.Add(path); err != nil {
			watcher.Close()
		}
	}
	told, done := make(chan struct{}), make(chan struct{})
	var events <-chan fsnotify.Event
	var failed <-chan error
	var tick <-chan time.Time
	if err == nil {
		events, failed = watcher.Events, watcher.Errors
	} else {
		tick = time.Tick(lookAgain)
	}
	go func() {
		for {
			select {
			case <-events:
			case <-failed: // too many at once, so that some were not told
			case <-tick:
			case <-done:
				return
			}
			select {
			case told <- struct{}{}:
			case <-done:
				return
			}
		}
	}()
	return told, func() {
		close(done)
		if err == nil {
			watcher.Close()
		}
	}
}

func waitFor(ctx context.Context, gone <-chan struct{}) {
	select {
	case <-gone:
	case <-ctx.Done():
	}
}

// workerGone is closed when the worker's lock on its events has ended.
func workerGone(f *os.File) <-chan struct{} {
	gone := make(chan struct{})
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		close(gone)
		return gone
	}
	go func() {
		defer close(gone)
		defer unix.Close(fd)
		for unix.Flock(fd, unix.LOCK_SH) == unix.EINTR {
			continue
		}
	}()
	return gone
}

// tail reads whole lines of a file that grows.
type tail struct {
	reader *bufio.Reader
	half   []byte // of a line that is still being written
	after  int
	tell   func(rollout.Event)
}

// read tells what has come since the last time; the result is there when the deployment has ended.
func (t *tail) read() (*rollout.Result, error) {
	for {
		line, err := t.reader.ReadBytes('\n')
		t.half = append(t.half, line...)
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return &rollout.Result{}, err
		}
		var e rollout.Event
		err = json.Unmarshal(t.half, &e)
		t.half = nil
		if err != nil {
			continue // torn by a full disk: an event is lost, not the deployment
		}
		if e.Seq > t.after && t.tell != nil {
			t.tell(e)
		}
		if e.Result != nil {
			return e.Result, nil
		}
	}
}

// readEvents reads what there is of a deployment's events.
func readEvents(record *journal.Record) ([]rollout.Event, error) {
	f, err := os.Open(record.Path("events.jsonl"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var events []rollout.Event
	t := &tail{reader: bufio.NewReader(f), tell: func(e rollout.Event) { events = append(events, e) }}
	_, err = t.read()
	return events, err
}
