package host

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"promote/internal/rollout"
)

// link is one connection. Of all requests the first is sent ahead, before the far end has said a word:
// that saves a round trip. The others wait until it has.
type link struct {
	host    *url.URL
	program *Program
	process *process
	batch   bool // nobody is asked for a passphrase

	mu      sync.Mutex
	next    int
	ahead   []byte // the request that was sent first
	pending map[int]waiting
	err     error

	writing sync.Mutex
	ready   chan struct{} // closed: the far end speaks
	gone    chan struct{} // closed: the connection is over
}

// waiting is somebody who waits for the replies to a request, until done.
type waiting struct {
	replies chan reply
	done    <-chan struct{}
}

// over reports whether the connection is gone.
func (l *link) over() bool {
	select {
	case <-l.gone:
		return true
	default:
		return false
	}
}

// open reports whether the far end ever spoke.
func (l *link) open() bool {
	select {
	case <-l.ready:
		return true
	default:
		return false
	}
}

// ask sends a request and waits for its end.
func (l *link) ask(ctx context.Context, q Request, tell func(rollout.Event)) (Answer, error) {
	replies, err := l.send(ctx, q)
	if err != nil {
		return Answer{}, err
	}
	for {
		select {
		case one := <-replies:
			if answer, over, err := l.take(one, tell); over {
				return answer, err
			}
		case <-l.gone:
			return l.rest(replies, tell)
		case <-ctx.Done():
			return Answer{}, ctx.Err()
		}
	}
}

// take tells an event, or gives the end.
func (l *link) take(one reply, tell func(rollout.Event)) (answer Answer, over bool, err error) {
	switch {
	case one.Event != nil:
		tell(*one.Event)
		return Answer{}, false, nil
	case one.Error != nil:
		return Answer{}, true, one.Error.err(l.host.Hostname())
	case one.Answer == nil:
		return Answer{}, true, errNoise
	}
	return *one.Answer, true, nil
}

// rest takes what had come before the connection went.
func (l *link) rest(replies <-chan reply, tell func(rollout.Event)) (Answer, error) {
	for {
		select {
		case one := <-replies:
			if answer, over, err := l.take(one, tell); over {
				return answer, err
			}
		default:
			return Answer{}, l.err
		}
	}
}

func (l *link) send(ctx context.Context, q Request) (<-chan reply, error) {
	replies := make(chan reply, 64)
	l.mu.Lock()
	l.next++
	q.ID = l.next
	l.pending[q.ID] = waiting{replies, ctx.Done()}
	l.mu.Unlock()
	text, err := line(q)
	if err != nil {
		return nil, err
	}
	if q.ID > 1 {
		select {
		case <-l.ready:
		case <-l.gone:
			return nil, l.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		return replies, l.write(text)
	}
	l.mu.Lock()
	l.ahead = text
	l.mu.Unlock()
	hash, size, err := l.program.identity(here)
	if err != nil {
		return nil, err
	}
	return replies, l.write(fmt.Appendf(nil, "%s %s %d\n%s", here.uname(), hash, size, text))
}

// write is for requests. That it fails says little; why the connection is gone is told by what was read
// last.
func (l *link) write(data []byte) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if _, err := l.process.in.Write(data); err != nil {
		<-l.gone
		return l.err
	}
	return nil
}

// run reads the connection to its end.
func (l *link) run() {
	in := bufio.NewReaderSize(l.process.out, 64<<10)
	err := l.greet(in)
	if err == nil {
		close(l.ready)
		err = l.read(in)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, errNotPlaced) {
		l.process.wait()
	} else {
		l.process.end()
	}
	l.err = err
	if far := (*FarError)(nil); !errors.As(err, &far) {
		l.err = l.process.ended(l.host, err)
	}
	close(l.gone)
}

// greet brings our program there if it is missing, and reads the first line of it.
func (l *link) greet(in *bufio.Reader) error {
	brought := false
	for {
		word, err := l.nextWord(in, brought)
		if err != nil {
			return err
		}
		system, rest, _ := strings.Cut(string(word), " ")
		switch {
		case word[0] == '{':
			return l.welcome(word, brought)
		case system == "promote-failed" || brought:
			return errNotPlaced
		}
		brought = true
		if err := l.bring(in, rest); err != nil {
			return err
		}
	}
}

// greeting is how long a host may take for its first word, once it has said something, or nobody is asked for
// a passphrase.
var greeting = 30 * time.Second // shorter in tests

// nextWord is the next line that is meant for us. A login shell that asks something, or becomes something else,
// never says any.
func (l *link) nextWord(in *bufio.Reader, brought bool) ([]byte, error) {
	if brought {
		return firstWord(in) // the program is on its way, which takes as long as it takes
	}
	if !l.batch {
		if _, err := in.Peek(1); err != nil {
			return nil, err
		}
	}
	late := time.AfterFunc(greeting, func() { _ = l.process.cmd.Process.Kill() })
	word, err := firstWord(in)
	if !late.Stop() && err != nil {
		return nil, &silentError{said: strings.TrimSpace(string(word))}
	}
	return word, err
}

// silentError is a host whose login shell does not come to run what it was asked to.
type silentError struct{ said string }

func (e *silentError) Error() string {
	text := fmt.Sprintf("promote was not started there within %s", greeting)
	if e.said != "" {
		text += fmt.Sprintf("; the login shell said %q", e.said[:min(len(e.said), 200)])
	}
	return text
}

// welcome reads what the far end is. When our program was brought there, the request that was sent ahead
// was read by the script, and is sent again.
func (l *link) welcome(word []byte, brought bool) error {
	var h hello
	if err := json.Unmarshal(word, &h); err != nil {
		return errNoise
	}
	if h.Protocol != Protocol {
		return &FarError{
			Host: l.host.Hostname(), Text: fmt.Sprintf("its promote is %s and speaks protocol %d, this one %d", h.Promote, h.Protocol, Protocol),
			Advice: "install the same promote at both ends",
		}
	}
	if !brought {
		return nil
	}
	l.mu.Lock()
	ahead := l.ahead
	l.mu.Unlock()
	_, err := l.process.in.Write(ahead)
	return err
}

// bring answers promote-needs.
func (l *link) bring(in *bufio.Reader, uname string) error {
	system, machine, _ := strings.Cut(uname, " ")
	target := platformOf(system, machine)
	hash, size, err := l.program.identity(target)
	if err != nil {
		return l.far(err)
	}
	data, err := l.program.packed(target)
	if err != nil {
		return l.far(err)
	}
	if _, err := fmt.Fprintf(l.process.in, "%s %d %d\n", hash, len(data), size); err != nil {
		return err
	}
	next, err := in.Peek(len("promote-"))
	if err != nil {
		return err
	}
	if string(next) != "promote-" {
		return nil // it was there already, and speaks
	}
	word, err := in.ReadString('\n')
	if err != nil || strings.TrimSpace(word) != "promote-send" {
		return errors.Join(errNotPlaced, err)
	}
	_, err = l.process.in.Write(data)
	if errors.Is(err, io.ErrClosedPipe) {
		return errNotPlaced
	}
	return nil // a broken pipe is explained by what is read next
}

// far is an error of this end that is about the host.
func (l *link) far(err error) error { return toFailure(err).err(l.host.Hostname()) }

// read gives every reply to whoever waits for it.
func (l *link) read(in *bufio.Reader) error {
	for {
		text, err := readLine(in, longestReply)
		if err != nil {
			return err
		}
		var one reply
		if err := strictly(text, &one); err != nil {
			return l.far(&requestError{"it says what this promote does not understand: " + err.Error()})
		}
		l.mu.Lock()
		to, waited := l.pending[one.ID]
		if one.Event == nil {
			delete(l.pending, one.ID)
		}
		l.mu.Unlock()
		if !waited {
			continue
		}
		select {
		case to.replies <- one:
		case <-to.done:
		}
	}
}
