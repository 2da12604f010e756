package ui_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"promote/compose"
	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/internal/ui"
	"promote/registry"
	"promote/semver"
)

type advised struct{ text, hint string }

func (e advised) Error() string       { return e.text }
func (e advised) Hint() string        { return e.hint }
func (e advised) LastWords() []string { return []string{"panic: \x1b[2J"} }

// TestError: one line an error, the container's last words, then what to do; nothing foreign moves the
// cursor.
func TestError(t *testing.T) {
	var out bytes.Buffer
	screen := ui.New(&out, &out, false)
	screen.Error(errors.Join(advised{"core: exited\x1b[31m", "promote show prod"}, errors.New("mailer: too")), 5)
	want := "error: core: exited�[31m\nerror: mailer: too\n  | panic: �[2J\nhint: promote show prod\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	out.Reset()
	screen.JSON = true
	screen.Error(advised{"x", "y"}, 5)
	if want := `{"schema":1,"error":"x","hint":"y","logs":["panic: \u001b[2J"],"exit":5}` + "\n"; out.String() != want {
		t.Errorf("got %s want %s", out.String(), want)
	}
}

type lastWords struct{ error }

func (lastWords) LastWords() []string {
	return []string{"##[set-output name=version;]v6", "##vso[task.setvariable variable=PATH]/tmp", "::set-output name=version::v6", "abc\u202egpj.exe"}
}

// TestForeignCommands: what containers and commits say reaches neither the runner of a CI job, nor turns around what
// stands beside it, wherever it is shown.
func TestForeignCommands(t *testing.T) {
	var out bytes.Buffer
	screen := ui.New(&out, &out, false)
	said := lastWords{errors.New("core: exited")}.LastWords()
	screen.Error(lastWords{errors.New("core: exited")}, 5)
	for _, text := range said {
		screen.Say("%s", text)
		screen.Answer("%s", text)
		screen.Text(text)
		screen.Warn(errors.New(text))
	}
	screen.JSON = true
	screen.Error(lastWords{errors.New("core: exited")}, 5)
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "::") || strings.Contains(line, "##[") || strings.Contains(line, "##vso[") {
			t.Errorf("a command: %q", line)
		}
		if !strings.HasPrefix(line, "{") && strings.Contains(line, "\u202e") {
			t.Errorf("turned around: %q", line)
		}
	}
	if !strings.Contains(out.String(), `abc\u202egpj.exe`) || strings.Count(out.String(), "\n") != 1+4*5+1 {
		t.Errorf("it says\n%s", &out)
	}
}

func release(version string) registry.Release {
	return registry.Release{Repository: "aegee/core", Tag: version, Version: semver.MustParse(version), Digest: "sha256:" + strings.Repeat("ab", 32)}
}

func TestPlan(t *testing.T) {
	var out bytes.Buffer
	ui.New(&out, &out, false).Plan(&out, promotion.Plan{
		Kind: promotion.Rollback, Target: promotion.Target{Environment: "prod", Project: "/srv/shop"},
		Moves: []promotion.Move{{Service: "core", From: release("v1.5.0"), To: release("v1.4.2"), Rolls: []promotion.Roll{{
			Service: "core", Strategy: "start-first", Why: "no request lost", File: "/srv/shop/compose.yaml", Line: 3,
			Changes: []compose.Change{{Service: "core", From: compose.Pin{Tag: "v1.5.0"}}},
		}}}},
		Marks:   []promotion.Mark{{Service: "core", Kind: promotion.Bad, Release: release("v1.5.0")}, {Service: "core", Kind: promotion.Held, Release: release("v1.4.2"), Keep: true}},
		Stays:   []promotion.Stay{{Service: "events", Release: release("v2.0.0"), File: "/srv/shop/compose.yaml", Line: 9}},
		Skipped: []promotion.Skip{{Service: "mailer", Reason: "nothing older"}},
		Notes:   []promotion.Note{{Service: "core", Text: "a note"}},
	})
	want := `rollback prod
  core  v1.5.0 → v1.4.2  sha256:abababababab
    core  start-first: no request lost
      compose.yaml:3  v1.5.0 → no tag
  core  v1.5.0 will be marked bad
  core  will be held at v1.4.2 until promote unpin
  events  stays on v2.0.0  sha256:abababababab  compose.yaml:9
  mailer  left out: nothing older
  core  note: a note
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// TestPlanOfData names every command that touches data, and where.
func TestPlanOfData(t *testing.T) {
	var out bytes.Buffer
	data := promotion.Data{Name: "main", In: "service:db", Dump: promotion.ShellLine("pg_dump shop"), Load: []string{"psql", "shop\x1b"}}
	plan := promotion.Plan{Kind: promotion.MoveData, Target: promotion.Target{Environment: "staging"}, Data: &promotion.Transfer{From: "prod", Items: []promotion.Data{data}}}
	s := ui.New(&out, &out, false)
	s.Plan(&out, plan)
	plan.Data = &promotion.Transfer{Undo: "20261121-061203-k7f", Items: plan.Data.Items}
	s.Plan(&out, plan)
	want := `data staging
  main  prod → staging
    dump, in db of prod: pg_dump shop
    anonymise, there: nothing to hide
    save, in db of staging: pg_dump shop
    load, there, in place of what it holds: psql shop�
data staging
  main  as it was before 20261121-061203-k7f
    save, in db of staging: pg_dump shop
    load, there, in place of what it holds: psql shop�
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestStatus(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	err := ui.New(&out, &out, false).Status(ui.Status{Environments: []ui.EnvironmentStatus{
		{Environment: "prod", Interrupted: "deploy 1 by ada", Services: []ui.ServiceStatus{{
			Service: "core", Version: "v1.4.2", Running: "up", Since: now.Add(-3 * time.Hour), Mark: "verified", Hold: "held at v1.4.2", Drift: []promotion.Drift{{Kind: promotion.Edited, Text: "the file says v1"}}, Place: "compose.yaml:3",
			In: "image", Digest: release("v1.4.2").Digest, Recorded: &promotion.Mark{Release: release("v1.4.2"), At: now, By: "ada"},
			Containers: []ui.ContainerStatus{{Service: "core", Container: promotion.Container{Name: "shop-core-1", State: "running", Health: "healthy", Image: "aegee/core:v1.4.2", ImageID: "sha256:" + strings.Repeat("cd", 32)}}},
		}}},
		{Environment: "far", Error: "no such host"},
	}}, now, true)
	if err != nil {
		t.Fatal(err)
	}
	want := `ENVIRONMENT  SERVICE  VERSION  RUNS  DIGEST        SINCE  MARK                   PLACE
prod         core     v1.4.2   up    abababababab  3h     verified, held, drift  compose.yaml:3
prod: interrupted: deploy 1 by ada; promote resume prod
prod core: held at v1.4.2
prod core: drift (edited): the file says v1
far: could not be looked at: no such host

prod core
  file     v1.4.2  compose.yaml:3 (image)
  runs     shop-core-1  running, healthy  aegee/core:v1.4.2
           image sha256:cdcdcdcdcdcd  digest unknown
  history  v1.4.2  sha256:abababababab  2026-11-21 12:00 UTC by ada
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestHistory(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2026, 11, 21, 6, 12, 0, 0, time.UTC)
	err := ui.New(&out, &out, false).History([]journal.Deployment{
		{Entry: journal.Entry{ID: "b", Kind: "rollback", At: at, By: "ada", Reason: "login\n500", Outcome: "restored", Moves: []journal.Move{{Service: "core", From: release("v1.5.0"), To: release("v1.4.2")}}}, End: at},
		{Entry: journal.Entry{Kind: "unpin", At: at, By: "bob", Marks: []journal.Mark{{Service: "core"}}}, End: at, Marked: true},
		{Entry: journal.Entry{ID: "a", Kind: "deploy", At: at, By: "ada"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"b   rollback  core v1.5.0 → v1.4.2  put back", "unpin     core   ", "not ended"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "login\n") {
		t.Errorf("a line break of a reason breaks the table:\n%s", out.String())
	}
}

func TestHistoryOfData(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2026, 11, 21, 6, 12, 0, 0, time.UTC)
	err := ui.New(&out, &out, false).History([]journal.Deployment{
		{Entry: journal.Entry{ID: "d", Kind: "data", At: at, By: "ada", Outcome: "done", Data: &journal.Data{From: "prod", Names: []string{"main", "files"}, Bytes: 12e6}}, End: at},
		{Entry: journal.Entry{ID: "e", Kind: "data", At: at, By: "ada", Outcome: "done", Data: &journal.Data{Undo: "d", Names: []string{"main"}}}, End: at},
	})
	if err != nil || !strings.Contains(out.String(), "data  main, files from prod, 12.0 MB  done") || !strings.Contains(out.String(), "data  main as before d ") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// events are those of a deployment that is put back.
var events = []rollout.Event{
	{Seq: 1, Step: promotion.Pull, Status: rollout.Started},
	{Seq: 2, Step: promotion.Pull, Service: "core", Status: rollout.Progress, Layer: &rollout.Layer{ID: "a", Current: 5e6, Total: 1e7}},
	{Seq: 3, Step: promotion.Pull, Status: rollout.Done},
	{Seq: 4, Step: promotion.RollStep, Service: "core", Status: rollout.Started},
	{Seq: 5, Step: promotion.RollStep, Service: "core", Status: rollout.Progress, Text: "waiting to be healthy"},
	{Seq: 6, Step: promotion.RollStep, Service: "core", Status: rollout.Failed},
	{Seq: 7, Status: rollout.Undoing, Text: "putting everything back"},
	{Seq: 8, Status: rollout.Finished, Result: &rollout.Result{}},
}

// TestPlainProgress is what a log of CI shows.
func TestPlainProgress(t *testing.T) {
	var out bytes.Buffer
	p := ui.New(&out, &out, false).Progress()
	for _, e := range events {
		p.Event("", e)
	}
	p.Close()
	want := "pull\nroll core\nroll core: waiting to be healthy\nroll core: failed\nputting everything back\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// TestLiveProgress looks at the screen that is left on a terminal 40 columns wide.
func TestLiveProgress(t *testing.T) {
	var out bytes.Buffer
	screen := ui.New(&out, &out, true)
	screen.Live, screen.Width = true, 40
	p := screen.Progress()
	for _, e := range events {
		p.Event("", e)
	}
	p.Close()
	want := " ✓ pull\n · pull core  0 of 1 layers, 5.0 of 10.0\n ✗ roll core  waiting to be healthy\n ! putting everything back"
	if got := onScreen(out.String()); got != want {
		t.Errorf("the screen shows\n%s\nwant\n%s", got, want)
	}
}

// onScreen is what a terminal makes of the output: lines, and going up to write them again.
func onScreen(output string) string {
	var lines []string
	row := 0
	for text := range strings.SplitSeq(output, "\n") {
		for strings.HasPrefix(text, "\x1b[") && strings.Contains(text, "A") {
			up, rest, _ := strings.Cut(text[2:], "A")
			row, text = row-int(up[0]-'0'), rest
		}
		text = strings.TrimPrefix(text, "\x1b[2K")
		for row >= len(lines) {
			lines = append(lines, "")
		}
		if text != "" {
			lines[row] = text
		}
		row++
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

func TestAsk(t *testing.T) {
	for answer, want := range map[string]error{"prod\n": nil, "staging\n": ui.ErrNotConfirmed, "": ui.ErrNotConfirmed, "y\n": ui.ErrNotConfirmed} {
		var out bytes.Buffer
		if err := ui.New(&out, &out, false).Ask(strings.NewReader(answer), "type prod:", "prod"); !errors.Is(err, want) {
			t.Errorf("%q: %v", answer, err)
		}
	}
}
