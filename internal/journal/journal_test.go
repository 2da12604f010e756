package journal_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"promote/internal/journal"
	"promote/registry"
)

// TestMain is also the other process of TestLock, which holds the lock of a folder until it is killed,
// and those of TestTwoWriters.
func TestMain(m *testing.M) {
	if dir := os.Getenv("HOLD_LOCK_OF"); dir != "" {
		if _, err := journal.Open(dir).Lock(context.Background(), 0, journal.Holder{ID: "first", Kind: "deploy", By: "bob"}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("held")
		select {}
	}
	if dir := os.Getenv("APPEND_TO"); dir != "" {
		if err := appendMany(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func entry(event, id string) journal.Entry {
	return journal.Entry{Schema: 1, Event: event, ID: id, Kind: "deploy", At: time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC), By: "ada"}
}

func ids(t *testing.T, j *journal.Journal) string {
	t.Helper()
	entries, err := j.Entries()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.ID)
	}
	return strings.Join(list, " ")
}

// TestTorn cuts the last line at every byte, as a crash may: what was there before stays, and the next
// entry is read too.
func TestTorn(t *testing.T) {
	dir := t.TempDir()
	j := journal.Open(dir)
	if got := ids(t, j); got != "" {
		t.Fatalf("an environment without a history has %q", got)
	}
	for _, id := range []string{"a", "b"} {
		e := entry(journal.Begun, id)
		e.Moves = []journal.Move{{Service: "core {é}", To: registry.Release{Tag: "v1"}}, {Service: "mailer"}} // braces within the line
		e.Marks = []journal.Mark{{Service: "core", Kind: "held"}}
		if err := j.Append(e); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, journal.Folder, "history.jsonl")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	last := strings.Index(string(whole), "\n") + 1
	for cut := last; cut < len(whole); cut++ {
		if err := os.WriteFile(path, whole[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		if got := ids(t, j); got != "a" {
			t.Fatalf("cut at %d: it has %q", cut, got)
		}
		if err := j.Append(entry(journal.Begun, "c")); err != nil {
			t.Fatal(err)
		}
		want := "a c"
		if cut == len(whole)-1 {
			want = "a b c" // only the line end was missing
		}
		if got := ids(t, j); got != want {
			t.Fatalf("cut at %d, then another: it has %q", cut, got)
		}
	}
}

// TestBroken: a line that somebody broke by hand is not passed over.
func TestBroken(t *testing.T) {
	for name, line := range map[string]string{
		"not JSON": `{"schema": x}`, "no closing brace": `{"schema": 1, id: 2`, "another type": `{"schema": "one"}`,
		"text": "done", "no line": "<<<<<<< HEAD", "two values": `{"schema": 1} {"schema": 1}`,
	} {
		dir := t.TempDir()
		j := journal.Open(dir)
		if err := j.Append(entry(journal.Begun, "a")); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, journal.Folder, "history.jsonl")
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, slices.Concat(good, []byte(line+"\n"), good), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Entries(); err == nil || !strings.Contains(err.Error(), "history.jsonl:2: ") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestTwoWriters: what two processes append at once stands there whole, each in its own order.
func TestTwoWriters(t *testing.T) {
	const each = 50
	dir := t.TempDir()
	var writers []*exec.Cmd
	for _, name := range []string{"x", "y"} {
		writer := exec.Command(os.Args[0])
		writer.Env = append(os.Environ(), "APPEND_TO="+dir, "AS="+name, fmt.Sprintf("TIMES=%d", each))
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		writers = append(writers, writer)
	}
	for _, writer := range writers {
		if err := writer.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := journal.Open(dir).Entries()
	if err != nil {
		t.Fatal(err)
	}
	next := map[string]int{}
	for _, e := range entries {
		if want := fmt.Sprint(next[e.By]); e.ID != want {
			t.Fatalf("%s wrote %s where %s was to come", e.By, e.ID, want)
		}
		next[e.By]++
	}
	if next["x"] != each || next["y"] != each {
		t.Errorf("%v of %d each arrived", next, each)
	}
}

// appendMany is the other process of TestTwoWriters.
func appendMany(dir string) error {
	times, err := strconv.Atoi(os.Getenv("TIMES"))
	for i := 0; i < times && err == nil; i++ {
		e := entry(journal.Begun, strconv.Itoa(i))
		e.By, e.Reason = os.Getenv("AS"), strings.Repeat("long ", 2000) // more than a page
		err = journal.Open(dir).Append(e)
	}
	return err
}

// TestLookDoesNotLock: asking who holds the lock, all the time, never keeps anybody from taking it.
func TestLookDoesNotLock(t *testing.T) {
	j := journal.Open(t.TempDir())
	done := make(chan struct{})
	looked := make(chan error, 1)
	go func() {
		defer close(looked)
		for {
			select {
			case <-done:
				return
			default:
			}
			if _, err := j.Locked(); err != nil {
				looked <- err
				return
			}
		}
	}()
	for range 200 {
		lock, err := j.Lock(context.Background(), 0, journal.Holder{ID: "a"})
		if err != nil {
			t.Fatal(err)
		}
		if err := lock.Release(); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	if err := <-looked; err != nil {
		t.Error(err)
	}
}

// TestMarks: a mark is dated by its entry, unless it has a date of its own.
func TestMarks(t *testing.T) {
	own := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	e := entry(journal.Ended, "a")
	e.Marks = []journal.Mark{{Service: "core"}, {Service: "mailer", At: own}}
	got := journal.Marks([]journal.Entry{e, entry(journal.Begun, "b")})
	if len(got) != 2 || !got[0].At.Equal(e.At) || !got[1].At.Equal(own) {
		t.Errorf("got %v", got)
	}
}

func TestUnfinished(t *testing.T) {
	done := entry(journal.Ended, "a")
	done.Outcome = "done"
	entries := []journal.Entry{entry(journal.Begun, "a"), done, entry(journal.Marked, ""), entry(journal.Begun, "b")}
	if d := journal.Unfinished(entries); d == nil || d.ID != "b" {
		t.Errorf("got %v", d)
	}
	if d := journal.Unfinished(entries[:3]); d != nil {
		t.Errorf("got %v", d)
	}
	stuck := entry(journal.Ended, "b")
	stuck.Outcome = "stuck"
	entries = append(entries, stuck)
	if d := journal.Unfinished(entries); d == nil || d.ID != "b" {
		t.Errorf("what got stuck can be tried again; got %v", d)
	}
	late := entry(journal.Ended, "c")
	late.Outcome = "done"
	if d := journal.Unfinished(append(entries[:5:5], entry(journal.Begun, "c"), late)); d != nil {
		t.Errorf("what came after it ended well; got %v", d)
	}
	if list := journal.Deployments(entries); len(list) != 3 || list[0].Outcome != "done" || !list[1].Marked {
		t.Errorf("got %v", list)
	}
}

// TestLock: a second one is refused and told who; one that waits gets it when the other process dies,
// however it dies.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), "HOLD_LOCK_OF="+dir)
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer other.Wait()
	defer other.Process.Kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("%q %v", line, err)
	}
	j := journal.Open(dir)
	var locked *journal.LockedError
	if _, err := j.Lock(context.Background(), 0, journal.Holder{ID: "second"}); !errors.As(err, &locked) || locked.Holder.ID != "first" || locked.Holder.By != "bob" {
		t.Fatalf("got %v", err)
	}
	if holder, err := j.Locked(); err != nil || holder == nil || holder.ID != "first" {
		t.Fatalf("got %v %v", holder, err)
	}
	got := make(chan error, 1)
	go func() {
		lock, err := j.Lock(context.Background(), time.Minute, journal.Holder{ID: "third"})
		if err == nil {
			err = lock.Release()
		}
		got <- err
	}()
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	if holder, err := j.Locked(); err != nil || holder != nil {
		t.Errorf("nobody holds it, and it says %v %v", holder, err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	lock, err := j.Lock(context.Background(), 0, journal.Holder{})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if _, err := j.Lock(cancelled, time.Minute, journal.Holder{}); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting goes on after it was cancelled: %v", err)
	}
}

// TestZeroes: a power cut may leave zeroes in place of the end of the history. They cost the entry that was never
// promised, and nothing else.
func TestZeroes(t *testing.T) {
	for _, tail := range []string{strings.Repeat("\x00", 100), `{"schema":1,"event":"ended","id":"a","ki` + strings.Repeat("\x00", 60)} {
		dir := t.TempDir()
		j := journal.Open(dir)
		if err := j.Append(entry(journal.Begun, "a")); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, journal.Folder, "history.jsonl")
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(whole, tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := j.Append(entry(journal.Begun, "b")); err != nil {
			t.Fatal(err)
		}
		if got := ids(t, j); got != "a b" {
			t.Errorf("after %d bytes: %q", len(tail), got)
		}
	}
}

// TestNewer: what a newer promote wrote is not judged by this one.
func TestNewer(t *testing.T) {
	j := journal.Open(t.TempDir())
	later := entry(journal.Begun, "a")
	later.Schema = journal.Schema + 1
	if err := j.Append(later); err != nil {
		t.Fatal(err)
	}
	var newer *journal.NewerError
	if _, err := j.Entries(); !errors.As(err, &newer) || newer.Schema != later.Schema {
		t.Errorf("got %v", err)
	}
}

// TestModes: nobody but the owner may read the history, or open the lock, which would be enough to hold it; but
// the group may where it may change the project.
func TestModes(t *testing.T) {
	for project, want := range map[os.FileMode]string{
		0o755: ".promote 700, deployments 700, history.jsonl 600, lock 600",
		0o775: ".promote 770, deployments 700, history.jsonl 660, lock 660",
	} {
		dir := t.TempDir()
		if err := os.Chmod(dir, project); err != nil {
			t.Fatal(err)
		}
		j := journal.Open(dir)
		lock, err := j.Lock(t.Context(), 0, journal.Holder{})
		if err := errors.Join(err, j.Append(entry(journal.Begun, "a")), j.Deployment("a").Make(), lock.Release()); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, name := range []string{"", "deployments", "history.jsonl", "lock"} {
			info, err := os.Stat(filepath.Join(dir, journal.Folder, name))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s %o", info.Name(), info.Mode().Perm()))
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("in a project of mode %o: %s, want %s", project, text, want)
		}
	}
}

// TestTwoEnds: an end that was written, and could not be brought to disk, does not count beside the one that follows.
func TestTwoEnds(t *testing.T) {
	done, restored := entry(journal.Ended, "a"), entry(journal.Ended, "a")
	done.Outcome, done.Marks = "done", []journal.Mark{{Service: "core", Kind: "verified"}}
	restored.Outcome = "restored"
	entries := []journal.Entry{entry(journal.Begun, "a"), done, restored}
	if marks := journal.Marks(entries); len(marks) > 0 {
		t.Errorf("marks of the first end count: %v", marks)
	}
	if list := journal.Deployments(entries); list[0].Outcome != "restored" {
		t.Errorf("it ended %s", list[0].Outcome)
	}
}
