package host

import (
	"bytes"
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
	out io.Reader
	sum func() rollout.Sum
	end bool
}

// read is the chunk of a number; one behind the end is the end once more.
func (s *source) read(ctx context.Context, number int) (*rollout.Chunk, error) {
	c := &rollout.Chunk{Number: number}
	err := s.take(ctx, number, func() error {
		if !s.end {
			data := make([]byte, rollout.ChunkSize)
			n, err := io.ReadFull(s.out, data)
			if c.Data = data[:n]; n == 0 && errors.Is(err, io.EOF) {
				s.end = true
			} else if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return err
			}
		}
		if s.end {
			sum := s.sum()
			c.End = &sum
		}
		s.set(number + 1)
		return nil
	})
	return c, err
}

// dump runs a dump and has it read by other requests, to its end. The first event says that it can be read.
func (l *Local) dump(ctx context.Context, m at, r Request, tell func(rollout.Event)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, in := io.Pipe()
	defer out.Close()
	var sum rollout.Sum
	s := &source{out: out, sum: func() rollout.Sum { return sum }}
	if !enter(l, &l.sources, r.Deployment, s) {
		return &requestError{r.Deployment + " is dumped already"}
	}
	defer leave(l, l.sources, r.Deployment)
	seq := 0
	say := func(e rollout.Event) {
		seq++
		e.Schema, e.Seq, e.At, e.Step, e.Task = promotion.Schema, seq, m.Now().UTC(), dumping, r.Data.Name
		tell(e)
	}
	say(rollout.Event{Status: rollout.Started})
	var err error
	sum, err = m.Dump(ctx, *r.Data, in, func(line string) { say(rollout.Event{Status: rollout.Progress, Text: line}) })
	in.CloseWithError(err) // nil is the end
	if err != nil {
		return err
	}
	<-ctx.Done() // what is left is read, and then whoever asked for it goes
	return nil
}

// dumping is what happens at the source, which no plan speaks of.
const dumping promotion.StepKind = "dump"
