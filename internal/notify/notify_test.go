package notify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWants(t *testing.T) {
	r := Receiver{Events: []Event{Succeeded, Failed}, Environments: []string{"prod"}}
	for _, test := range []struct {
		environment string
		events      []Event
		want        Event
	}{
		{"prod", []Event{Held, Succeeded}, Succeeded}, {"prod", []Event{Failed}, Failed}, {"prod", []Event{Started}, ""}, {"staging", []Event{Failed}, ""}, {"prod", nil, ""},
	} {
		if got, ok := r.Wants(test.environment, test.events...); got != test.want || ok != (test.want != "") {
			t.Errorf("%v: %s %v", test, got, ok)
		}
	}
	if _, ok := (Receiver{Events: []Event{Failed}}).Wants("any", Failed); !ok {
		t.Error("without environments it is all of them")
	}
}

// TestTell: each hears the first event that it wants, and one that fails keeps nobody else from hearing it.
func TestTell(t *testing.T) {
	dir := t.TempDir()
	heard := func(name string) Channel {
		return &Command{Shell: `printf '%s %s %s' "$PROMOTE_EVENT" "$PROMOTE_DEPLOYMENT" "$EXTRA" > ` + name, Dir: dir, Environ: append(os.Environ(), "EXTRA=kept", "PROMOTE_EVENT=other")}
	}
	errs := Tell(t.Context(), []Receiver{
		{Name: "a", Channel: heard("a"), Events: []Event{Succeeded, Held}},
		{Name: "b", Channel: &Command{Argv: []string{"false"}}, Events: []Event{Held}},
		{Name: "c", Channel: heard("c"), Events: []Event{Succeeded}},
		{Name: "d", Channel: heard("d"), Events: []Event{Failed}},
		{Name: "e", Channel: &Unusable{errors.New("no secret")}, Events: []Event{Succeeded}},
	}, sample(), Held, Succeeded)
	if len(errs) != 2 || errs[0].Error() != "b: not told: exit status 1" || errs[1].Error() != "e: not told: no secret" {
		t.Errorf("got %v", errs)
	}
	for name, want := range map[string]string{"a": "held 20261121-061203-k7f kept", "c": "succeeded 20261121-061203-k7f kept", "d": ""} {
		if got, _ := os.ReadFile(filepath.Join(dir, name)); string(got) != want {
			t.Errorf("%s heard %q", name, got)
		}
	}
}

func TestCommand(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	r := Receiver{Name: "r", Channel: &Command{Argv: []string{"sh", "-c", `cat > "$1"; printf %s "$PROMOTE_TEXT" >> "$1"`, "$(id)", out}, Environ: os.Environ()}}
	m := sample()
	m.Reason = "a\x00b\nPATH=/evil $(id) `id`"
	if err := r.Tell(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got, _ := os.ReadFile(out)
	if want := "a b PATH=/evil $(id) `id`"; strings.Count(string(got), want) != 3 || !strings.HasPrefix(string(got), `{"schema":1,"event":"put-back"`) {
		t.Errorf("it heard %s", got)
	}
	for want, c := range map[string]*Command{
		"r: not told: exit status 3: last [31mwords":                               {Shell: `echo first; printf 'words\nlast \033[31mwords\n' >&2; exit 3`},
		`r: not told: exec: "promote-no-such": executable file not found in $PATH`: {Argv: []string{"promote-no-such"}},
	} {
		c.Environ = os.Environ()
		if err := (Receiver{Name: "r", Channel: c}).Tell(t.Context(), m); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestCommandDeadline: what it started ends with it, and doesn't keep us.
func TestCommandDeadline(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	err := (&Command{Shell: "tail -f /dev/null & tail -f /dev/null", Environ: os.Environ()}).send(ctx, note{})
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 10*time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

func TestCompose(t *testing.T) {
	body, err := Receiver{Channel: &Webhook{Kind: Mattermost}}.Compose(sample())
	if err != nil || !strings.HasPrefix(string(body), `{"text":"prod`) {
		t.Errorf("%v %s", err, body)
	}
	if _, err := (Receiver{Name: "r", Channel: &Webhook{}, Template: "{{.Nothing}}"}).Compose(sample()); err == nil || !strings.HasPrefix(err.Error(), "r: the usual text stands in for it") {
		t.Errorf("got %v", err)
	}
}
