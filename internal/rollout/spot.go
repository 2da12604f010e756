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
	"sync/atomic"
	"syscall"
	"time"

	"promote/internal/docker"
	"promote/internal/promotion"
)

// The commands of data run under a guard, a few lines of shell around them, which says how they exited. That of a load
// also kills it when whoever started it is gone: else it would take a stream that broke off for one that ended, and
// commit the half of it.
//
// What is killed has to be reaped by its own parent. In a container of PostgreSQL an orphan that was killed is reaped
// by the server, as process 1, which takes it for a backend of its own that crashed, and restarts.
const (
	guardDump = `printf 'promote-group %s\n' $$ >&2
("$@" </dev/null; printf '\npromote-exit %s\n' "$?" >&2)
:`

	guardFilter = `printf 'promote-group %s\n' $$ >&2
("$@"; printf '\npromote-exit %s\n' "$?" >&2)
:`

	// guardLoad hands on blocks, each with its length in a line before it, and then the end. Input that ends
	// otherwise has the command killed before it can see that; and so does the end of the input afterwards, while the
	// command is still at work. What is left when the command does not read any more is thrown away.
	guardLoad = `printf 'promote-group %s\n' $$ >&2
dd iflag=fullblock count=0 </dev/null 2>/dev/null || { printf 'dd there has no iflag=fullblock\n\npromote-exit 127\n' >&2; exit; }
{
  whole=
  while read -r n; do
    if [ "$n" = end ]; then whole=yes; break; fi
    dd bs="$n" count=1 iflag=fullblock 2>/dev/null || { cat >/dev/null; break; }
  done
  if [ "$whole" ]; then exec >&-; read -r _; fi
  g=$$
  ` + killGroup + `
} | { "$@" >/dev/null; printf '\npromote-exit %s\n' "$?" >&2; }`

	// killGroup kills what runs in the process group $g under a guard, from the leaves on, until nothing is left of
	// it but the guard: its first process, and the children of that.
	killGroup = `[ -r /proc/self/stat ] || kill -9 -- "-$g"
  while :; do
    members= parents=
    for f in /proc/[0-9]*/stat; do
      { read -r line <"$f"; } 2>/dev/null || continue
      pid=${line%% *}
      set -- ${line##*) }
      [ "$1" != Z ] && [ "$2" != "$g" ] && [ "$3" = "$g" ] && [ "$pid" != "$g" ] || continue
      members="$members $pid" parents="$parents $2 "
    done
    [ "$members" ] || break
    for pid in $members; do
      case $parents in *" $pid "*) ;; *) kill -9 "$pid" 2>/dev/null ;; esac
    done
  done`

	exitMark  = "promote-exit "
	groupMark = "promote-group "
)

// spot is a command that runs where data is.
type spot struct {
	in     io.Writer
	out    io.Reader
	finish func()          // ends its input
	kill   func(group int) // kills it, and what it has started
	close  func()          // gives back what is held for it, once it has ended
	exited chan struct{}   // closed: it has said how it exited, or can't any more
	gone   chan struct{}   // closed: it says nothing any more
	group  chan int        // its process group, once it has said that
	code   int             // once it is gone: its exit status; -1: it did not say
	hushed atomic.Bool     // what it says from here on is only that it was killed
	mute   bool            // what it says on stderr is not repeated
	last   string          // line that it said on stderr
}

// spotAt starts a command under a guard where data is: in the project directory, or in a container of the compose
// project. say is given what it says on stderr.
func (m *Machine) spotAt(ctx context.Context, d promotion.Data, project, guard string, argv []string, say func(string)) (*spot, error) {
	argv = append([]string{"/bin/sh", "-c", guard, "promote"}, argv...)
	s := &spot{exited: make(chan struct{}), gone: make(chan struct{}), group: make(chan int, 1), code: -1}
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
	s.kill = func(group int) { _ = syscall.Kill(-group, syscall.SIGKILL) }
	s.close = sync.OnceFunc(func() { _ = cmd.Wait() }) // how it ended was said on stderr, or never will be
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
	s.in, s.out, s.close = piped, piped.Out, piped.Close
	s.finish = func() { _ = piped.CloseWrite() }
	s.kill = func(group int) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		_, _ = m.Engine.Exec(ctx, list[i].ID, []string{"/bin/sh", "-c", "g=$1\n" + killGroup, "promote", strconv.Itoa(group)})
	}
	return piped.Err, nil
}

// told is what the command finds in its environment.
func (m *Machine) told() []string { return []string{"PROMOTE_ENVIRONMENT=" + m.Target.Environment} }

// listen reads what it says on stderr, and among that, how it exited.
func (s *spot) listen(errs io.Reader, say func(string)) {
	defer close(s.gone)
	exited := sync.OnceFunc(func() { close(s.exited) })
	defer exited()
	grouped := false
	docker.Lines(errs, func(line string) {
		if code, ok := marked(line, exitMark); ok {
			s.code = code
			exited()
		} else if group, ok := marked(line, groupMark); ok && !grouped {
			grouped = true
			s.group <- group
		} else if line != "" && !s.hushed.Load() {
			s.last = line
			say(line)
		}
	})
}

// marked reads the number that the guard says.
func marked(line, mark string) (int, bool) {
	text, ok := strings.CutPrefix(line, mark)
	number, err := strconv.Atoi(text)
	return number, ok && err == nil
}

// farewell is how long what was told to end may take for that.
const farewell = 10 * time.Second

// stop kills it. That it was killed is what it says then.
func (s *spot) stop() {
	select {
	case group := <-s.group:
		s.kill(group)
	case <-s.gone:
	}
}

// end waits for its end once nothing more is wanted of it, but not for ever.
func (s *spot) end() {
	late := time.AfterFunc(farewell, func() {
		s.stop()
		s.close()
	})
	defer late.Stop()
	s.finish()
	_, _ = io.Copy(io.Discard, s.out) // nobody wants that any more
	<-s.gone
	s.close()
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
