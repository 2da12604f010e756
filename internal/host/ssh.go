package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os/exec"
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
// input where there is none, and becomes it. It reads the hash from its input, so that we can work it
// out while the connection is made. One line and no single quote, for whatever shell the user has there.
//
// What is said before promote itself speaks: promote-needs OS ARCH asks for HASH SIZE; promote-send for
// the compressed program; promote-failed says that it could not be put there, and stderr why.
const first = `d="$HOME/.promote/bin"; read -r os arch h || exit 1; ` +
	`if [ "$(uname -s) $(uname -m)" = "$os $arch" ] && [ -x "$d/$h/promote" ]; then exec "$d/$h/promote" host serve; fi; ` +
	`read -r request || exit 1; echo "promote-needs $(uname -s) $(uname -m)"; read -r h size || exit 1; ` +
	`if [ ! -x "$d/$h/promote" ]; then mkdir -p "$d/$h" && t=$(mktemp "$d/$h/.promote-XXXXXX") || { echo promote-failed; exit 1; }; ` +
	`trap "rm -f \"$t\"" EXIT HUP INT TERM; echo promote-send; ` +
	`head -c "$size" | gzip -dc >"$t" && [ "$(sha256sum <"$t" | cut -c1-64)" = "$h" ] && chmod 755 "$t" && mv -f "$t" "$d/$h/promote" || { echo promote-failed; exit 1; }; fi; ` +
	`exec "$d/$h/promote" host serve`

// alive has ssh notice a peer that is silent, within half a minute.
var alive = []string{"-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"}

// arguments are those of the ssh program for a host.
func (s *SSH) arguments(host *url.URL) []string {
	args := append([]string{}, s.Command...)
	if len(args) == 0 {
		args = []string{"ssh"}
	}
	args = append(append(args, "-T"), alive...)
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
	address := strings.TrimPrefix(e.Host.String(), "ssh://")
	if host, port, found := strings.Cut(address, ":"); found {
		address = "-p " + port + " " + host
	}
	switch {
	case errors.Is(e.Err, errNotPlaced):
		return "promote keeps its program in ~/.promote/bin there; make that writable: ssh " + address + " df -h ."
	case errors.Is(e.Err, exec.ErrNotFound):
		return "apt-get install openssh-client"
	}
	return "ssh " + address + " true"
}

// errNotPlaced says that our program could not be put on the host.
var errNotPlaced = errors.New("promote could not be put there")

// ended is the reason why a connection is gone, from what ssh said.
func (p *process) ended(host *url.URL, err error) *ConnectionError {
	reason := "the connection ended"
	if errors.Is(err, errNotPlaced) || errors.Is(err, errNoise) {
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
