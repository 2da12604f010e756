package bed

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// daemon is a server process of the bed, with its output in a file.
type daemon struct {
	cmd    *exec.Cmd
	log    string
	exited chan struct{} // the process has ended
	done   chan struct{} // so have those that it left its output to
}

// startDaemon starts cmd, writes what it says to a log called name, and returns once one of its
// lines holds the readiness mark, together with that line.
func startDaemon(name string, cmd *exec.Cmd, mark string) (*daemon, string, error) {
	log, err := os.CreateTemp(root(), name+"-*.log")
	if err != nil {
		return nil, "", err
	}
	output, input, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	defer input.Close()
	cmd.Stdout, cmd.Stderr = input, input
	if cmd.Env == nil {
		cmd.Env = append(os.Environ(), "PATH="+path())
	}
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("start %s: %w", name, err)
	}
	d := &daemon{cmd: cmd, log: log.Name(), exited: make(chan struct{}), done: make(chan struct{})}
	ready := make(chan string, 1)
	go d.wait()
	go d.follow(output, log, mark, ready)
	select {
	case line, ok := <-ready:
		if !ok {
			return nil, "", fmt.Errorf("%s ended before it was ready: %s", name, d.tail())
		}
		return d, line, nil
	case <-time.After(time.Minute): // they take a second
		_ = d.cmd.Process.Kill() // it may have ended just now
		return nil, "", fmt.Errorf("%s does not become ready: %s", name, d.tail())
	}
}

// follow copies output to the log until the process closes it, and gives the first line with mark
// to ready.
func (d *daemon) follow(output io.ReadCloser, log *os.File, mark string, ready chan<- string) {
	defer close(d.done)
	defer close(ready)
	defer output.Close()
	defer log.Close()
	lines := bufio.NewReader(output)
	for announced := false; ; {
		line, err := lines.ReadString('\n')
		_, _ = log.WriteString(line) // a lost log line is no reason to fail
		if !announced && strings.Contains(line, mark) {
			ready <- line
			announced = true
		}
		if err != nil {
			<-d.exited
			return
		}
	}
}

func (d *daemon) wait() {
	defer close(d.exited)
	_ = d.cmd.Wait() // it was killed, or the missing readiness line says it all
}

// stop kills the process and waits until it is gone: its data is thrown away anyway.
func (d *daemon) stop() {
	_ = d.cmd.Process.Kill() // it may be gone already
	<-d.done
}

// tail returns the last lines of the log.
func (d *daemon) tail() string {
	content, err := os.ReadFile(d.log)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(content), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-20):], []byte("\n")))
}
