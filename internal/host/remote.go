package host

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	"promote/internal/promotion"
	"promote/internal/rollout"
)

// Remote is the host side on another machine. One connection serves everything that is asked; a new one
// is made when it is lost.
type Remote struct {
	Host     *url.URL
	SSH      *SSH
	Patience time.Duration                        // how long contact may be lost before following gives up
	Lost     func(err error, again time.Duration) // told when contact is lost while a deployment is followed
	Found    func()                               // told when it is there again

	mu   sync.Mutex
	link *link
	ever bool // the host spoke, over a connection before this one
}

// There is an environment on another machine.
func There(target promotion.Target, by string, r *Remote) *Side {
	return &Side{Target: target, By: by, caller: r}
}

// Close ends the connection. A deployment goes on.
func (r *Remote) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.link != nil {
		r.link.process.end()
	}
}

// LostError is a host that was lost while a deployment was followed. It goes on.
type LostError struct {
	Err  error
	Seen bool // something of the deployment was seen: it began
}

func (e *LostError) Error() string {
	if e.Seen {
		return "lost contact: " + e.Err.Error() + "; the deployment goes on"
	}
	return "lost contact: " + e.Err.Error() + "; if the deployment began, it goes on"
}

// Unwrap says that the deployment goes on.
func (e *LostError) Unwrap() error { return ErrDetached }

// Reconnecting: each pause is twice the one before.
const (
	firstPause = 500 * time.Millisecond
	longPause  = 15 * time.Second
)

// call asks the host. What has to do with a deployment outlives the connection: following goes on behind
// the last event that is known here, and asking for one a second time does not begin a second one.
func (r *Remote) call(ctx context.Context, q Request, tell func(rollout.Event)) (Answer, error) {
	again := backoff{pause: firstPause, patience: r.Patience}
	known := func(e rollout.Event) {
		if again.reset() && r.Found != nil {
			r.Found()
		}
		if e.Seq > q.After && tell != nil {
			q.After = e.Seq
			tell(e)
		}
	}
	for {
		answer, err := r.once(ctx, q, known)
		if lost := (*ConnectionError)(nil); !errors.As(err, &lost) || !q.lasting() || !r.reached() {
			return answer, err
		}
		pause, ok := again.next()
		if !ok {
			return answer, &LostError{Err: err, Seen: q.After > 0}
		}
		r.lost(err, pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return answer, ctx.Err()
		}
	}
}

// lasting reports whether a request is about a deployment that goes on without us.
func (q Request) lasting() bool { return q.Do == DoApply || q.Do == DoFollow || q.Do == DoStop }

// once asks over one connection.
func (r *Remote) once(ctx context.Context, q Request, tell func(rollout.Event)) (Answer, error) {
	l, err := r.connect()
	if err != nil {
		return Answer{}, err
	}
	return l.ask(ctx, q, tell)
}

// reached reports whether the host ever spoke.
func (r *Remote) reached() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ever || r.link != nil && r.link.open()
}

// backoff says how long to wait before the next try.
type backoff struct {
	pause    time.Duration
	patience time.Duration
	since    time.Time // when contact was lost; zero: it is there
}

func (b *backoff) next() (pause time.Duration, ok bool) {
	if b.since.IsZero() {
		b.since = time.Now()
	}
	pause = b.pause
	b.pause = min(2*b.pause, longPause)
	return pause, time.Since(b.since) < b.patience
}

// reset says that contact is there, and whether it was lost.
func (b *backoff) reset() (lost bool) {
	lost = !b.since.IsZero()
	b.pause, b.since = firstPause, time.Time{}
	return lost
}

func (r *Remote) lost(err error, pause time.Duration) {
	if r.Lost != nil {
		r.Lost(err, pause)
	}
}

// connect returns the connection, or begins a new one.
func (r *Remote) connect() (*link, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.link != nil && !r.link.over() {
		return r.link, nil
	}
	r.ever = r.ever || r.link != nil && r.link.open()
	p, err := r.SSH.start(r.Host)
	if err != nil {
		return nil, &ConnectionError{Host: r.Host, Reason: err.Error(), Err: err}
	}
	r.link = &link{host: r.Host, program: r.SSH.Program, process: p, batch: r.SSH.Batch, pending: map[int]waiting{}, ready: make(chan struct{}), gone: make(chan struct{})}
	go r.link.run()
	return r.link, nil
}
