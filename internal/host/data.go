package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"promote/internal/promotion"
	"promote/internal/rollout"
)

// Data goes through the client without touching its disk. At its source a dump runs and is read, at its target a
// worker is fed; the client asks for both, a few chunks at a time, each with its number. Whoever is slow lets the
// others wait: there is never more on the way than the window holds.
const (
	window = 4 // chunks
	beat   = 10 * time.Second
)

// turns lets things be done in the order of their numbers, whoever comes first.
type turns struct {
	mu    sync.Mutex
	next  int
	moved chan struct{} // closed when next has changed
}

// take waits for the turn of a number, and does something then.
func (t *turns) take(ctx context.Context, number int, do func() error) error {
	for {
		t.mu.Lock()
		if t.moved == nil {
			t.moved = make(chan struct{})
		}
		moved := t.moved
		if number <= t.next {
			defer t.mu.Unlock()
			if number < t.next {
				return &requestError{fmt.Sprintf("chunk %d was there already", number)}
			}
			return do()
		}
		t.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// set says whose turn it is. The caller is at its own.
func (t *turns) set(number int) {
	t.next = number
	close(t.moved)
	t.moved = make(chan struct{})
}

// source is a dump that is read.
type source struct {
	turns
	out  io.Reader
	sum  rollout.Sum   // once out has ended
	over chan struct{} // closed: the end was read
}

// read is the chunk of a number; what is behind the end is a beat.
func (s *source) read(ctx context.Context, number int) (*rollout.Chunk, error) {
	c := &rollout.Chunk{Number: number}
	err := s.take(ctx, number, func() error {
		defer s.set(number + 1)
		if s.ended() {
			c.Beat = true
			return nil
		}
		data := make([]byte, rollout.ChunkSize)
		n, err := io.ReadFull(s.out, data)
		switch {
		case errors.Is(err, io.EOF):
			c.End = &s.sum
			close(s.over)
		case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
			return err
		}
		c.Data = data[:n]
		return nil
	})
	return c, err
}

// ended reports whether the end was read.
func (s *source) ended() bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}

// dump runs a dump, which other requests read to its end. The first event says that they can.
func (l *Local) dump(ctx context.Context, m at, r Request, tell func(rollout.Event)) error {
	if m.allow != nil {
		if err := m.allow.permitDump(*r.Data); err != nil {
			return err
		}
	}
	out, in := io.Pipe()
	defer context.AfterFunc(ctx, func() { out.CloseWithError(ctx.Err()) })()
	s := &source{out: out, over: make(chan struct{})}
	if last := get(l, &l.sources, r.Deployment); last != nil && last.ended() {
		remove(l, &l.sources, r.Deployment) // there is more data
	}
	if !add(l, &l.sources, r.Deployment, s) {
		return &requestError{r.Deployment + " is dumped already"}
	}
	seq := 0
	say := func(status rollout.Status, text string) {
		seq++
		tell(rollout.Event{Schema: promotion.Schema, Seq: seq, At: m.Now().UTC(), Step: promotion.DumpStep, Task: r.Data.Name, Status: status, Text: text})
	}
	say(rollout.Started, "")
	sum, err := m.Dump(ctx, *r.Data, in, func(line string) { say(rollout.Progress, line) })
	s.sum = sum
	in.CloseWithError(err) // nil is the end
	if err != nil {
		return err // which who reads is told, too
	}
	select {
	case <-s.over:
	case <-ctx.Done():
	}
	return ctx.Err() // who reads behind the end may still come
}

// read is a chunk of what a dump says.
func (l *Local) read(ctx context.Context, r Request) (*rollout.Chunk, error) {
	s := get(l, &l.sources, r.Deployment)
	if s == nil {
		return nil, &requestError{r.Deployment + " is not dumped here"}
	}
	return s.read(ctx, r.Chunk.Number)
}

// feed is the pipe to a worker that was started here. When whoever fills it goes, the pipe ends, and without the last
// chunk the worker knows what that means.
type feed struct {
	turns
	pipe *os.File
	send rollout.Send
}

// write hands a chunk on.
func (f *feed) write(ctx context.Context, c rollout.Chunk) error {
	if c.Beat || c.Error != "" {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.send(c)
	}
	return f.take(ctx, c.Number, func() error {
		if c.End != nil {
			f.set(0) // of what comes next
		} else {
			f.set(c.Number + 1)
		}
		return f.send(c)
	})
}

// feeding makes the pipe to the worker of a plan that is streamed; nil for others.
func (l *Local) feeding(plan promotion.Plan) (*os.File, error) {
	if !plan.Streamed() {
		return nil, nil
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	add(l, &l.feeds, plan.ID, &feed{pipe: in, send: rollout.SendInto(in)})
	return out, nil
}

// starve ends the pipe to a worker.
func (l *Local) starve(id string) {
	if f := remove(l, &l.feeds, id); f != nil {
		f.pipe.Close()
	}
}

// feed gives the worker of a deployment a chunk.
func (l *Local) feed(ctx context.Context, r Request) error {
	f := get(l, &l.feeds, r.Deployment)
	if f == nil {
		return fmt.Errorf("nobody waits for data of %s", r.Deployment)
	}
	return f.write(ctx, *r.Chunk)
}

// add, get and remove are for what the requests of a connection share, by deployment.
func add[T any](l *Local, shared *map[string]*T, id string, one *T) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if *shared == nil {
		*shared = map[string]*T{}
	}
	if (*shared)[id] != nil {
		return false
	}
	(*shared)[id] = one
	return true
}

func get[T any](l *Local, shared *map[string]*T, id string) *T {
	l.mu.Lock()
	defer l.mu.Unlock()
	return (*shared)[id]
}

func remove[T any](l *Local, shared *map[string]*T, id string) *T {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := (*shared)[id]
	delete(*shared, id)
	return one
}

// checkData looks whether what a request says of data is what a client of ours says.
func (r Request) checkData() error {
	switch {
	case r.Do == DoDump && r.Data == nil:
		return &requestError{"dump wants data"}
	case (r.Do == DoRead || r.Do == DoFeed) && r.Chunk == nil:
		return &requestError{string(r.Do) + " wants a chunk"}
	case r.Chunk != nil && len(r.Chunk.Data) > rollout.ChunkSize:
		return &requestError{"that is no chunk"}
	}
	return nil
}

// Move takes data of an environment to the worker of a deployment that waits for it, through this process. tell is
// given what the dump says. When it fails, the worker is told, which puts back what was there.
func Move(ctx context.Context, from, to *Side, deployment string, d promotion.Data, tell func(rollout.Event)) error {
	err := move(ctx, from, to, deployment, d, tell)
	if err == nil || ctx.Err() != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stopping)
	defer cancel()
	text := err.Error()
	if to.feed(ctx, deployment, rollout.Chunk{Error: text[:min(len(text), longestReason)]}) != nil {
		return errors.Join(err, to.Stop(ctx, deployment)) // over another connection, if that is what failed
	}
	return err
}

func move(ctx context.Context, from, to *Side, deployment string, d promotion.Data, tell func(rollout.Event)) error {
	group, ctx := errgroup.WithContext(ctx)
	begun, done := make(chan struct{}), make(chan struct{})
	begin := sync.OnceFunc(func() { close(begun) })
	group.Go(func() error {
		_, err := from.do(ctx, Request{Do: DoDump, Deployment: deployment, Data: &d}, func(e rollout.Event) {
			begin()
			tell(e)
		})
		return err
	})
	group.Go(func() error { return to.beats(ctx, deployment, done) })
	var next atomic.Int64
	for range window {
		group.Go(func() error {
			select {
			case <-begun:
			case <-ctx.Done():
				return ctx.Err()
			}
			for {
				c, err := from.read(ctx, deployment, int(next.Add(1)-1))
				if err != nil || c.Beat {
					return err
				}
				if err := to.feed(ctx, deployment, c); err != nil {
					return err
				}
				if c.End != nil {
					close(done)
					return nil
				}
			}
		})
	}
	return group.Wait()
}

// beats lets a worker know that somebody is there, however long the dump says nothing.
func (s *Side) beats(ctx context.Context, deployment string, done <-chan struct{}) error {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := s.feed(ctx, deployment, rollout.Chunk{Beat: true}); err != nil {
				return err
			}
		case <-done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Side) read(ctx context.Context, deployment string, number int) (rollout.Chunk, error) {
	a, err := s.do(ctx, Request{Do: DoRead, Deployment: deployment, Chunk: &rollout.Chunk{Number: number}}, nil)
	if err != nil || a.Chunk == nil {
		return rollout.Chunk{}, cmp.Or(err, error(errNoise))
	}
	return *a.Chunk, nil
}

func (s *Side) feed(ctx context.Context, deployment string, c rollout.Chunk) error {
	_, err := s.do(ctx, Request{Do: DoFeed, Deployment: deployment, Chunk: &c}, nil)
	return err
}
