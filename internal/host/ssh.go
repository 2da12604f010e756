package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// SSH is how hosts are reached: with the user's own ssh program and all of its configuration.
type SSH struct {
	Command []string // program and first arguments; empty: ssh
	Environ []string
	Batch   bool // nobody is there to be asked for a passphrase
	Program *Program
}

// first is what the far end runs: it looks for the promote that has our content, takes it from its
// input where there is none, and becomes it. It reads hash and size from its input, so that we can work them
// out while the connection is made. One line and no single quote, for whatever shell the user has there.
//
// What is said before promote itself speaks: promote-needs OS ARCH asks for HASH, the size that is sent, and that of
// the program; promote-send for the compressed program; promote-failed says that it could not be put there, and
// stderr why. All of it stands on lines of its own, also behind a login shell that said something without an end.
//
// A program of another size is what a power cut left of one. What can't be run where it was put, as under a home
// that is mounted noexec, is put into the user's own XDG_RUNTIME_DIR, if there is one.
const first = `umask 077; echo; read -r os arch h n || exit 1; ` +
	`own="$HOME/.promote/bin"; run="${XDG_RUNTIME_DIR:-$HOME}/.promote/bin"; ` +
	`good() { f="$d/$h/promote"; [ -x "$f" ] && [ "$(($(wc -c <"$f")))" = "$n" ]; }; ` +
	`serve() { for d in "$own" "$run"; do if good; then exec "$f" host serve; fi; done; }; ` +
	`put() { mkdir -p "$d/$h" && t=$(mktemp "$d/$h/.promote-XXXXXX") && cat >"$t" && chmod 700 "$t" && "$t" --version >/dev/null && { sync "$t" 2>/dev/null || sync; } && mv -f "$t" "$d/$h/promote"; }; ` +
	`fail() { rm -f "$t" "$z"; echo promote-failed; exit 1; }; ` +
	`[ "$(uname -s) $(uname -m)" = "$os $arch" ] && serve; ` +
	`read -r request || exit 1; echo "promote-needs $(uname -s) $(uname -m)"; read -r h size n || exit 1; serve; ` +
	`d=$own; mkdir -p "$d/$h" && z=$(mktemp "$d/$h/.promote-XXXXXX") || fail; trap "rm -f \"$z\"" EXIT HUP INT TERM; echo promote-send; ` +
	`head -c "$size" | gzip -dc >"$z" && [ "$(sha256sum <"$z" | cut -c1-64)" = "$h" ] || fail; ` +
	`put <"$z" || { rm -f "$t"; d=$run; put <"$z" || fail; }; rm -f "$z"; serve; echo promote-failed; exit 1`

// alive has ssh notice a peer that is silent, within half a minute.
var alive = []string{"-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"}

// ownCommand has ssh run our command where the user's configuration names one for interactive use (RemoteCommand):
// ssh refuses to be given two.
var ownCommand = []string{"-o", "RemoteCommand=none"}

// arguments are those of the ssh program for a host.
func (s *SSH) arguments(host *url.URL) []string {
	args := append([]string{}, s.Command...)
	if len(args) == 0 {
		args = []string{"ssh"}
	}
	args = slices.Concat(args, []string{"-T"}, alive, ownCommand)
	if s.Batch {
		args = append(args, "-o", "BatchMode=yes")
	}
	if port := host.Port(); port != "" {
		args = append(args, "-p", port)
	}
	if user := host.User.Username(); user != "" {
		args = append(args, "-l", user)
	}
	return append(args, "--", host.Hostname(), "exec sh -c '"+first+"'")
}

// process is a running ssh.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.Reader
	stderr *lastWords
	once   sync.Once
}

// start starts ssh. Ctrl-C is for us alone: it must not end the connection that we ask the far end to
// put everything back over. ssh leaves a signal alone that it was started to ignore.
func (s *SSH) start(host *url.URL) (*process, error) {
	args := append([]string{"-c", `trap "" INT TERM; exec "$@"`, "sh"}, s.arguments(host)...)
	p := &process{cmd: exec.Command("/bin/sh", args...), stderr: &lastWords{}}
	p.cmd.WaitDelay = time.Second // for what ssh had started, such as a ProxyCommand, and holds its stderr
	p.cmd.Env, p.cmd.Stderr = s.Environ, p.stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.out, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	return p, nil
}

// end ends the connection, whatever state it is in, and returns when ssh is gone.
func (p *process) end() {
	_ = p.cmd.Process.Kill()
	p.wait()
}

// farewell is how long ssh has for its last words, once the far end has ended.
const farewell = 2 * time.Second

// wait returns when ssh is gone. It ends by itself when the far end has, and may have yet to say why.
func (p *process) wait() {
	p.once.Do(func() {
		_ = p.in.Close()
		kill := time.AfterFunc(farewell, func() { _ = p.cmd.Process.Kill() })
		defer kill.Stop()
		_ = p.cmd.Wait() // why is in its last words
	})
}

// lastWords keeps the end of what a program says on stderr.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

func (w *lastWords) Write(data []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, data...)
	if over := len(w.text) - 8<<10; over > 0 {
		w.text = w.text[over:]
	}
	return len(data), nil
}

// lines are those that say something.
func (w *lastWords) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	for text := range bytes.Lines(w.text) {
		if text := strings.TrimSpace(string(text)); text != "" {
			list = append(list, text)
		}
	}
	return list
}

// ConnectionError is a host that can't be reached, or a connection that ended.
type ConnectionError struct {
	Host   *url.URL
	Reason string // the last words of ssh, or of the script there
	Err    error
}

func (e *ConnectionError) Error() string {
	return fmt.Sprintf("%s: %s", e.Host.Hostname(), e.Reason)
}

// Unwrap gives what lies beneath.
func (e *ConnectionError) Unwrap() error { return e.Err }

// Hint is what to try by hand.
func (e *ConnectionError) Hint() string {
	address := handAddress(e.Host)
	switch {
	case errors.Is(e.Err, errNotPlaced):
		return "promote keeps its program in ~/.promote/bin there, which has to be writable and not mounted noexec: ssh " + address + " df -h ."
	case errors.Is(e.Err, io.EOF) && e.Reason == endedSilently: // which nothing explains but what lies there
		return "ssh " + address + " true; if that works: ssh " + address + " rm -r .promote/bin, so that promote is put there anew"
	case errors.Is(e.Err, exec.ErrNotFound):
		return "apt-get install openssh-client"
	}
	return "ssh " + address + " true"
}

// handAddress is a host as one types it behind ssh, which takes a port as an option, and IPv6 without brackets.
func handAddress(host *url.URL) string {
	address := host.Hostname()
	if user := host.User.Username(); user != "" {
		address = user + "@" + address
	}
	if port := host.Port(); port != "" {
		address = "-p " + port + " " + address
	}
	return address
}

// errNotPlaced says that our program could not be put on the host.
var errNotPlaced = errors.New("promote could not be put there")

// endedSilently is all that is known of a connection of which nobody says why it ended.
const endedSilently = "the connection ended"

// ended is the reason why a connection is gone, from what ssh said.
func (p *process) ended(host *url.URL, err error) *ConnectionError {
	reason := endedSilently
	if silent := (*silentError)(nil); errors.Is(err, errNotPlaced) || errors.Is(err, errNoise) || errors.As(err, &silent) {
		reason = err.Error()
	}
	if said := p.stderr.lines(); len(said) > 0 {
		last := said[len(said)-1]
		for _, text := range said {
			if strings.Contains(text, "IDENTIFICATION HAS CHANGED") || strings.Contains(text, "verification failed") {
				last = strings.Trim(text, "@ ")
			}
		}
		reason += ": " + last
	}
	return &ConnectionError{Host: host, Reason: reason, Err: err}
}
