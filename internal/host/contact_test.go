package host

import (
	"bufio"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// contact makes first contact with a host that is a folder of this machine, by a login shell that first says or does
// something, and returns what stands in the way, if anything does.
func contact(t *testing.T, home, login string) error {
	t.Helper()
	program := filepath.Join(home, "here")
	const speaks = "#!/bin/sh\n[ \"$1\" = --version ] || printf '\\n{\"promote\":\"v1\",\"protocol\":1}\\n'; cat >/dev/null\n"
	check(t, os.WriteFile(program, []byte(speaks), 0o755))
	shell := login + "\nfor last; do :; done; eval \"$last\"" // which is what ssh is to run
	s := &SSH{Command: []string{"/bin/sh", "-c", shell, "ssh"}, Environ: []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}, Program: &Program{Path: program}, Batch: true}
	r := &Remote{Host: &url.URL{Scheme: "ssh", Host: "far"}, SSH: s}
	l, err := r.connect()
	check(t, err)
	_, err = l.send(t.Context(), Request{Do: DoState})
	check(t, err)
	select {
	case <-l.ready:
		r.Close()
		return nil
	case <-l.gone:
		return l.err
	}
}

// brought are the programs on a host.
func brought(t *testing.T, home string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(home, ".promote/bin/*/promote"))
	check(t, err)
	return list
}

// TestFirstContact: whatever a login shell says, and whatever a power cut left, promote gets there, for its user alone.
func TestFirstContact(t *testing.T) {
	home := t.TempDir()
	for name, login := range map[string]string{
		"silent": "", "lines": "echo welcome; echo", "a line like ours": "echo promote-prod.example.org", "no line end": `printf '\033]0;host\007'`, "a umask for the group": "umask 002",
	} {
		if err := contact(t, home, login); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	programs := brought(t, home)
	if len(programs) != 1 {
		t.Fatalf("there are %v", programs)
	}
	for path := programs[0]; path != home; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		check(t, err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
	}
	for _, left := range []int64{0, 10} {
		check(t, os.Truncate(programs[0], left))
		if err := contact(t, home, ""); err != nil {
			t.Errorf("with %d bytes of the program left: %v", left, err)
		}
	}
	if strays, _ := filepath.Glob(filepath.Join(home, ".promote/bin/*/.promote-*")); len(strays) > 0 {
		t.Errorf("left over: %v", strays)
	}
}

// TestSilentHost: a login shell that never comes to run promote is not waited for, and is quoted.
func TestSilentHost(t *testing.T) {
	defer func(long time.Duration) { greeting = long }(greeting)
	greeting = 300 * time.Millisecond
	err := contact(t, t.TempDir(), "printf 'password: '; exec sleep 60")
	if err == nil || !strings.Contains(err.Error(), `promote was not started there within 300ms; the login shell said "password:"`) {
		t.Errorf("got %v", err)
	}
}

// TestEndlessLine: a host can't fill the memory of a client.
func TestEndlessLine(t *testing.T) {
	in := bufio.NewReader(strings.NewReader(strings.Repeat("x", 3*noisiest)))
	if text, err := firstWord(in); err != errNoise || len(text) > 2*noisiest {
		t.Errorf("took %d bytes, %v", len(text), err)
	}
}

// TestConfiguredRemoteCommand: what ssh is to run there for a person does not keep it from running promote.
func TestConfiguredRemoteCommand(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config")
	check(t, os.WriteFile(config, []byte("Host far\n RemoteCommand tmux attach\n RequestTTY force\n ProxyCommand false\n"), 0o600))
	s := &SSH{Command: []string{"ssh", "-F", config}, Environ: os.Environ(), Batch: true}
	p, err := s.start(&url.URL{Scheme: "ssh", Host: "far"})
	if err != nil {
		t.Fatal(err)
	}
	p.wait() // as soon as the proxy has ended
	if said := strings.Join(p.stderr.lines(), " "); !strings.Contains(said, "closed") || strings.Contains(said, "remote command") {
		t.Errorf("ssh says %q", said)
	}
}

// TestAddressByHand: the command of a hint can be pasted, for IPv6 too.
func TestAddressByHand(t *testing.T) {
	for address, want := range map[string]string{
		"ssh://deploy@[2001:db8::17]:2222": "-p 2222 deploy@2001:db8::17", "ssh://[2001:db8::17]": "2001:db8::17",
		"ssh://deploy@prod.example.org": "deploy@prod.example.org", "ssh://prod:22": "-p 22 prod",
	} {
		host, err := url.Parse(address)
		check(t, err)
		if got := handAddress(host); got != want {
			t.Errorf("%s is typed %q", address, got)
		}
	}
}
