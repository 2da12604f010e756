package host

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"promote/internal/rollout"
)

// longest is how long a line of the connection may be: a plan of thousands of services, and no more
// than a host has memory for.
const longest = 4 << 20 // bytes

// busiest is how many requests of one connection are done at a time: a client of ours has a few for each
// of its environments there. Every one may cost files, threads and calls of the engine.
const busiest = 64

// Serve answers requests, one JSON object a line, until the input ends: whoever asked is gone then. What
// a worker does goes on; everything else stops.
func (l *Local) Serve(ctx context.Context, version string, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	replies := &lineWriter{out: out}
	if _, err := io.WriteString(out, "\n"); err != nil { // a login shell may have said something without an end
		return err
	}
	if err := replies.write(hello{Promote: version, Protocol: Protocol}); err != nil {
		return err
	}
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	places := make(chan struct{}, busiest)
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 64<<10), longest)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 || lines.Bytes()[0] != '{' {
			continue // what the script would have read that this program was started without
		}
		var r Request
		if err := strictly(lines.Bytes(), &r); err != nil {
			var asked struct{ ID int }
			_ = json.Unmarshal(lines.Bytes(), &asked) // as far as it can be understood
			err = replies.write(reply{ID: asked.ID, Error: toFailure(&requestError{"not a request: " + err.Error()})})
			if err != nil || asked.ID == 0 {
				return err
			}
			continue
		}
		select {
		case places <- struct{}{}:
			group.Go(func() { l.serve(ctx, r, replies); <-places })
		default:
			_ = replies.write(reply{ID: r.ID, Error: toFailure(errBusy)}) // nobody there any more: the input ends, too
		}
	}
	return lines.Err()
}

var errBusy = &requestError{fmt.Sprintf("more than %d requests at once", busiest)}

// serve does one request.
func (l *Local) serve(ctx context.Context, r Request, replies *lineWriter) {
	answer, err := Answer{}, error(nil)
	if r.Protocol == Protocol {
		answer, err = l.call(ctx, r, func(e rollout.Event) {
			_ = replies.write(reply{ID: r.ID, Event: &e}) // nobody there any more: the input ends, too
		})
	} else {
		err = &requestError{fmt.Sprintf("this promote speaks protocol %d, the other end %d", Protocol, r.Protocol)}
	}
	last := reply{ID: r.ID, Answer: &answer}
	if err != nil {
		last = reply{ID: r.ID, Error: toFailure(err)}
	}
	_ = replies.write(last)
}

// lineWriter writes lines whole, whoever writes.
type lineWriter struct {
	mu  sync.Mutex
	out io.Writer
}

func (w *lineWriter) write(v any) error {
	data, err := line(v)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err = w.out.Write(data)
	return err
}

// errNoise says that what the far end says is not promote's.
var errNoise = errors.New("what answers there is not promote")

// noisiest is how much a login shell may say before promote does.
const noisiest = 64 << 10 // bytes

// longestReply is how long a line of a host may be: a history of many years, and no more than a client has memory for.
const longestReply = 256 << 20 // bytes

// readLine reads a line that is no longer than it may be. What there was of it comes with an error, too.
func readLine(in *bufio.Reader, longest int) ([]byte, error) {
	var text []byte
	for {
		part, err := in.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case err == nil:
			return text, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return text, err
		case len(text) > longest:
			return text, errNoise
		}
	}
}

// firstWord skips what a login shell says, and returns the first line that is meant for us.
func firstWord(in *bufio.Reader) ([]byte, error) {
	for said := 0; said < noisiest; {
		text, err := readLine(in, noisiest)
		if err != nil {
			return text, err
		}
		if isOurs(text) {
			return bytes.TrimSpace(text), nil
		}
		said += len(text)
	}
	return nil, errNoise
}

// isOurs tells our lines from those of a login shell, whose banner may well begin with promote-: whole words count.
func isOurs(text []byte) bool {
	word, _, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	return bytes.HasPrefix(text, []byte(`{"promote":`)) || word == "promote-needs" || word == "promote-send" || word == "promote-failed"
}
