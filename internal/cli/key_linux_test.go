package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"promote/compose"
	"promote/internal/bed"
	"promote/internal/host"
	"promote/internal/promotion"
	"promote/registry"
)

// newLimited is an environment whose client has nothing but a key that can only deploy.
func newLimited(t *testing.T) *far {
	f := newFar(t, bed.HostRegistry(t), "/srv/shop", "")
	dir, err := built()
	f.check(err)
	program, err := os.ReadFile(filepath.Join(dir, "promote"))
	f.check(err)
	f.check(os.WriteFile(f.host.Path("/usr/local/bin/promote"), program, 0o755))
	key := filepath.Join(f.dir, "key")
	f.check(exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).Run())
	public, err := os.ReadFile(key + ".pub")
	f.check(err)
	keys, err := os.OpenFile(f.host.Path("/home/deploy/.ssh/authorized_keys"), os.O_TRUNC|os.O_WRONLY, 0)
	f.check(err)
	_, err = fmt.Fprintf(keys, "restrict,command=\"/usr/local/bin/promote host --project /srv/shop\" %s", public)
	f.check(err)
	f.check(keys.Close())
	f.env = append(f.env, "PROMOTE_SSH=ssh -i "+key)
	f.put(".promote/allow.yaml", "accept: <2.0.0\n")
	f.put("../shop/other.yaml", "services:\n  core:\n    image: other:v1.0.0\n")
	f.host.Run(t, `cp -a /srv/shop /srv/other; ln -s /srv/other /srv/link; ln -s /srv/other /srv/shop/inner`)
	return f
}

// TestLimitedKey: promote works as ever with a key that can only deploy, and nothing else does.
func TestLimitedKey(t *testing.T) {
	t.Parallel()
	f := newLimited(t)
	for _, version := range []string{"v1.0.0", "v1.1.0", "v2.0.0"} {
		f.release(version, nil)
	}
	f.run(exitDone, "not running", "status")
	f.run(exitDone, "✓ compose", "doctor")
	f.run(exitDone, "core is on v1.0.0", "deploy", "prod", "core@v1.0.0", "--accept-drift")
	f.run(exitDone, "core is on v1.1.0", "deploy", "prod", "core@v1.1.0")
	f.run(exitDone, "core is on v1.0.0", "rollback", "prod", "--reason", "login 500")
	f.run(exitDone, "core is on v1.1.0", "pin", "prod", "v1.1.0", "--again")
	f.run(exitDone, "login 500", "history", "prod")
	f.run(exitDone, "done after", "show", "prod")
	f.run(exitDone, "v1.1.0, 8.3 MB: current in prod", "gc", "prod", "--long")
	before := f.tree()
	f.run(exitFailed, "this key may not do that: v2.0.0 is not in <2.0.0\nhint: whoever looks after the host", "deploy", "prod", "core@v2.0.0")
	f.noShell()
	f.attack()
	if after := f.tree(); after != before {
		t.Errorf("changed on the host:\n%s", changed(before, after))
	}
	if _, err := f.host.Try("ls -d /home/deploy/.promote"); err == nil {
		t.Error("a program was brought to the host")
	}
	f.run(exitDone, "core is on v1.0.0", "rollback", "prod") // and it still works
}

// changed are the lines that only one of two texts has.
func changed(a, b string) string {
	var out strings.Builder
	for line := range strings.Lines(a) {
		if !strings.Contains(b, line) {
			out.WriteString("- " + line)
		}
	}
	for line := range strings.Lines(b) {
		if !strings.Contains(a, line) {
			out.WriteString("+ " + line)
		}
	}
	return out.String()
}

// ssh is the attacker's own, with all that ssh can be asked for.
func (f *far) ssh(options ...string) *exec.Cmd {
	args := append([]string{"-i", filepath.Join(f.dir, "key"), "-o", "BatchMode=yes"}, options...)
	return f.command("ssh", args...)
}

// noShell asks for everything but promote: whatever it is, promote answers, and nothing but promote.
func (f *far) noShell() {
	at := "deploy@" + f.host.Addr()
	for _, options := range [][]string{
		{at}, {at, "id"}, {at, "touch /srv/pwned"}, {at, "/bin/sh -c 'touch /srv/pwned'"}, {"-s", at, "sftp"}, {at, "promote host serve"},
		{at, "scp -t /srv/shop/.promote/allow.yaml"}, {at, "exec sh\n"}, {"-A", "-X", at, "sh"}, {at, "--", "$(touch /srv/pwned)"},
		{"-o", "SetEnv=BASH_ENV=/srv/shop/x DOCKER_HOST=tcp://10.77.0.1:1 COMPOSE_FILE=/srv/other/compose.yaml", at, "env"},
	} {
		cmd := f.ssh(options...)
		cmd.Stdin = strings.NewReader("touch /srv/pwned\nid\nexit\n\x04")
		out, _ := cmd.Output() // how it ends is ssh's business
		if !strings.HasPrefix(string(out), "\n"+`{"promote":`) || strings.Count(string(out), "\n") != 2 {
			f.t.Errorf("ssh %q says %q", options, out)
		}
	}
	terminal := f.ssh("-tt", at, "sh")
	terminal.Stdin = strings.NewReader("id\n")
	if out, _ := terminal.CombinedOutput(); !strings.Contains(string(out), "PTY allocation request failed") || strings.Contains(string(out), "uid=") {
		f.t.Errorf("a terminal: %s", out)
	}
	for _, options := range [][]string{{"-W", "127.0.0.1:22", at}, {"-N", "-o", "ExitOnForwardFailure=yes", "-R", "10.77.0.1:0:127.0.0.1:22", at}} {
		if out, err := f.ssh(options...).CombinedOutput(); err == nil || !strings.Contains(string(out), "administratively prohibited") && !strings.Contains(string(out), "forwarding failed") {
			f.t.Errorf("ssh %q: %v: %s", options, err, out)
		}
	}
}

// said is what the host side says.
type said struct {
	Promote  string       `json:"promote"`
	Protocol int          `json:"protocol"`
	ID       int          `json:"id"`
	Answer   *host.Answer `json:"answer"`
	Error    *struct{ Text, Hint string }
}

// attacker speaks the protocol by hand.
type attacker struct {
	*far
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines *bufio.Scanner
	words strings.Builder // of ssh, and of a panic
}

func (f *far) attacker() *attacker {
	a := &attacker{far: f, cmd: f.ssh("deploy@"+f.host.Addr(), "x")}
	var err error
	a.in, err = a.cmd.StdinPipe()
	f.check(err)
	out, err := a.cmd.StdoutPipe()
	f.check(err)
	a.cmd.Stderr = &a.words
	f.check(a.cmd.Start())
	a.lines = bufio.NewScanner(out)
	a.lines.Buffer(nil, 64<<20)
	a.lines.Scan() // ends what a login shell may have said
	if hello := a.read(); hello.Protocol != host.Protocol {
		f.t.Fatalf("the host greets with %+v: %s", hello, &a.words)
	}
	return a
}

// read is the next thing that the host says, or nothing when it has ended.
func (a *attacker) read() (s said) {
	a.t.Helper()
	if a.lines.Scan() {
		if err := json.Unmarshal(a.lines.Bytes(), &s); err != nil {
			a.t.Fatalf("%q: %v", a.lines.Text(), err)
		}
	}
	return s
}

func (a *attacker) send(text string) {
	_, _ = io.WriteString(a.in, text) // it may have hung up already, and is read next
}

// ask sends a request and reads the end of it; events are passed over.
func (a *attacker) ask(r host.Request) said {
	a.t.Helper()
	text, err := json.Marshal(r)
	a.check(err)
	a.send(string(text) + "\n")
	for {
		if s := a.read(); s.Answer != nil || s.Error != nil || s.ID == 0 {
			return s
		}
	}
}

// end hangs up, and wants the far end to end with it, and without a panic.
func (a *attacker) end() {
	a.t.Helper()
	_ = a.in.Close() // the far end may have gone first
	for a.lines.Scan() {
		continue
	}
	_ = a.cmd.Wait()
	if strings.Contains(a.words.String(), "goroutine") {
		a.t.Error(a.words.String())
	}
}

func target(project string) promotion.Target {
	return promotion.Target{Environment: "prod", Project: project, Services: []promotion.Service{{Name: "core", Image: "x", Runs: []string{"core"}}}}
}

// attack asks for what the key may not do.
func (f *far) attack() {
	f.attackElsewhere()
	f.attackJob()
	f.attackWire()
}

// attackElsewhere asks for other projects, and for what the host decides in its own.
func (f *far) attackElsewhere() {
	a := f.attacker()
	defer a.end()
	for _, project := range []string{"/srv/other", "/", "", ".", "/srv/shop/../other", "../other", "/srv/link", "/srv/shop/inner", "/srv/shop/inner/", "/srv/shop\x00", "/srv/sho", "/srv/shop2", "/SRV/SHOP"} {
		for _, do := range []host.Verb{host.DoState, host.DoMark, host.DoQuiet, host.DoApply, host.DoCollect} {
			if got := a.ask(host.Request{Protocol: host.Protocol, Do: do, Target: target(project)}); got.Error == nil || got.Error.Hint == "" {
				f.t.Errorf("%s in %q: %+v", do, project, got)
			}
		}
	}
	want := a.ask(host.Request{Protocol: host.Protocol, Do: host.DoState, Target: target("/srv/shop")})
	if want.Answer == nil || want.Answer.State.Services[0].Parts[0].Compose.Pin.Tag != "v1.1.0" {
		f.t.Fatalf("the state is %+v", want)
	}
	for name, bend := range map[string]func(*promotion.Target){
		"slashes":       func(t *promotion.Target) { t.Project = "//srv/./shop//" },
		"compose files": func(t *promotion.Target) { t.Compose = []string{"other.yaml", "/srv/other/docker-compose.yml"} },
		"env files":     func(t *promotion.Target) { t.EnvFiles = []string{"/etc/shadow"} },
		"name":          func(t *promotion.Target) { t.Name = "other" },
		"profiles":      func(t *promotion.Target) { t.Profiles = []string{"x"} },
		"engine": func(t *promotion.Target) {
			t.Engine, t.Git = promotion.EngineNone, &promotion.Git{Commit: true, Push: true}
		},
	} {
		bent := target("/srv/shop")
		bend(&bent)
		got := a.ask(host.Request{Protocol: host.Protocol, Do: host.DoState, Target: bent})
		if got.Answer == nil || got.Answer.State.Basis() != want.Answer.State.Basis() || got.Answer.State.Project != "shop" {
			f.t.Errorf("%s: %+v", name, got)
		}
	}
	for _, id := range []string{"../../x", "../../../other/.promote/deployments/x", "", ".", "/", "x/../y", "-x", "x\x00"} {
		for _, do := range []host.Verb{host.DoDeployment, host.DoFollow, host.DoStop, host.DoCollect} {
			if got := a.ask(host.Request{Protocol: host.Protocol, Do: do, Target: target("/srv/shop"), Deployment: id}); got.Error == nil || got.Error.Hint == "" {
				f.t.Errorf("%s of %q: %+v", do, id, got)
			}
		}
	}
	if got := a.ask(host.Request{Protocol: host.Protocol, Do: host.DoCollect, Target: target("/srv/shop"), Deployment: "x", Trial: true}); got.Answer == nil ||
		len(got.Answer.Collection.Removed)+len(got.Answer.Collection.Kept) > 0 {
		f.t.Errorf("images of a repository that the compose files do not name: %+v", got)
	}
	for _, mark := range []promotion.Mark{{Service: "core\x1b[2J\n", Kind: "verified"}, {Service: "core", Kind: "\x1b]0;x\a"}} {
		got := a.ask(host.Request{Protocol: host.Protocol, Do: host.DoMark, Target: target("/srv/shop"), Kind: "verify", Marks: []promotion.Mark{mark}})
		if got.Error == nil || got.Error.Hint == "" {
			f.t.Errorf("a mark: %+v", got)
		}
	}
	mark := promotion.Mark{Service: "core", Kind: "x", Reason: hostile}
	if got := a.ask(host.Request{Protocol: host.Protocol, Do: host.DoMark, Target: target("/srv/shop"), Kind: "x", By: hostile, Marks: []promotion.Mark{mark}}); got.Error != nil {
		f.t.Errorf("a mark: %+v", got.Error)
	}
	harmless(f.t, f.run(exitDone, "", "history", "prod")+f.run(exitDone, "", "status"))
}

// attackJob sends deployments of what is there in truth, each with one thing that no client would say.
func (f *far) attackJob() {
	a := f.attacker()
	defer a.end()
	state := a.ask(host.Request{Protocol: host.Protocol, Do: host.DoState, Target: target("/srv/shop")}).Answer.State
	image := f.registry.Addr() + "/aegee/core"
	to := registry.Release{Repository: image, Tag: "v1.0.0", Digest: state.Services[0].Digest()}
	for name, bend := range map[string]func(*host.Job){
		"repository": func(j *host.Job) { j.Plan.Moves[0].Image = f.registry.Addr() + "/aegee/other" },
		"registry":   func(j *host.Job) { j.Plan.Moves[0].Image = "10.77.0.1:1/aegee/core" },
		"digest":     func(j *host.Job) { j.Plan.Moves[0].To.Digest = "sha256:../../containers/x" },
		"file":       func(j *host.Job) { j.Plan.Moves[0].Rolls[0].Changes[0].To.Tag = "v2.0.0" },
		"range": func(j *host.Job) {
			j.Plan.Moves[0].To.Tag, j.Plan.Moves[0].Rolls[0].Changes[0].To.Tag = "v2.0.0", "v2.0.0"
		},
		"option": func(j *host.Job) {
			j.Plan.Steps = append(j.Plan.Steps, promotion.Step{Kind: promotion.RollStep, Service: "--pull=always"})
		},
		"order":        func(j *host.Job) { j.Plan.Steps[0], j.Plan.Steps[1] = j.Plan.Steps[1], j.Plan.Steps[0] },
		"no preflight": func(j *host.Job) { j.Plan.Steps = j.Plan.Steps[1:] },
		"no change":    func(j *host.Job) { j.Plan.Moves[0].Rolls[0].Changes = nil },
		"resume":       func(j *host.Job) { j.Resume = "../../../other" },
		"finished":     func(j *host.Job) { j.Resume = f.finished(a) },
	} {
		change := compose.Change{Service: "core", From: compose.Pin{Tag: "v1.1.0"}, To: compose.Pin{Tag: to.Tag}}
		plan := promotion.Plan{ID: "20261121-120000-abc", Kind: promotion.Deploy, Basis: state.Basis(), Target: target("/srv/shop"), Moves: []promotion.Move{
			{Service: "core", Image: image, To: to, Rolls: []promotion.Roll{{Service: "core", Changes: []compose.Change{change}, Replicas: 1}}},
		}}
		plan.Steps = promotion.Steps(plan.Target, plan.Moves)
		job := host.Job{Plan: plan}
		bend(&job)
		got := a.ask(host.Request{Protocol: host.Protocol, Do: host.DoApply, Target: plan.Target, Deployment: plan.ID, Job: &job})
		if got.Error == nil || got.Error.Hint == "" {
			f.t.Errorf("%s: %+v %+v", name, got, got.Answer)
		}
	}
}

// finished is a deployment that ended well.
func (f *far) finished(a *attacker) string {
	entries := a.ask(host.Request{Protocol: host.Protocol, Do: host.DoHistory, Target: target("/srv/shop")}).Answer.Entries
	for _, e := range entries {
		if e.Event == "ended" && e.ID != "" {
			return e.ID
		}
	}
	f.t.Fatalf("nothing ended in %+v", entries)
	return ""
}

// attackWire sends what is no request.
func (f *far) attackWire() {
	for name, text := range map[string]string{
		"a huge line": `{"do":"` + strings.Repeat("x", 8<<20), "nested": "{\"a\":" + strings.Repeat("[", 1<<20) + "\n",
		"broken": "{\"protocol\":1,\n", "no JSON": "\x00\xff\n\nexit\nGET / HTTP/1.0\n\n", "cut": `{"protocol":1,"do":"state"`,
		"a number": "{\"protocol\":1e999}\n", "a type": "{\"protocol\":1,\"job\":[]}\n",
	} {
		a := f.attacker()
		a.send(text)
		_ = a.in.Close() // before the answer: for some there is none
		if got := a.read(); got.Answer != nil {
			f.t.Errorf("%s: %+v", name, got)
		}
		a.end()
	}
	a := f.attacker()
	for _, r := range []host.Request{{Protocol: 0, Do: host.DoState}, {Protocol: 99, Do: host.DoState}, {Protocol: -1, Do: host.DoApply}, {Protocol: host.Protocol, Do: "shell"}, {Protocol: host.Protocol}} {
		r.Target = target("/srv/shop")
		if got := a.ask(r); got.Error == nil || got.Error.Hint == "" {
			f.t.Errorf("%+v: %+v", r, got)
		}
	}
	var flood strings.Builder
	for i := range 500 {
		fmt.Fprintf(&flood, `{"protocol":%d,"id":%d,"do":"state","target":{"environment":"prod","project":"/srv/shop"}}`+"\n", host.Protocol, i+1)
	}
	go a.send(flood.String())
	for i := range 500 {
		if got := a.read(); got.Answer == nil && got.Error == nil {
			f.t.Fatalf("of a flood, %d are answered: %s", i, &a.words)
		}
	}
	a.end()
	f.gone()
}

const testPatience = 30 * time.Second

// gone kills a client in the middle of a request, and waits until its server has ended, too.
func (f *far) gone() {
	a := f.attacker()
	a.send(fmt.Sprintf(`{"protocol":%d,"do":"follow","target":{"environment":"prod","project":"/srv/shop"},"deployment":"x"}`+"\n", host.Protocol))
	f.check(a.cmd.Process.Kill())
	a.end()
	ctx, cancel := context.WithTimeout(f.t.Context(), testPatience)
	defer cancel()
	waited := make(chan error, 1)
	go func() {
		_, err := f.host.Try(`for p in $(pgrep -x promote); do tail -s 0.05 --pid=$p -f /dev/null; done`)
		waited <- err
	}()
	select {
	case err := <-waited:
		f.check(err)
	case <-ctx.Done():
		f.t.Error("a server outlives its connection")
	}
}
