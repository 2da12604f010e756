package rollout

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"time"

	"promote/internal/promotion"
)

// Sum is what a stream of data came to.
type Sum struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// summing sums what is written.
type summing struct {
	bytes int64
	hash  hash.Hash
}

func newSumming() *summing { return &summing{hash: sha256.New()} }

func (s *summing) Write(data []byte) (int, error) {
	s.bytes += int64(len(data))
	return s.hash.Write(data)
}

func (s *summing) sum() Sum { return Sum{s.bytes, hex.EncodeToString(s.hash.Sum(nil))} }

// Dump has data of the environment said, and what is to be hidden taken out of it, before out is given any of it. What
// the dump says on stderr goes to say if there is nothing to hide. Otherwise what either command says there goes nowhere:
// it may be what is to be hidden. A dump that says nothing at all has failed.
func (m *Machine) Dump(ctx context.Context, d promotion.Data, out io.Writer, say func(string)) (Sum, error) {
	if err := m.Target.Holds(d); err != nil {
		return Sum{}, err
	}
	state, err := m.State(ctx)
	if err != nil {
		return Sum{}, err
	}
	return m.dump(ctx, d, state.Project, d.Anonymise, out, say)
}

// dump runs the dump, and a filter behind it if there is one.
func (m *Machine) dump(ctx context.Context, d promotion.Data, project string, filter []string, out io.Writer, say func(string)) (Sum, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(d.Timeout, time.Hour))
	defer cancel()
	place, err := m.placeOf(ctx, d, project)
	if err != nil {
		return Sum{}, err
	}
	sayDumped := say
	if len(filter) > 0 {
		sayUnfiltered := sync.OnceFunc(func() { say(unfiltered) })
		sayDumped = func(string) { sayUnfiltered() }
	}
	source, err := m.startGuarded(ctx, place, guardDump, d.Dump, sayDumped)
	if err != nil {
		return Sum{}, err
	}
	source.mute = len(filter) > 0
	defer source.end()
	defer context.AfterFunc(ctx, source.stop)()
	if len(filter) == 0 {
		return said(ctx, d, out, source, nil)
	}
	hidden, err := m.startGuarded(ctx, place, guardFilter, filter, func(string) {})
	if err != nil {
		return Sum{}, err
	}
	hidden.mute = true
	defer hidden.end()
	defer context.AfterFunc(ctx, hidden.stop)()
	go func() {
		_, _ = io.Copy(hidden.in, source.out) // a filter that ended early says so itself
		hidden.finish()
	}()
	return said(ctx, d, out, source, hidden)
}

// unfiltered is told once in place of what a dump says on stderr, since no filter has seen that.
const unfiltered = "what it says on stderr is not shown: nothing is hidden in that"

// said hands on what comes out in the end, and finds out whether that is all.
func said(ctx context.Context, d promotion.Data, out io.Writer, source, filter *guardedCommand) (Sum, error) {
	sum := newSumming()
	_, err := io.Copy(io.MultiWriter(out, sum), cmp.Or(filter, source).out)
	if err != nil {
		source.stop()
	}
	if filter != nil {
		filter.end()
	}
	source.end()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return Sum{}, &dataError{d.Name, "dump", fmt.Sprintf("it took longer than %s", d.Timeout)}
	case ctx.Err() != nil:
		return Sum{}, ctx.Err()
	case err != nil:
		return Sum{}, err
	}
	if filter != nil {
		err = filter.failure(d, "anonymise")
	}
	if err = cmp.Or(err, source.failure(d, "dump")); err != nil {
		return Sum{}, err
	}
	if sum.bytes == 0 {
		return Sum{}, &dataError{d.Name, "dump", "it said nothing"}
	}
	return sum.sum(), nil
}
