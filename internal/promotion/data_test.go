package promotion_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"promote/internal/promotion"
)

// TestDescend: data goes down, however far, and nowhere else.
func TestDescend(t *testing.T) {
	ladder := promotion.Ladder{"prod": "staging", "eu": "staging", "staging": "dev", "dev": "", "demo": "", "a": "b", "b": "a"}
	for _, test := range []struct {
		from, to  string
		protected bool
		gate      string // empty: it may go
	}{
		{"prod", "staging", false, ""},
		{"prod", "dev", false, ""},
		{"staging", "dev", false, ""},
		{"eu", "dev", false, ""},
		{"prod", "staging", true, "protected"},
		{"prod", "dev", true, "protected"},
		{"staging", "prod", false, "direction"},
		{"staging", "prod", true, "direction"},
		{"dev", "prod", false, "direction"},
		{"dev", "staging", false, "direction"},
		{"prod", "prod", false, "direction"},
		{"prod", "eu", false, "direction"},
		{"prod", "demo", false, "direction"},
		{"demo", "dev", false, "direction"},
		{"demo", "demo", false, "direction"},
		{"a", "dev", false, "direction"},
		{"b", "b", false, "direction"},
		{"nobody", "dev", false, "direction"},
	} {
		t.Run(fmt.Sprint(test.from, " ", test.to, " ", test.protected), func(t *testing.T) {
			refused(t, ladder.Descend(test.from, test.to, test.protected), test.gate)
		})
	}
}

// refused wants a refusal by a gate, with advice; or none.
func refused(t *testing.T, err error, gate string) {
	t.Helper()
	refusal := (*promotion.Refusal)(nil)
	if gate == "" && err != nil || gate != "" && (!errors.As(err, &refusal) || refusal.Gate != gate || refusal.Advice == "") {
		t.Errorf("got %v, want a refusal by %q", err, gate)
	}
}

// TestReplace: everything is saved before anything is replaced, and only what the environment holds.
func TestReplace(t *testing.T) {
	items := []promotion.Data{{Name: "main", In: "service:db"}, {Name: "files", In: promotion.InHost}}
	w := newWorld(promotion.MoveData)
	plan, err := promotion.Replace(w.Request, "prod", items)
	want := []promotion.Step{
		{Kind: promotion.SaveStep, Task: "main"}, {Kind: promotion.SaveStep, Task: "files"},
		{Kind: promotion.LoadStep, Task: "main"}, {Kind: promotion.LoadStep, Task: "files"}, {Kind: promotion.RecordEnd},
	}
	if err != nil || !reflect.DeepEqual(plan.Steps, want) {
		t.Errorf("%v, %v", plan.Steps, err)
	}
	if !plan.Streamed() || plan.Nothing() || plan.Basis != w.State.Basis() || plan.Target.Name != "shop" {
		t.Errorf("%+v", plan)
	}
	back, err := promotion.Reinstate(w.Request, "20261120-061203-k7f", items)
	if err != nil || back.Streamed() || back.Nothing() || back.Data.Undo != "20261120-061203-k7f" {
		t.Errorf("%+v, %v", back, err)
	}
	refused(t, promotion.Open("prod", true), "protected")
	refused(t, promotion.Open("prod", false), "")
	w.Target.Engine = promotion.EngineSwarm
	_, err = promotion.Replace(w.Request, "prod", items)
	refused(t, err, "data")
	_, err = promotion.Replace(w.Request, "prod", items[1:])
	refused(t, err, "")
	w.State.Locked = &promotion.Mark{Kind: promotion.Locked, By: "ada", At: now}
	_, err = promotion.Replace(w.Request, "prod", items[1:])
	refused(t, err, "locked")
}
