package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Holder is who holds an environment's lock.
type Holder struct {
	ID    string    `json:"id"` // deployment
	Kind  string    `json:"kind"`
	By    string    `json:"by"` // who, from where
	Since time.Time `json:"since"`
	PID   int       `json:"pid"` // of the worker, 0 until it runs
	// Started is when that process started, as its machine counts, since another one may get its PID; 0: not known.
	Started uint64 `json:"started,omitempty"`
}

func (h Holder) String() string {
	return fmt.Sprintf("%s %s by %s since %s", h.Kind, h.ID, h.By, h.Since.UTC().Format("15:04:05 UTC"))
}

// LockedError is an environment that another deployment holds.
type LockedError struct{ Holder Holder }

func (e *LockedError) Error() string { return "locked: " + e.Holder.String() }

// Lock is held as long as its file is open, here or in a process that inherited it.
type Lock struct{ File *os.File }

// glance is how long a lock is waited for by somebody who doesn't want to wait: longer than [Journal.Locked]
// needs to look at it, shorter than anybody notices.
const glance = 100 * time.Millisecond

// Lock takes the environment's lock for a deployment, waiting at most so long in the kernel's queue for
// it, or returns a [LockedError].
func (j *Journal) Lock(ctx context.Context, wait time.Duration, h Holder) (*Lock, error) {
	if err := j.make(); err != nil {
		return nil, err
	}
	f, err := j.open(filepath.Join(j.dir, "lock"), 0)
	if err != nil {
		return nil, err
	}
	waiting, cancel := context.WithTimeout(ctx, max(wait, glance))
	defer cancel()
	if err := flock(waiting, f); err != nil {
		defer f.Close()
		if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
			holder, _ := read(f)
			return nil, &LockedError{Holder: holder}
		}
		return nil, err
	}
	l := &Lock{File: f}
	if err := l.Write(h); err != nil {
		return nil, errors.Join(err, l.Release())
	}
	return l, nil
}

// flock takes the lock at once, or waits for it while the context lasts.
func flock(ctx context.Context, f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return err
	}
	// The waiting goroutine outlives us when the context ends first. No command that is started meanwhile
	// may inherit its copy: it would hold the lock.
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return err
	}
	got := make(chan error, 1)
	go func() {
		err := unix.Flock(fd, unix.LOCK_EX)
		got <- errors.Join(err, unix.Close(fd))
	}()
	select {
	case err := <-got:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Write says in the lock who holds it.
func (l *Lock) Write(h Holder) error {
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := l.File.Truncate(0); err != nil {
		return err
	}
	_, err = l.File.WriteAt(append(data, '\n'), 0)
	return err
}

// Release gives the lock back.
func (l *Lock) Release() error { return l.File.Close() }

// Locked returns who holds the lock now, or nil. Nothing is waited for and nothing is changed.
func (j *Journal) Locked() (*Holder, error) {
	f, err := os.Open(filepath.Join(j.dir, "lock")) // whoever may only read may look, too
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// There is no way to ask for a flock without taking it; closing the file gives it back at once.
	err = unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if err == nil {
		return nil, nil
	}
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return nil, err
	}
	h, _ := read(f)
	return &h, nil
}

func read(f *os.File) (Holder, error) {
	var h Holder
	data := make([]byte, 4096)
	n, err := f.ReadAt(data, 0)
	if n == 0 {
		return h, err
	}
	return h, json.Unmarshal(data[:n-1], &h)
}
