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
// On a machine all of it is killed at once. In a container, what is killed has to be reaped by its own parent: of an
// orphan, that is process 1, and PostgreSQL takes one that was killed for a backend of its own that crashed, and restarts.
const (
	guardDump = `printf 'promote-group %s\n' $$ >&2
("$@" </dev/null 3>&-; printf '\npromote-exit %s\n' "$?" >&2)
:`

	guardFilter = `printf 'promote-group %s\n' $$ >&2
("$@" 3>&-; printf '\npromote-exit %s\n' "$?" >&2)
:`

	// guardLoad hands on blocks, each with its length in a line before it, and then the end. Input that ends
	// otherwise has the command killed before it can see that; and so does the end of the input afterwards, while the
	// command is still at work. What is left when the command does not read any more is thrown away.
	guardLoad = loadBefore + killTree + loadAfter
	guardHere = loadBefore + killAll + loadAfter

	loadBefore = `dd iflag=fullblock count=0 </dev/null 2>/dev/null || { printf 'dd there has no iflag=fullblock\n\npromote-exit 127\n' >&2; exit; }
{
  whole= seen=
  while read -r n; do
    if [ "$n" = end ]; then whole=yes seen=yes; break; fi
    dd bs="$n" count=1 iflag=fullblock 2>/dev/null || { cat >/dev/null; seen=yes; break; }
  done
  if [ "$whole" ]; then exec >&-; read -r _; fi
  g=$$ groups=$$
`
	loadAfter = `
} | { printf 'promote-group %s\n' $$ >&2; "$@" >/dev/null 3>&-; printf '\npromote-exit %s\n' "$?" >&2; }`

	killAll = `kill -9 0`

	// killTree kills what runs in the process groups $groups, until nothing is left of them but their guards $g and the
	// children of these. From within a guard it waits for these children, too: they may have something yet to
	// start, or to be started. All of it is stopped first, so that nobody sees the input end that
	// comes from somebody who was killed. Then come the leaves; their parents go on, to reap them, before they
	// are leaves themselves. One that never does is not waited for.
	killTree = `me=
  [ "$g" != $$ ] || read -r me _ </proc/self/stat
  round=0
  while :; do
    members= parents= inner= others=
    for f in /proc/[0-9]*/stat; do
      { read -r line <"$f"; } 2>/dev/null || continue
      pid=${line%% *}
      set -- ${line##*) }
      case " $groups " in *" $3 "*) ;; *) continue ;; esac
      case " $g " in *" $pid "*) continue ;; esac
      case " $g " in *" $2 "*)
        [ "$1" = Z ] || [ "$pid" = "${me:-$pid}" ] || others=yes seen=yes
        continue
      esac
      if [ "$1" != Z ]; then
        members="$members $pid" parents="$parents $2 "
      elif [ "$round" -lt 100 ]; then
        parents="$parents $2 "
      fi
    done
    round=$((round + 1))
    if [ -z "$members$others" ] && { [ -z "$me" ] || [ "$seen" ] || [ "$round" -gt 100 ]; }; then break; fi
    [ "$members" ] || continue
    kill -STOP $members 2>/dev/null
    for pid in $members; do
      case $parents in *" $pid "*) inner="$inner $pid" ;; *) kill -9 "$pid" 2>/dev/null ;; esac
    done
    [ -z "$inner" ] || kill -CONT $inner 2>/dev/null
  done`

	exitMark  = "promote-exit "
	groupMark = "promote-group "
)

// guardedCommand is a command under a guard.
type guardedCommand struct {
	in     io.Writer
	out    io.Reader
	finish func()          // ends its input
	kill   func(group int) // kills it, and what it has started
	close  func()          // gives back what is held for it, once it has ended
	exited chan struct{}   // closed: it has said how it exited, or can't any more
	gone   chan struct{}   // closed: it says nothing any more
	ready  chan struct{}   // closed: it is there, and has said in which process group
	group  int             // that, once it is ready
	code   int             // once it is gone: its exit status; -1: it did not say
	hushed atomic.Bool     // what it says from here on is only that it was killed
	mute   bool            // what it says on stderr is not repeated
	last   string          // line that it said on stderr

	notFound func(context.Context) (bool, error) // in a container, once it is gone: whether that has no shell
}

// commandPlace is where a guarded command runs, and what it finds in its environment besides what is there.
type commandPlace struct {
	container string // its id; empty: this machine, in the project directory
	environ   []string
}

// placeOf is where data is: in the project directory, or in a container of the compose project.
func (m *Machine) placeOf(ctx context.Context, d promotion.Data, project string) (commandPlace, error) {
	place := commandPlace{environ: []string{"PROMOTE_ENVIRONMENT=" + m.Target.Environment}}
	if d.In == promotion.InHost {
		return place, nil
	}
	c, err := m.running(ctx, project, d.Service())
	place.container = c.ID
	return place, err
}

// startGuarded starts a command under a guard. say is given what it says on stderr.
func (m *Machine) startGuarded(ctx context.Context, place commandPlace, guard string, argv []string, say func(string)) (*guardedCommand, error) {
	if place.container == "" && guard == guardLoad {
		guard = guardHere
	}
	argv = append([]string{"/bin/sh", "-c", guard, "promote"}, argv...)
	s := &guardedCommand{exited: make(chan struct{}), gone: make(chan struct{}), ready: make(chan struct{}), code: -1}
	errs, err := io.Reader(nil), error(nil)
	if place.container == "" {
		errs, err = s.startHere(m, place, argv)
	} else {
		errs, err = s.startInside(ctx, m, place, argv)
	}
	if err != nil {
		return nil, err
	}
	go s.listen(errs, say)
	return s, nil
}

// startHere runs it on this machine, in a process group of its own. The guard holds the environment's lock, and what it
// guards does not.
func (s *guardedCommand) startHere(m *Machine, place commandPlace, argv []string) (io.Reader, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir, cmd.Env = m.Target.Project, append(slices.Clone(m.Environ), place.environ...)
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
	s.kill = func(group int) {
		_ = syscall.Kill(-group, syscall.SIGSTOP) // so that nobody sees an input end that comes from the killing
		_ = syscall.Kill(-group, syscall.SIGKILL)
	}
	s.close = sync.OnceFunc(func() { _ = cmd.Wait() }) // how it ended was said on stderr, or never will be
	return errs, cmd.Start()
}

// startInside runs it in a container.
func (s *guardedCommand) startInside(ctx context.Context, m *Machine, place commandPlace, argv []string) (io.Reader, error) {
	piped, err := m.Engine.Pipe(ctx, place.container, docker.ExecOptions{Cmd: argv, Env: place.environ})
	if err != nil {
		return nil, err
	}
	s.in, s.out, s.close = piped, piped.Out, piped.Close
	s.finish, s.notFound = func() { _ = piped.CloseWrite() }, piped.NotFound
	s.kill = func(group int) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		_, _ = m.Engine.Exec(ctx, place.container, []string{"/bin/sh", "-c", "g=$1 groups=$1\n" + killTree, "promote", strconv.Itoa(group)})
	}
	return piped.Err, nil
}

// listen reads what it says on stderr, and among that, how it exited.
func (s *guardedCommand) listen(errs io.Reader, say func(string)) {
	defer close(s.gone)
	exited := sync.OnceFunc(func() { close(s.exited) })
	defer exited()
	docker.Lines(errs, func(line string) {
		if code, ok := marked(line, exitMark); ok {
			s.code = code
			exited()
		} else if group, ok := marked(line, groupMark); ok && s.group == 0 {
			s.group = group
			close(s.ready)
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
var farewell = 10 * time.Second // shorter in tests

// wasReady reports whether it ever ran. Where there is no shell, it did not.
func (s *guardedCommand) wasReady() bool {
	select {
	case <-s.ready:
		return true
	default:
		return false
	}
}

// followOutput hands on what it says until it ends, and has it end with the context. What the engine says in its place,
// when it can't be started, is left out.
func (s *guardedCommand) followOutput(ctx context.Context, say func(string)) {
	defer context.AfterFunc(ctx, func() {
		s.hushed.Store(true)
		s.stop()
	})()
	said := make(chan struct{})
	go func() {
		defer close(said)
		docker.Lines(s.out, func(line string) {
			select {
			case <-s.ready:
			case <-s.gone:
			}
			if s.wasReady() {
				say(line)
			}
		})
		<-s.gone
	}()
	s.awaitExit(ctx, said)
	s.close()
	<-said
}

// awaitExit waits until it has exited and has said all: said is closed then. What it left behind may keep its output
// open, and once it is to stop it may not be there to be stopped: neither is waited for long.
func (s *guardedCommand) awaitExit(ctx context.Context, said <-chan struct{}) {
	select {
	case <-s.exited:
	case <-said:
	case <-ctx.Done():
	}
	late := time.NewTimer(2 * farewell)
	defer late.Stop()
	if ctx.Err() != nil {
		select {
		case <-s.exited:
		case <-said:
		case <-late.C:
			return
		}
	}
	late.Reset(farewell)
	select {
	case <-said:
	case <-late.C:
	}
}

// stop kills it. That it was killed is what it says then.
func (s *guardedCommand) stop() {
	select {
	case <-s.ready:
		s.kill(s.group)
	case <-s.gone:
	}
}

// end waits for its end once nothing more is wanted of it, but not for ever.
func (s *guardedCommand) end() {
	late := time.AfterFunc(farewell, func() {
		s.stop()
		s.close()
	})
	defer late.Stop()
	select {
	case <-s.ready: // one that has yet to start would take the end of its input for that of its data
	case <-s.gone:
	}
	s.finish()
	_, _ = io.Copy(io.Discard, s.out) // nobody wants that any more
	<-s.gone
	s.close()
}

// failure is why it did not do its work, once it exited; nil if it did.
func (s *guardedCommand) failure(d promotion.Data, what string) error {
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
