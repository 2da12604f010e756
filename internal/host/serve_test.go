package host

import (
	"bufio"
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"promote/compose"
	"promote/internal/journal"
	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/registry"
	"promote/semver"
)

const shopFile = "name: shop\nservices:\n  core:\n    image: registry.example/core:v1.0.0\n  mailer:\n    image: registry.example/mailer:v1.0.0\n  near:\n    image: registry.example/near:v1.0.0\n    network_mode: host\n"

// shopData is what may be read from there, but not replaced; and what may be replaced, but not read.
const shopData = "data:\n  - {in: host, dump: echo secret, anonymise: read -r x; echo hidden}\n  - {in: host, dump: echo old, load: cat >new}\n"

// shop is a project with nothing that runs, and what a key that is limited to it reaches.
func shop(t testing.TB) *Local {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "shop")
	for name, text := range map[string]string{
		"shop/compose.yaml": shopFile, "shop/.promote/allow.yaml": "accept: <2.0.0\ncommands: [ready --quiet, [test, -e, /ready]]\n" + shopData, "shop/.env": "SECRET=1\n",
		"other/compose.yaml": shopFile, "other/.promote/history.jsonl": "",
	} {
		path := filepath.Join(dir, "..", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	allow, err := Allow(dir)
	if err != nil {
		t.Fatal(err)
	}
	open := func(_ context.Context, target promotion.Target) (*rollout.Machine, error) {
		m := &rollout.Machine{Target: target, Environ: []string{"PATH=/nowhere"}, Now: time.Now}
		m.History = journal.Open(target.Project).Of(target.Environment)
		return m, nil
	}
	return &Local{Open: open, Worker: []string{"/bin/true"}, Allow: allow}
}

// outside are the contents of all files that a limited key must not change.
func outside(t testing.TB, l *Local) map[string]string {
	t.Helper()
	files, journals := map[string]string{}, filepath.Join(l.Allow.Project, journal.Folder)
	err := filepath.WalkDir(filepath.Dir(l.Allow.Project), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Dir(path) == journals && d.Name() != AllowFile || strings.HasPrefix(path, journals+"/deployments/") {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// answers has the host side answer an input that ends after n answers, and returns all that it says
// behind its greeting.
func answers(t testing.TB, l *Local, input string, n int) []reply {
	t.Helper()
	in, ask := io.Pipe()
	said, out := io.Pipe()
	go func() { _, _ = io.WriteString(ask, input) }() // what is not read is not answered, and missing below
	go func() { out.CloseWithError(l.Serve(t.Context(), "v0.0.0", in, out)) }()
	list, lines := []reply{}, bufio.NewScanner(said)
	lines.Scan() // ends what a login shell may have said
	lines.Scan()
	for len(list) < n && lines.Scan() {
		list = append(list, decode(t, lines.Bytes()))
	}
	ask.Close()
	for lines.Scan() {
		list = append(list, decode(t, lines.Bytes()))
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func decode(t testing.TB, text []byte) (r reply) {
	t.Helper()
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return r
}

// goodTarget is what an honest client asks for.
func goodTarget(l *Local) promotion.Target {
	return promotion.Target{Environment: "prod", Project: l.Allow.Project, Services: []promotion.Service{
		{Name: "core", Image: "registry.example/core", Runs: []string{"core"}},
		{Name: "mailer", Image: "registry.example/mailer", Runs: []string{"mailer"}},
		{Name: "near", Image: "registry.example/near", Runs: []string{"near"}},
	}}
}

// good is an honest deployment of core.
func good(l *Local) Request {
	to := registry.Release{Tag: "v1.1.0", Digest: "sha256:" + strings.Repeat("a", 64)}
	change := compose.Change{Service: "core", From: compose.Pin{Tag: "v1.0.0"}, To: compose.Pin{Tag: to.Tag}}
	plan := promotion.Plan{ID: "20261121-120000-abc", Kind: promotion.Deploy, Target: goodTarget(l), Moves: []promotion.Move{
		{Service: "core", Image: "registry.example/core", To: to, Rolls: []promotion.Roll{{Service: "core", Changes: []compose.Change{change}}}},
	}}
	plan.Steps = promotion.Steps(plan.Target, plan.Moves)
	return Request{Protocol: Protocol, ID: 1, Do: DoApply, Target: plan.Target, Deployment: plan.ID, Job: &Job{Plan: plan}}
}

// TestLimitedJob sends jobs that no honest client makes. One that is let through starts the worker here,
// which dies of it; nothing else does.
func TestLimitedJob(t *testing.T) {
	move := func(r *Request) *promotion.Move { return &r.Job.Plan.Moves[0] }
	roll := func(r *Request) *promotion.Roll { return &move(r).Rolls[0] }
	asked := func(r *Request, service int, check promotion.Check) {
		check.Service = r.Target.Services[service].Runs[0]
		r.Target.Services[service].Checks = []promotion.Check{check}
	}
	restep := func(r *Request) { r.Job.Plan.Steps = promotion.Steps(r.Target, r.Job.Plan.Moves) }
	for name, bend := range map[string]func(*Request){
		"another repository":       func(r *Request) { move(r).Image = "registry.example/evil" },
		"another's repository":     func(r *Request) { move(r).Image = "registry.example/mailer" },
		"a longer name":            func(r *Request) { move(r).Image += "@sha256:" + strings.Repeat("b", 64) },
		"another version":          func(r *Request) { roll(r).Changes[0].To.Tag = "v1.2.0" },
		"another digest":           func(r *Request) { roll(r).Changes[0].To.Digest = "sha256:" + strings.Repeat("b", 64) },
		"no version":               func(r *Request) { roll(r).Changes[0].To = compose.Pin{} },
		"not accepted":             func(r *Request) { move(r).To.Tag, roll(r).Changes[0].To.Tag = "v2.0.0", "v2.0.0" },
		"no version at all":        func(r *Request) { move(r).To.Tag, roll(r).Changes[0].To.Tag = "edge", "edge" },
		"a service of nobody":      func(r *Request) { move(r).Service = "nobody" },
		"a path as digest":         func(r *Request) { move(r).To.Digest = "sha256:../../containers" },
		"a service like an option": func(r *Request) { roll(r).Service, roll(r).Changes[0].Service = "--build", "--build"; restep(r) },
		"a step like an option": func(r *Request) {
			r.Job.Plan.Steps = append(r.Job.Plan.Steps, promotion.Step{Kind: promotion.RollStep, Service: "--build"})
		},
		"another made anew": func(r *Request) { roll(r).Attached = []string{"--build"} },
		"another's step": func(r *Request) {
			r.Job.Plan.Steps = append(r.Job.Plan.Steps, promotion.Step{Kind: promotion.RollStep, Service: "mailer"})
		},
		"no preflight":      func(r *Request) { r.Job.Plan.Steps = r.Job.Plan.Steps[1:] },
		"no pull":           func(r *Request) { r.Job.Plan.Steps = append(r.Job.Plan.Steps[:1:1], r.Job.Plan.Steps[2:]...) },
		"no steps":          func(r *Request) { r.Job.Plan.Steps = nil },
		"no changes":        func(r *Request) { roll(r).Changes = nil },
		"no rolls":          func(r *Request) { move(r).Rolls = nil; restep(r) },
		"no id":             func(r *Request) { r.Deployment, r.Job.Plan.ID = "", "" },
		"a path as id":      func(r *Request) { r.Deployment, r.Job.Plan.ID = "../../../other", "../../../other" },
		"two ids":           func(r *Request) { r.Job.Plan.ID = "another" },
		"no job":            func(r *Request) { r.Job = nil },
		"resume of nothing": func(r *Request) { r.Job.Resume = "20261121-110000-abc" },
		"resume of a path":  func(r *Request) { r.Job.Resume = "../../../other" },
		"nothing runs it":   func(r *Request) { r.Target.Services[0].Runs = nil },
		"a command":         func(r *Request) { asked(r, 0, promotion.Check{Run: promotion.ShellLine("env")}) },
		"a longer command":  func(r *Request) { asked(r, 1, promotion.Check{Run: promotion.ShellLine("ready --quiet; env")}) },
		"a line as a list":  func(r *Request) { asked(r, 0, promotion.Check{Run: []string{"ready", "--quiet"}}) },
		"a list as a line":  func(r *Request) { asked(r, 0, promotion.Check{Run: promotion.ShellLine("test -e /ready")}) },
		"another's list": func(r *Request) {
			asked(r, 0, promotion.Check{Run: []string{"test", "-e", "/ready", "-o", "-e", "/x"}})
		},
		"a command besides": func(r *Request) { asked(r, 0, promotion.Check{TCP: 80, Run: []string{"env"}}) },
		"the host's ports":  func(r *Request) { asked(r, 2, promotion.Check{TCP: 22}) },
		"the host's pages":  func(r *Request) { asked(r, 2, promotion.Check{HTTP: &promotion.HTTPCheck{Port: 80, Path: "/"}}) },
		"pages and a list": func(r *Request) {
			asked(r, 2, promotion.Check{TCP: 22, Run: []string{"test", "-e", "/ready"}})
		},
		"a task in a container": func(r *Request) {
			r.Target.Services[0].Tasks = []promotion.Task{{Name: "x", Phase: promotion.PhaseManual, In: promotion.InNew, Run: []string{"env"}}}
		},
		"a task on the host": func(r *Request) {
			r.Target.Services[0].Tasks = []promotion.Task{{Name: "x", Phase: promotion.PhaseManual, In: promotion.InHost, Run: promotion.ShellLine("env")}}
		},
		"a container's command on the host": func(r *Request) {
			r.Target.Services[0].Tasks = []promotion.Task{{Name: "x", Phase: promotion.PhaseManual, In: promotion.InHost, Run: []string{"test", "-e", "/ready"}}}
		},
		"a task that is none": func(r *Request) {
			r.Job.Plan.Kind, r.Job.Plan.Moves = promotion.Run, nil
			r.Job.Plan.Steps = []promotion.Step{{Kind: promotion.TaskStep, Service: r.Target.Services[0].Name, Task: "x", Run: []string{"env"}}, {Kind: promotion.RecordEnd}}
		},
		"a task's other command": func(r *Request) {
			r.Target.Services[0].Tasks = []promotion.Task{{Name: "x", Phase: promotion.PhaseManual, In: promotion.InNew, Run: []string{"test", "-e", "/ready"}}}
			r.Job.Plan.Kind, r.Job.Plan.Moves = promotion.Run, nil
			r.Job.Plan.Steps = []promotion.Step{{Kind: promotion.TaskStep, Service: r.Target.Services[0].Name, Task: "x", Run: []string{"env"}}, {Kind: promotion.RecordEnd}}
		},
		"a task of the client's": func(r *Request) {
			r.Target.Services[0].Tasks = []promotion.Task{{Name: "x", Phase: promotion.PhaseManual, In: promotion.InHere, Run: []string{"env"}}}
			r.Job.Plan.Kind, r.Job.Plan.Moves = promotion.Run, nil
			r.Job.Plan.Steps = promotion.StepsAlone(promotion.Step{Kind: promotion.TaskStep, Service: r.Target.Services[0].Name, Task: "x", Run: []string{"env"}})
		},
		"a task and a move": func(r *Request) {
			listed := []string{"test", "-e", "/ready"}
			r.Target.Services[0].Tasks = []promotion.Task{{Name: "x", Phase: promotion.PhaseManual, In: promotion.InNew, Run: listed}}
			r.Job.Plan.Kind = promotion.Run
			r.Job.Plan.Steps = promotion.StepsAlone(promotion.Step{Kind: promotion.TaskStep, Service: r.Target.Services[0].Name, Task: "x", Run: listed})
		},
		"a path to take back": func(r *Request) {
			listed := []string{"test", "-e", "/ready"}
			r.Target.Services[0].Tasks = []promotion.Task{{Name: "x", Phase: promotion.PhaseManual, In: promotion.InNew, Undo: listed}}
			move(r).Undo = []promotion.Undoing{{Task: "x", Of: "../../x"}}
			restep(r)
		},
		"taking back by another command": func(r *Request) {
			r.Target.Services[0].Tasks = []promotion.Task{{Name: "x", Phase: promotion.PhaseManual, In: promotion.InNew, Undo: []string{"env"}}}
			move(r).Undo = []promotion.Undoing{{Task: "x", Of: "20261121-110000-abc"}}
			restep(r)
		},
		"data that may only be read": func(r *Request) {
			replacing(r, promotion.Data{Name: "x", In: promotion.InHost, Dump: promotion.ShellLine("echo secret"), Load: promotion.ShellLine("cat >new")})
		},
		"data without a load": func(r *Request) {
			replacing(r, promotion.Data{Name: "x", In: promotion.InHost, Dump: promotion.ShellLine("echo secret")})
		},
		"data, and a deployment": func(r *Request) {
			replacing(r, promotion.Data{Name: "x", In: promotion.InHost, Dump: promotion.ShellLine("echo old"), Load: promotion.ShellLine("cat >new")})
			r.Job.Plan.Moves = good(&Local{Allow: &Allowance{Project: r.Target.Project}}).Job.Plan.Moves
		},
		"data of a path": func(r *Request) {
			replacing(r, promotion.Data{Name: "x", In: promotion.InHost, Dump: promotion.ShellLine("echo old"), Load: promotion.ShellLine("cat >new")})
			r.Job.Plan.Data.Undo = "../../../other"
		},
		"no data":            func(r *Request) { r.Do, r.Job = DoDump, nil },
		"a raw dump":         func(r *Request) { dumping(r, []string{"echo", "secret"}, nil) },
		"an open dump":       func(r *Request) { dumping(r, promotion.ShellLine("echo secret"), nil) },
		"another filter":     func(r *Request) { dumping(r, promotion.ShellLine("echo secret"), []string{"cat"}) },
		"no filter named":    func(r *Request) { dumping(r, promotion.ShellLine("echo old"), nil) },
		"a chunk of nothing": func(r *Request) { r.Do, r.Job, r.Chunk = DoRead, nil, &rollout.Chunk{} },
		"another folder":     func(r *Request) { r.Target.Project = filepath.Join(r.Target.Project, "..", "other") },
		"a swarm":            func(r *Request) { r.Target.Engine = promotion.EngineSwarm; restep(r) },
		"an older protocol":  func(r *Request) { r.Protocol-- },
		"an unknown verb":    func(r *Request) { r.Do = "shell" },
		"an endless name":    func(r *Request) { r.Job.Plan.By = strings.Repeat("x", 5<<10) },
		"an endless reason":  func(r *Request) { r.Reason = strings.Repeat("x", 5<<10) },
		"a command for a proxy": func(r *Request) {
			r.Target.Services[0].Front = &promotion.Front{ProxyCare: promotion.ProxyCare{Drain: []string{"cat", "/run/secrets/key"}}}
		},
		"another's proxy": func(r *Request) {
			roll(r).Proxies = []promotion.Proxy{{Project: "other", Service: "db", ProxyCare: promotion.ProxyCare{AfterGone: []string{"reboot"}}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := shop(t)
			before, r := outside(t, l), good(l)
			bend(&r)
			text, err := line(r)
			if err != nil {
				t.Skipf("an honest client can't even say it: %v", err)
			}
			got := answers(t, l, string(text), 1)
			if len(got) != 1 || got[0].Error == nil || got[0].Error.Hint == "" || got[0].Error.Kind == kindDied {
				t.Errorf("not refused with a hint: %s", text)
			}
			if after := outside(t, l); !maps.Equal(before, after) {
				t.Errorf("changed: %v", after)
			}
		})
	}
}

// replacing makes a request one to replace data.
func replacing(r *Request, d promotion.Data) {
	t := promotion.Transfer{From: "prod", Items: []promotion.Data{d}}
	r.Job.Plan.Kind, r.Job.Plan.Moves, r.Job.Plan.Data, r.Job.Plan.Steps = promotion.MoveData, nil, &t, t.Steps()
}

// dumping makes it one to read data.
func dumping(r *Request, dump, filter []string) {
	r.Do, r.Job, r.Data = DoDump, nil, &promotion.Data{Name: "x", In: promotion.InHost, Dump: dump, Anonymise: filter}
}

// TestLimitedData: what the host lists is read, with nothing in it that was to be hidden, and replaced.
func TestLimitedData(t *testing.T) {
	l := shop(t)
	from := Here(goodTarget(l), "ada", l)
	d := promotion.Data{Name: "x", In: promotion.InHost, Dump: promotion.ShellLine("echo secret"), Anonymise: promotion.ShellLine("read -r x; echo hidden")}
	begun, ended := make(chan struct{}), make(chan error)
	go func() {
		_, err := from.do(t.Context(), Request{Do: DoDump, Deployment: "x", Data: &d}, func(rollout.Event) { close(begun) })
		ended <- err
	}()
	<-begun
	first, err := from.read(t.Context(), "x", 0)
	if err != nil || string(first.Data) != "hidden\n" || first.End != nil {
		t.Errorf("%+v, %v", first, err)
	}
	last, err := from.read(t.Context(), "x", 1)
	if err != nil || last.End == nil || last.End.Bytes != 7 {
		t.Errorf("%+v, %v", last, err)
	}
	if after, err := from.read(t.Context(), "x", 0); err == nil {
		t.Errorf("it is said twice: %+v", after)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if late, err := from.read(t.Context(), "x", 2); err != nil || !late.Beat {
		t.Errorf("who asked before the end was known: %+v, %v", late, err)
	}
	r := good(l)
	replacing(&r, promotion.Data{Name: "x", In: promotion.InHost, Dump: promotion.ShellLine("echo old"), Load: promotion.ShellLine("cat >new")})
	got := answers(t, l, encode(t, r), 1)
	if len(got) != 1 || got[0].Error == nil || got[0].Error.Kind != kindDied {
		t.Errorf("an honest job does not reach the worker: %s", encode(t, got))
	}
}

// TestLimitedTarget: what the host decides is the host's, also in the plan, and an honest job passes.
func TestLimitedTarget(t *testing.T) {
	l := shop(t)
	r := good(l)
	r.Target.Project += "/./"
	for _, target := range []*promotion.Target{&r.Target, &r.Job.Plan.Target} {
		target.Compose, target.EnvFiles, target.Name, target.Profiles = []string{"../other/compose.yaml"}, []string{"/etc/passwd"}, "other", []string{"x"}
		target.Engine, target.Git = promotion.EngineNone, &promotion.Git{Commit: true, Push: true}
	}
	r.Job.Plan.Target.Project = "/"
	if err := l.Allow.limit(&r); err != nil {
		t.Fatal(err)
	}
	want := goodTarget(l)
	want.Engine = promotion.EngineCompose
	for _, got := range []promotion.Target{r.Target, r.Job.Plan.Target} {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	got := answers(t, l, encode(t, good(l)), 1)
	if len(got) != 1 || got[0].Error == nil || got[0].Error.Kind != kindDied {
		t.Errorf("an honest job does not reach the worker: %s", encode(t, got))
	}
}

// TestLimitedChecks: what only goes to the project's own containers may be asked, and what the host lists
// may be run.
func TestLimitedChecks(t *testing.T) {
	l := shop(t)
	r := good(l)
	r.Target.Services[0].Checks = []promotion.Check{
		{Service: "core", HTTP: &promotion.HTTPCheck{Port: 8080, Path: "/health"}},
		{Service: "core", TCP: 8080},
		{Service: "core", Run: promotion.ShellLine("ready --quiet")},
		{Service: "core", Run: []string{"test", "-e", "/ready"}},
	}
	r.Target.Services[2].Checks = []promotion.Check{{Service: "near", Run: []string{"test", "-e", "/ready"}}}
	got := answers(t, l, encode(t, r), 1)
	if len(got) != 1 || got[0].Error == nil || got[0].Error.Kind != kindDied {
		t.Errorf("an honest job does not reach the worker: %s", encode(t, got))
	}
	r.Target.Services[0].Checks[2].Run, r.Job.Resume = []string{"env"}, "20261121-110000-abc"
	if err := l.Allow.limit(&r); err == nil {
		t.Error("to resume a deployment runs a command that the host does not list")
	}
	r.Do, r.Job = DoState, nil
	if got := answers(t, l, encode(t, r), 1); len(got) != 1 || got[0].Error != nil {
		t.Errorf("looking is refused, which runs nothing: %s", encode(t, got))
	}
}

// TestBusy: more at once than any client asks is refused, each by its number.
func TestBusy(t *testing.T) {
	l := shop(t)
	lock, err := journal.Open(l.Allow.Project).Lock(t.Context(), 0, journal.Holder{ID: "x"})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	var input strings.Builder
	for i := range 1000 {
		input.WriteString(encode(t, Request{Protocol: Protocol, ID: i + 1, Do: DoQuiet, Target: goodTarget(l), Wait: time.Hour}))
	}
	got := answers(t, l, input.String(), 1000-busiest)
	busy := 0
	for _, r := range got {
		if r.Error != nil && r.Error.Text == errBusy.Error() {
			busy++
		}
	}
	if len(got) != 1000 || busy != 1000-busiest {
		t.Errorf("%d answers, %d of them that it is busy", len(got), busy)
	}
}

func encode(t testing.TB, v any) string {
	t.Helper()
	text, err := line(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// FuzzServe: whatever comes in with a limited key, nothing but the journal changes.
func FuzzServe(f *testing.F) {
	l := shop(f)
	honest := encode(f, good(l))
	f.Add("")
	f.Add("Linux x86_64 0123\n" + honest)
	f.Add(strings.Replace(honest, "v1.1.0", "v1.0.1", -1))
	f.Add(strings.Replace(honest, `"runs":["core"]`, `"runs":[]`, 1))
	f.Add(strings.Replace(honest, "20261121-120000-abc", "../../x", -1))
	f.Add(strings.Replace(honest, `"runs":["core"]`, `"runs":["--volume=/:/host"]`, -1))
	f.Add(strings.Replace(honest, `"prod"`, `"x --checkpoint-action=exec=./s"`, -1))
	f.Add(strings.Replace(honest, `"monitor":0`, `"monitor":9223372036854775807`, -1))
	f.Add(encode(f, Request{Protocol: Protocol, Do: DoMark, Target: goodTarget(l), Kind: strings.Repeat("x", 1<<20)}))
	for _, do := range []Verb{DoState, DoCheckup, DoPending, DoHistory, DoHolder, DoQuiet, DoMark, DoDeployment, DoFollow, DoStop, "shell"} {
		f.Add(encode(f, Request{Protocol: Protocol, Do: do, Target: goodTarget(l), Deployment: "x", Kind: "verify", Marks: []promotion.Mark{{Service: "core\x1b", Kind: "x"}}}))
	}
	replace, dump, chunk := good(l), good(l), rollout.Chunk{Data: []byte("x"), End: &rollout.Sum{}}
	replacing(&replace, promotion.Data{Name: "../x", In: promotion.InHost, Dump: promotion.ShellLine("echo old"), Load: promotion.ShellLine("cat >new")})
	dumping(&dump, promotion.ShellLine("echo secret"), promotion.ShellLine("read -r x; echo hidden"))
	f.Add(encode(f, replace) + encode(f, Request{Protocol: Protocol, ID: 2, Do: DoFeed, Target: goodTarget(l), Deployment: replace.Deployment, Chunk: &chunk}))
	f.Add(encode(f, dump) + encode(f, Request{Protocol: Protocol, ID: 2, Do: DoRead, Target: goodTarget(l), Deployment: dump.Deployment, Chunk: &rollout.Chunk{}}))
	f.Add("{\n")
	f.Add(`{"protocol":1,"do":"state","target":{"project":"/","services":[{}]}}`)
	f.Add(strings.Repeat("[", 20000) + "\n")
	f.Fuzz(func(t *testing.T, input string) {
		own := shop(t)
		input = strings.ReplaceAll(input, l.Allow.Project, own.Allow.Project) // that of the seeds
		before := outside(t, own)
		_ = own.Serve(t.Context(), "v0.0.0", strings.NewReader(input), io.Discard) // an error is an answer
		if after := outside(t, own); !maps.Equal(before, after) {
			t.Errorf("changed: %v", after)
		}
	})
}

// TestUnknownField: what a newer end means by it could be anything, so it is refused, with a hint, and by
// the number of its request.
func TestUnknownField(t *testing.T) {
	l := shop(t)
	text := strings.Replace(encode(t, good(l)), `{"protocol"`, `{"quietly":true,"protocol"`, 1)
	got := answers(t, l, text, 1)
	if len(got) != 1 || got[0].ID != 1 || got[0].Error == nil || !strings.Contains(got[0].Error.Text, "quietly") || got[0].Error.Hint == "" {
		t.Errorf("got %s", encode(t, got))
	}
}

// TestAllowFile: where the files are and how the project is called is what the host says, whatever else is said.
func TestAllowFile(t *testing.T) {
	l := shop(t)
	text := "compose: [base.yaml, prod.yaml]\nenv_file: [prod.env]\nname: shop-prod\nprofiles: [web]\n"
	if err := os.WriteFile(filepath.Join(l.Allow.Project, journal.Folder, AllowFile), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	allowed, err := Allow(l.Allow.Project)
	if err != nil {
		t.Fatal(err)
	}
	r := good(l)
	r.Target.Compose, r.Target.Name = []string{"evil.yaml"}, "evil"
	if err := allowed.limit(&r); err != nil {
		t.Fatal(err)
	}
	for _, got := range []promotion.Target{r.Target, r.Job.Plan.Target} {
		if fmt.Sprintf("%v %v %v %v", got.Compose, got.EnvFiles, got.Name, got.Profiles) != "[base.yaml prod.yaml] [prod.env] shop-prod [web]" {
			t.Errorf("got %v", got)
		}
	}
}

// TestGrammar: every text and every duration that can come over the wire has a rule, so that a new one is thought of.
func TestGrammar(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(of reflect.Type, field string)
	walk = func(of reflect.Type, field string) {
		if readsItself(of) {
			if !of.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
				t.Errorf("%s: how long a %s is can't be told", field, of)
			}
			return
		}
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice:
			walk(of.Elem(), field)
		case reflect.Map:
			walk(of.Key(), field+"{}")
			walk(of.Elem(), field)
		case reflect.String:
			if textRules[field] == nil {
				t.Errorf("%s has no rule", field)
			}
		case reflect.Interface, reflect.Array:
			t.Errorf("%s: nothing looks into %s", field, of)
		case reflect.Struct:
			for i := 0; !seen[of] && i < of.NumField(); i++ {
				if f := of.Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
					walk(f.Type, of.String()+"."+f.Name)
				}
			}
			seen[of] = true
		}
	}
	walk(reflect.TypeFor[Request](), "")
}

// TestForeignWords: what would be an option, a path or a sentence without end is refused, whoever sends it.
func TestForeignWords(t *testing.T) {
	for name, bend := range map[string]func(*Request){
		"an option in place of a service": func(r *Request) { r.Target.Services[0].Runs = []string{"--volume=/:/host"} },
		"an option as environment":        func(r *Request) { r.Target.Environment = "x --checkpoint=1 --checkpoint-action=exec=./s" },
		"a path as environment":           func(r *Request) { r.Target.Environment = "../etc" },
		"a service of words":              func(r *Request) { r.Target.Services[0].Name = "$(id)" },
		"a task like an option":           func(r *Request) { r.Target.Services[0].Tasks = []promotion.Task{{Name: "-x"}} },
		"a place like an option":          func(r *Request) { r.Target.Services[0].Tasks = []promotion.Task{{Name: "x", In: "service:-x"}} },
		"a proxy like an option":          func(r *Request) { r.Target.Services[0].Front = &promotion.Front{Service: "--all"} },
		"a tag of words":                  func(r *Request) { r.Job.Plan.Moves[0].From.Tag = "$(id)\n;x ../../y" },
		"an image like an option":         func(r *Request) { r.Job.Plan.Moves[0].Image = "-v=/:/host" },
		"years of monitoring":             func(r *Request) { r.Target.Rollout.Monitor = 1<<63 - 1 },
		"a wait into the past":            func(r *Request) { r.Wait = -1 },
		"a mark without end":              func(r *Request) { r.Kind = strings.Repeat("x", 3<<20) },
		"a reason without end":            func(r *Request) { r.Marks = []promotion.Mark{{Reason: strings.Repeat("x", 5<<10)}} },
		"marks without end":               func(r *Request) { r.Marks = make([]promotion.Mark, mostMarks+1) },
		"a NUL":                           func(r *Request) { r.Target.Project += "\x00" },
		"no environment":                  func(r *Request) { r.Target.Environment = "" },
		"a service without a name":        func(r *Request) { r.Target.Services[0].Name = "" },
		"nothing that runs":               func(r *Request) { r.Target.Services[0].Runs = []string{""} },
		"a reason for each of many marks": func(r *Request) { r.Marks, r.Reason = make([]promotion.Mark, 1000), strings.Repeat("x", 4<<10) },
		"a plan of marks":                 func(r *Request) { r.Job.Plan.Marks = manyMarks(1000, 1<<10) },
	} {
		t.Run(name, func(t *testing.T) {
			l := shop(t)
			l.Allow = nil
			r := good(&Local{Allow: &Allowance{Project: t.TempDir()}})
			bend(&r)
			got := answers(t, l, encode(t, r), 1)
			if len(got) != 1 || got[0].Error == nil || got[0].Error.Hint == "" || got[0].Error.Kind == kindDied {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func manyMarks(count, size int) []promotion.Mark {
	return slices.Repeat([]promotion.Mark{{Service: "core", Reason: strings.Repeat("x", size)}}, count)
}

// permitted sends a request over a limited key, and returns why it is refused, if it is: one that is not starts the
// worker, which dies of it here.
func permitted(t *testing.T, l *Local, r Request) string {
	t.Helper()
	got := answers(t, l, encode(t, r), 1)
	if len(got) != 1 || got[0].Error == nil {
		t.Fatalf("got %+v", got)
	}
	if got[0].Error.Kind == kindDied {
		return ""
	}
	return got[0].Error.Text
}

// TestLimitedEnvironment: a key can't get round a lock, or what waits to be resumed, by another environment's name.
func TestLimitedEnvironment(t *testing.T) {
	now := time.Now()
	mark := func(environment, kind string) func(*testing.T, *Local) {
		return func(t *testing.T, l *Local) {
			e := journal.Entry{Schema: 1, Event: journal.Marked, Kind: kind, At: now, By: "eve", Marks: []journal.Mark{{Kind: kind, By: "eve", At: now}}}
			check(t, journal.Open(l.Allow.Project).Of(environment).Append(e))
		}
	}
	begun := func(environment string) func(*testing.T, *Local) {
		return func(t *testing.T, l *Local) {
			e := journal.Entry{Schema: 1, Event: journal.Begun, ID: "20261121-110000-abc", At: now, By: "eve"}
			check(t, journal.Open(l.Allow.Project).Of(environment).Append(e))
		}
	}
	settings := func(text string) func(*testing.T, *Local) {
		return func(t *testing.T, l *Local) {
			check(t, os.WriteFile(filepath.Join(l.Allow.Project, ".promote/allow.yaml"), []byte(text), 0o644))
		}
	}
	for name, test := range map[string]struct {
		prepare func(*testing.T, *Local)
		want    string
	}{
		"the first one":           {func(*testing.T, *Local) {}, ""},
		"its own":                 {mark("prod", "unlocked"), ""},
		"a ghost":                 {mark("live", "unlocked"), `"prod" is no environment of this project`},
		"locked":                  {mark("prod", "locked"), "prod is locked by eve"},
		"interrupted":             {begun("prod"), "20261121-110000-abc waits to be resumed"},
		"named by the host":       {settings("environment: prod\n"), ""},
		"one of those":            {settings("environment: [live, prod]\n"), ""},
		"none of those":           {settings("environment: [live]\n"), `"prod" is no environment of this project`},
		"forbidden meanwhile":     {settings("accept: <1.1.0\n"), "v1.1.0 is not in <1.1.0"},
		"a second document":       {settings("compose: [compose.yaml]\n---\naccept: <1.1.0\n"), "more than one document"},
		"a key without its value": {settings("accept:\n"), "accept has no value"},
		"an empty range":          {settings("accept: ''\n"), "accept has no value"},
		"no environments":         {settings("environment: []\n"), "environment has no value"},
	} {
		t.Run(name, func(t *testing.T) {
			l := shop(t)
			test.prepare(t, l)
			if got := permitted(t, l, good(l)); test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("refused: %q, want %q", got, test.want)
			}
		})
	}
}

// TestLimitedPerson: who uses a key is what the host says, in the history, the lock and every mark.
func TestLimitedPerson(t *testing.T) {
	l := shop(t)
	l.Allow.As = "ci"
	r := Request{Protocol: Protocol, ID: 1, Do: DoMark, Target: goodTarget(l), Kind: "verify", By: "somebody else"}
	if got := answers(t, l, encode(t, r), 1); len(got) != 1 || got[0].Error != nil {
		t.Fatalf("got %+v", got)
	}
	entries, err := journal.Open(l.Allow.Project).Entries()
	if check(t, err); entries[0].By != "ci" {
		t.Errorf("the history says %q", entries[0].By)
	}
	r = good(l)
	r.By, r.Job.Plan.By = "somebody else", "somebody else"
	r.Job.Plan.Marks = []promotion.Mark{{Service: "core", Kind: promotion.Held, By: "somebody else"}}
	check(t, l.Allow.limit(&r))
	if plan := r.Job.Plan; r.By != "ci" || plan.By != "ci" || plan.Marks[0].By != "ci" {
		t.Errorf("request by %q, plan by %q, mark by %q", r.By, plan.By, plan.Marks[0].By)
	}
}

// TestLimitedAfterWaiting: what happens while a key waits for the lock counts as much as what happened before.
func TestLimitedAfterWaiting(t *testing.T) {
	for want, e := range map[string]journal.Entry{
		"prod is locked by eve":                   {Event: journal.Marked, Kind: "locked", Marks: []journal.Mark{{Kind: "locked", By: "eve", At: time.Now()}}},
		"20261121-110000-abc waits to be resumed": {Event: journal.Begun, ID: "20261121-110000-abc", Kind: "deploy"},
	} {
		t.Run(want, func(t *testing.T) {
			l := shop(t)
			j := journal.Open(l.Allow.Project)
			check(t, j.Of("prod").Append(journal.Entry{Schema: 1, Event: journal.Marked, Kind: "verify", At: time.Now()}))
			lock, err := j.Lock(t.Context(), 0, journal.Holder{ID: "20261121-110000-abc", Kind: "deploy", By: "eve"})
			check(t, err)
			r := good(l)
			r.Wait = time.Minute
			looked := make(chan struct{})
			l.Worker = []string{"/bin/true"}
			open := l.Open
			l.Open = func(ctx context.Context, target promotion.Target) (*rollout.Machine, error) {
				m, err := open(ctx, target)
				now := m.Now
				m.Now = func() time.Time { // first when the state is looked at, then for the lock, which is waited for from then on
					select {
					case looked <- struct{}{}:
					case <-t.Context().Done():
					}
					return now()
				}
				return m, err
			}
			go func() {
				<-looked
				<-looked
				e.Schema, e.At = 1, time.Now()
				check(t, errors.Join(j.Of("prod").Append(e), lock.Release()))
				for range looked {
				}
			}()
			if got := permitted(t, l, r); !strings.Contains(got, want) {
				t.Errorf("refused: %q, want %q", got, want)
			}
		})
	}
}

// TestLimitedReturns: a client that lost its connection goes on following what it began, though it could not begin it
// any more.
func TestLimitedReturns(t *testing.T) {
	l := shop(t)
	r, j := good(l), journal.Open(l.Allow.Project)
	locked := []journal.Mark{{Kind: "locked", By: "eve", At: time.Now()}}
	check(t, j.Of("prod").Append(journal.Entry{Schema: 1, Event: journal.Marked, Kind: "locked", At: time.Now(), Marks: locked}))
	record := j.Deployment(r.Deployment)
	check(t, record.Make())
	check(t, os.WriteFile(record.Path("events.jsonl"), []byte(`{"seq":1,"status":"finished","result":{"outcome":"done"}}`+"\n"), 0o644))
	got := answers(t, l, encode(t, r), 1)
	if last := got[len(got)-1]; last.Error != nil || last.Answer.Result == nil || last.Answer.Result.Outcome != rollout.OutcomeDone {
		t.Errorf("got %s", encode(t, got))
	}
}

// TestLimitedTemplate: which version a tag is, is not bent by a digit that the client's template takes away from it.
func TestLimitedTemplate(t *testing.T) {
	for text, want := range map[string]string{"v{version}": "v11.0.0 is not in", "v1{version}": "no way to write versions"} {
		l := shop(t)
		r := good(l)
		template, err := semver.ParseTemplate(text)
		check(t, err)
		r.Target.Services[0].Tag = template
		r.Job.Plan.Moves[0].To.Tag, r.Job.Plan.Moves[0].Rolls[0].Changes[0].To.Tag = "v11.0.0", "v11.0.0"
		if got := permitted(t, l, r); !strings.Contains(got, want) {
			t.Errorf("%s: refused: %q, want %q", text, got, want)
		}
	}
}

// TestSettledFacts: the environment of the host's own commands has what is so there.
func TestSettledFacts(t *testing.T) {
	tag, err := semver.ParseTemplate("v{version}")
	check(t, err)
	target := promotion.Target{Services: []promotion.Service{{Name: "core", Tag: tag}}}
	part := promotion.Part{Compose: compose.Service{Name: "core", Repository: "shop/core", Pin: compose.Pin{Tag: "v1.0.0"}}}
	state := promotion.State{Services: []promotion.ServiceState{{Service: "core", Image: "shop/core", Parts: []promotion.Part{part}}}}
	lie, err := semver.Parse("9.9.9")
	check(t, err)
	m := promotion.Move{Service: "core", From: registry.Release{Tag: "lie", Version: lie}, To: registry.Release{Tag: "v1.1.0", Version: lie}}
	settleFacts(state, target, &m)
	if promotion.Label(m.From) != "v1.0.0" || promotion.Label(m.To) != "v1.1.0" {
		t.Errorf("from %s to %s", promotion.Label(m.From), promotion.Label(m.To))
	}
}

// TestSharedNetwork: the host's own network is not reached by a service that only shares one.
func TestSharedNetwork(t *testing.T) {
	part := func(name, mode string) promotion.Part {
		return promotion.Part{Compose: compose.Service{Name: name, NetworkMode: mode}}
	}
	state := promotion.State{Services: []promotion.ServiceState{{Parts: []promotion.Part{
		part("own", ""), part("beside", "service:own"), part("near", "host"), part("behind", "service:near"), part("far", "service:behind"),
		part("named", "container:x"), part("lost", "service:nobody"), part("a", "service:b"), part("b", "service:a"),
	}}}}
	for name, want := range map[string]bool{
		"own": true, "beside": true, "near": false, "behind": false, "far": false, "named": false, "lost": false, "a": false, "nobody": false,
	} {
		if got := hasOwnNetwork(state, name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
