package bed

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// RelayHandle is a TCP relay in front of a host's sshd: a long, or a bad, line. Bytes come out in
// order, each later than it went in by the relay's delay.
type RelayHandle struct {
	target   string
	delay    time.Duration
	listener net.Listener

	context context.Context // ends with the relay
	end     context.CancelFunc
	running sync.WaitGroup

	mu    sync.Mutex
	open  chan struct{} // closed while bytes may pass
	lines map[*line]struct{}

	accepted, up, down atomic.Int64
}

// line is one relayed connection; its context ends when it is to be closed.
type line struct {
	near    net.Conn
	context context.Context
	end     context.CancelFunc
}

// Relay starts a relay in front of the host's sshd that delays each byte, each way, and ends it with
// the test. A new connection, too, takes what its handshake would on such a line: it reaches the host
// after three delays. The relay stays when the host is booted again.
func (h *HostHandle) Relay(t testing.TB, delay time.Duration) *RelayHandle {
	t.Helper()
	listener, err := net.Listen("tcp", loopback+":0")
	if err != nil {
		t.Fatal(err)
	}
	r := &RelayHandle{
		target:   net.JoinHostPort(h.Addr(), "22"),
		delay:    delay,
		listener: listener,
		open:     make(chan struct{}),
		lines:    map[*line]struct{}{},
	}
	r.context, r.end = context.WithCancel(context.Background())
	close(r.open)
	r.running.Go(r.accept)
	t.Cleanup(r.stop)
	return r
}

func (r *RelayHandle) stop() {
	r.end()
	r.listener.Close()
	r.running.Wait()
}

// Addr is where the relay listens, 127.0.0.1:PORT.
func (r *RelayHandle) Addr() string { return r.listener.Addr().String() }

// URL is the relayed host's address for promote, as in ssh://deploy@127.0.0.1:40000.
func (r *RelayHandle) URL(user string) string { return "ssh://" + user + "@" + r.Addr() }

// Freeze makes the relay silent: connections stay, and nothing that is sent from now on arrives. New
// connections are taken and hear nothing.
func (r *RelayHandle) Freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.frozen() {
		r.open = make(chan struct{})
	}
}

// Thaw ends Freeze: what was sent meanwhile arrives.
func (r *RelayHandle) Thaw() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.frozen() {
		close(r.open)
	}
}

func (r *RelayHandle) frozen() bool {
	select {
	case <-r.open:
		return false
	default:
		return true
	}
}

// Drop closes all connections, frozen or not; what is still under way in them is lost. New ones are
// taken as before.
func (r *RelayHandle) Drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for line := range r.lines {
		line.end()
	}
}

// Connections is how many connections the relay has ever taken.
func (r *RelayHandle) Connections() int { return int(r.accepted.Load()) }

// BytesUp is how many bytes have been handed on to the host, on all connections together.
func (r *RelayHandle) BytesUp() int64 { return r.up.Load() }

// BytesDown is how many bytes have been handed on from the host.
func (r *RelayHandle) BytesDown() int64 { return r.down.Load() }

func (r *RelayHandle) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return // stop closed it
		}
		r.accepted.Add(1)
		line := r.add(conn)
		r.running.Go(func() { r.serve(line) })
	}
}

func (r *RelayHandle) add(conn net.Conn) *line {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := &line{near: conn}
	l.context, l.end = context.WithCancel(r.context)
	r.lines[l] = struct{}{}
	return l
}

func (r *RelayHandle) remove(l *line) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.lines, l)
	l.end()
}

func (r *RelayHandle) serve(l *line) {
	defer r.remove(l)
	defer l.near.Close()
	if !r.hold(l, time.Now().Add(3*r.delay)) {
		return
	}
	far, err := new(net.Dialer).DialContext(l.context, "tcp", r.target)
	if err != nil {
		return
	}
	defer far.Close()
	defer context.AfterFunc(l.context, func() { l.near.Close(); far.Close() })()
	var both sync.WaitGroup
	both.Go(func() { r.pass(l, l.near, far, &r.up) })
	both.Go(func() { r.pass(l, far, l.near, &r.down) })
	both.Wait()
}

// piece is what one read gave, and when it is due at the other end. The last one may be empty.
type piece struct {
	content []byte
	due     time.Time
}

// pass hands bytes on from one end until there are no more, and then says so to the other end.
func (r *RelayHandle) pass(l *line, from, to net.Conn, count *atomic.Int64) {
	pieces := make(chan piece, 1024) // as much as is under way at a time
	r.running.Go(func() { r.read(l, from, pieces) })
	for p := range pieces {
		if !r.hold(l, p.due) {
			return
		}
		n, err := to.Write(p.content)
		count.Add(int64(n))
		if err != nil {
			l.end()
			return
		}
	}
	_ = to.(*net.TCPConn).CloseWrite() // the other end may be gone
}

func (r *RelayHandle) read(l *line, from net.Conn, pieces chan<- piece) {
	defer close(pieces)
	for {
		buffer := make([]byte, 32<<10)
		n, err := from.Read(buffer)
		select {
		case pieces <- piece{buffer[:n], time.Now().Add(r.delay)}:
		case <-l.context.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// hold returns true when something that is due may pass, and false when its connection is closed.
func (r *RelayHandle) hold(l *line, due time.Time) bool {
	select {
	case <-time.After(time.Until(due)):
	case <-l.context.Done():
		return false
	}
	for {
		r.mu.Lock()
		open, frozen := r.open, r.frozen()
		r.mu.Unlock()
		if !frozen {
			return true
		}
		select {
		case <-open:
		case <-l.context.Done():
			return false
		}
	}
}
