package rollout

import (
	"context"
	"errors"
	"io"
	"testing"
)

// TestStream: only the end itself, and all that it sums up, is the end of a stream.
func TestStream(t *testing.T) {
	sum := func(texts ...string) *Sum {
		s := newSumming()
		for _, text := range texts {
			_, _ = s.Write([]byte(text))
		}
		got := s.sum()
		return &got
	}
	piece := func(text string) Chunk { return Chunk{Data: []byte(text)} }
	for name, test := range map[string]struct {
		chunks []Chunk
		want   string // what came
		err    error  // how it ended
	}{
		"whole":           {[]Chunk{piece("a"), piece("b"), {End: sum("a", "b")}}, "ab", io.EOF},
		"beats":           {[]Chunk{{Beat: true}, piece("a"), {Beat: true}, {End: sum("a")}}, "a", io.EOF},
		"nothing":         {[]Chunk{{End: sum()}}, "", io.EOF},
		"nobody":          {nil, "", errBroken},
		"broken off":      {[]Chunk{piece("a"), piece("b")}, "ab", errBroken},
		"a piece missing": {[]Chunk{piece("a"), {End: sum("a", "b")}}, "a", errBroken},
		"another piece":   {[]Chunk{piece("a"), piece("c"), {End: sum("a", "b")}}, "ac", errBroken},
	} {
		t.Run(name, func(t *testing.T) {
			out, in := io.Pipe()
			s := receive(t.Context(), out)
			go func() {
				send := SendInto(in)
				for _, c := range test.chunks {
					if err := send(c); err != nil {
						t.Error(err)
					}
				}
				in.Close()
			}()
			got, err := drain(t.Context(), s)
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func drain(ctx context.Context, s *stream) (got string, err error) {
	for {
		piece, err := s.next(ctx, nil)
		if err != nil {
			return got, err
		}
		got += string(piece)
	}
}

// TestStreamStops: who sends says why there is no more; and who wants no more does not wait.
func TestStreamStops(t *testing.T) {
	out, in := io.Pipe()
	s := receive(t.Context(), out)
	go func() { _ = SendInto(in)(Chunk{Error: "why"}) }()
	if _, err := s.next(t.Context(), nil); err == nil || err.Error() != "why" {
		t.Errorf("got %v", err)
	}
	stopped := make(chan struct{})
	close(stopped)
	if _, err := s.next(t.Context(), stopped); !errors.Is(err, errStopped) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.next(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
