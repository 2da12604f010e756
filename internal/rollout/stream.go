package rollout

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"time"
)

// Chunk is a piece of a stream of data, and the last one of it its end.
type Chunk struct {
	Number int    `json:"number"` // 0, 1, 2, … within the stream
	Data   []byte `json:"data,omitempty"`
	End    *Sum   `json:"end,omitempty"`   // that was all, and what it came to
	Beat   bool   `json:"beat,omitempty"`  // out of the order: there is nothing new, but somebody is there
	Error  string `json:"error,omitempty"` // out of the order: there will be no more, since this went wrong
}

// ChunkSize is how much a chunk may hold.
const ChunkSize = 256 << 10 // bytes

// silence is after how long without a chunk nobody is there any more.
const silence = time.Minute

// errBroken is a stream that ended without saying that this was all.
var errBroken = errors.New("the stream of data broke off")

// stream is data that comes from elsewhere, through a pipe of chunks.
type stream struct {
	chunks chan Chunk // closed: the pipe ended
	sum    *summing
}

// receive reads the chunks of a pipe until it ends or the context does.
func receive(ctx context.Context, pipe io.Reader) *stream {
	s := &stream{chunks: make(chan Chunk), sum: newSumming()}
	go func() {
		defer close(s.chunks)
		for decoder := gob.NewDecoder(pipe); ; {
			var c Chunk
			if decoder.Decode(&c) != nil {
				return
			}
			select {
			case s.chunks <- c:
			case <-ctx.Done():
				return
			}
		}
	}()
	return s
}

// next is more of the data; [io.EOF] is the end of it, whole. It waits until stopped is closed.
func (s *stream) next(ctx context.Context, stopped <-chan struct{}) ([]byte, error) {
	for {
		select {
		case c, ok := <-s.chunks:
			if !ok {
				return nil, errBroken
			}
			if !c.Beat {
				return s.take(c)
			}
		case <-stopped:
			return nil, errStopped
		case <-time.After(silence):
			return nil, fmt.Errorf("%w: nothing came for %s", errBroken, silence)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// errStopped says that whoever wanted the data does not any more.
var errStopped = errors.New("no longer wanted")

func (s *stream) take(c Chunk) ([]byte, error) {
	switch {
	case c.Error != "":
		return nil, errors.New(c.Error)
	case c.End == nil:
		_, err := s.sum.Write(c.Data)
		return c.Data, err
	}
	got := s.sum.sum()
	s.sum = newSumming() // for the one that comes next
	if got != *c.End {
		return nil, fmt.Errorf("%w: %d bytes came, and not the %d that were sent", errBroken, got.Bytes, c.End.Bytes)
	}
	return nil, io.EOF
}

// Send writes a chunk into the pipe of a worker.
type Send func(Chunk) error

// SendInto is how chunks get into a pipe.
func SendInto(pipe io.Writer) Send {
	encoder := gob.NewEncoder(pipe)
	return func(c Chunk) error { return encoder.Encode(c) }
}
