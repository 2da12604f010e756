package rollout

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"promote/internal/docker"
	"promote/internal/promotion"
)

// The commands of data run under a guard, a few lines of shell beside them: it says how they exited, and it kills them
// when whoever started them is gone. Else a load would take a stream that broke off for one that ended, and commit the
// half of it.
const (
	// guardDump kills the command when its own input ends.
	guardDump = `exec 3<&0
{ read -r _ <&3; kill -9 0; } >/dev/null 2>&1 &
"$@" 3<&- </dev/null
printf '\npromote-exit %s\n' "$?" >&2`

	guardFilter = `"$@"
printf '\npromote-exit %s\n' "$?" >&2`

	// guardLoad hands on blocks, each with its length in a line before it, and then the end. Input that ends
	// otherwise kills the command before it can see that; and so does the end of the input afterwards, while the
	// command is still at work. What is left when the command does not read any more is thrown away.
	guardLoad = `dd iflag=fullblock count=0 </dev/null 2>/dev/null || { printf 'dd there has no iflag=fullblock\n\npromote-exit 127\n' >&2; exit; }
{
  whole=
  while read -r n; do
    if [ "$n" = end ]; then whole=yes; break; fi
    dd bs="$n" count=1 iflag=fullblock 2>/dev/null || { cat >/dev/null; break; }
  done
  [ "$whole" ] || kill -9 0
  exec >&-
  read -r _
  kill -9 0
} | { "$@" >/dev/null; printf '\npromote-exit %s\n' "$?" >&2; }`

	exitMark = "promote-exit "
)

// spot is a command that runs where data is.
type spot struct {
	in     io.Writer
	out    io.Reader
	finish func()        // ends its input, which ends it
	abort  func()        // ends it the hard way
	exited chan struct{} // closed: it has said how it exited, or can't any more
	gone   chan struct{} // closed: it says nothing any more
	code   int           // once it exited: its exit status; -1: it did not say
	mute   bool          // what it says on stderr is not repeated
	last   string        // line that it said on stderr
}

// spotAt starts a command under a guard where data is: in the project directory, or in a container of the compose
// project. say is given what it says on stderr.
func (m *Machine) spotAt(ctx context.Context, d promotion.Data, project, guard string, argv []string, say func(string)) (*spot, error) {
	argv = append([]string{"/bin/sh", "-c", guard, "promote"}, argv...)
	s := &spot{exited: make(chan struct{}), gone: make(chan struct{}), code: -1}
	errs, err := io.Reader(nil), error(nil)
	if d.In == promotion.InHost {
		errs, err = s.here(m, argv)
	} else {
		errs, err = s.inside(ctx, m, project, d.Service(), argv)
	}
	if err != nil {
		return nil, err
	}
	go s.listen(errs, say)
	return s, nil
}

// here runs it on this machine, in a process group of its own.
func (s *spot) here(m *Machine, argv []string) (io.Reader, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = m.Target.Project, append(slices.Clone(m.Environ), m.told()...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if m.Lock != nil {
		cmd.ExtraFiles = []*os.File{m.Lock}
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	errs, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	s.in, s.out, s.finish = in, out, func() { in.Close() }
	s.abort = sync.OnceFunc(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait() // how it ended was said on stderr, or never will be
	})
	return errs, cmd.Start()
}

// inside runs it in a container.
func (s *spot) inside(ctx context.Context, m *Machine, project, service string, argv []string) (io.Reader, error) {
	list, err := m.Engine.Service(ctx, project, service)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(c docker.Container) bool { return c.State == "running" })
	if i < 0 {
		return nil, fmt.Errorf("%s: no container of it runs", service)
	}
	piped, err := m.Engine.Pipe(ctx, list[i].ID, docker.ExecOptions{Cmd: argv, Env: m.told()})
	if err != nil {
		return nil, err
	}
	s.in, s.out, s.abort = piped, piped.Out, piped.Close
	s.finish = func() { _ = piped.CloseWrite() }
	return piped.Err, nil
}

// told is what the command finds in its environment.
func (m *Machine) told() []string { return []string{"PROMOTE_ENVIRONMENT=" + m.Target.Environment} }

// listen reads what it says on stderr, and among that, how it exited.
func (s *spot) listen(errs io.Reader, say func(string)) {
	defer close(s.gone)
	exited := sync.OnceFunc(func() { close(s.exited) })
	defer exited()
	docker.Lines(errs, func(line string) {
		code, told := strings.CutPrefix(line, exitMark)
		switch n, err := strconv.Atoi(code); {
		case told && err == nil:
			s.code = n
			exited()
		case line != "":
			s.last = line
			say(line)
		}
	})
}

// farewell is how long what was told to end may take for that.
const farewell = 10 * time.Second

// stop tells it to end, and sees to it that it does.
func (s *spot) stop() {
	time.AfterFunc(farewell, s.abort) // it has ended, most likely
	s.finish()
}

// end ends it, whatever it is at, and returns when it is gone.
func (s *spot) end() {
	late := time.AfterFunc(farewell, s.abort)
	defer late.Stop()
	s.finish()
	_, _ = io.Copy(io.Discard, s.out) // nobody wants that any more
	<-s.gone
	s.abort()
}

// failure is why it did not do its work, once it exited; nil if it did.
func (s *spot) failure(d promotion.Data, what string) error {
	if s.code == 0 {
		return nil
	}
	reason := fmt.Sprintf("exited with status %d", s.code)
	if s.code < 0 {
		reason = "was ended before it had done its work"
	}
	if s.last != "" && !s.mute {
		reason += ": " + s.last
	}
	return &dataError{d.Name, what, reason}
}

// dataError is a command of data that failed.
type dataError struct{ data, what, reason string }

func (e *dataError) Error() string { return e.data + ": " + e.what + ": " + e.reason }
