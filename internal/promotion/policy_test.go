package promotion_test

import (
	"strings"
	"testing"
	"time"

	"promote/internal/promotion"
)

func window(t *testing.T, from, to time.Duration, weekly bool) promotion.Window {
	zone, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		t.Fatal(err)
	}
	return promotion.Window{From: from, To: to, Weekly: weekly, Zone: zone}
}

// TestWindow: the end is where the clock on the wall says it, also when that clock was changed in between.
func TestWindow(t *testing.T) {
	const day = 24 * time.Hour
	weekend := window(t, 5*day+15*time.Hour, day+8*time.Hour, true)
	night := window(t, 22*time.Hour, 6*time.Hour, false)
	noon := window(t, 12*time.Hour, 13*time.Hour, false)
	late := window(t, 20*time.Hour, 24*time.Hour, false)
	for _, test := range []struct {
		name   string
		window promotion.Window
		now    string // UTC
		end    string // with the zone; empty: it is open
	}{
		{"Friday before three", weekend, "2026-11-20 13:59", ""},
		{"Friday at three", weekend, "2026-11-20 14:00", "Mon 2026-11-23 08:00 CET"},
		{"Saturday", weekend, "2026-11-21 12:00", "Mon 2026-11-23 08:00 CET"},
		{"Sunday", weekend, "2026-11-22 12:00", "Mon 2026-11-23 08:00 CET"},
		{"Monday before eight", weekend, "2026-11-23 06:59", "Mon 2026-11-23 08:00 CET"},
		{"Monday at eight", weekend, "2026-11-23 07:00", ""},
		{"the weekend that summer begins", weekend, "2027-03-27 12:00", "Mon 2027-03-29 08:00 CEST"},
		{"the weekend that it ends", weekend, "2026-10-24 12:00", "Mon 2026-10-26 08:00 CET"},
		{"in the evening", night, "2026-11-21 21:30", "Sun 2026-11-22 06:00 CET"},
		{"after midnight", night, "2026-11-21 23:30", "Sun 2026-11-22 06:00 CET"},
		{"by day", night, "2026-11-21 12:00", ""},
		{"at noon", noon, "2026-11-21 11:30", "Sat 2026-11-21 13:00 CET"},
		{"until midnight", late, "2026-11-21 20:30", "Sun 2026-11-22 00:00 CET"},
		{"the last of a month", late, "2026-11-30 20:30", "Tue 2026-12-01 00:00 CET"},
	} {
		now, err := time.Parse("2006-01-02 15:04", test.now)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if end, in := test.window.Until(now); in {
			got = end.Format("Mon 2006-01-02 15:04 MST")
		}
		if got != test.end {
			t.Errorf("%s: %q, want %q", test.name, got, test.end)
		}
	}
}

// policy is a deployment of v1.5.0, which staging is on since minutes ago.
func policy(p promotion.Policy, change func(*world)) *world {
	w := newWorld(promotion.Deploy, "core").upstream("v1.5.0")
	w.Policy, w.By = p, "ada@laptop"
	w.Upstream.Now = now
	w.Upstream.Services[0].Marks = nil
	w.staging(promotion.Running, "v1.5.0", 90).staging(promotion.Verified, "v1.5.0", 60)
	if change != nil {
		change(w)
	}
	return w
}

// staging is a mark of core there, minutes ago.
func (w *world) staging(kind promotion.MarkKind, version string, minutes int) *world {
	w.Upstream.Services[0].Marks = append(w.Upstream.Services[0].Marks, promotion.Mark{
		Service: "core", Kind: kind, Release: release("core", version), By: "ada@laptop", At: now.Add(-time.Duration(minutes) * time.Minute),
	})
	return w
}

func (w *world) approved(version, by string) *world {
	s := w.service("core")
	s.Marks = append(s.Marks, promotion.Mark{Service: "core", Kind: promotion.Approved, Release: release("core", version), By: by, At: now})
	return w
}

func TestPolicy(t *testing.T) {
	hours := func(n int) promotion.Policy { return promotion.Policy{Soak: time.Duration(n) * time.Hour} }
	always := window(t, 0, 24*time.Hour, false)
	always.Text = "00:00 – 24:00"
	closed := promotion.Policy{Closed: []promotion.Window{always}}
	protected := promotion.Policy{Approval: true}
	tests := map[string]struct {
		world *world
		want  string
		note  string
	}{
		"nothing is wanted":      {world: policy(promotion.Policy{}, nil), want: "core@v1.5.0"},
		"long enough":            {world: policy(hours(1), nil), want: "core@v1.5.0"},
		"not long enough":        {world: policy(hours(2), nil), want: "core: v1.5.0 has run verified in staging for 1h, and prod wants 2h; that is at 2026-11-21"},
		"it was gone in between": {world: policy(hours(1), func(w *world) { w.staging(promotion.Running, "v1.4.0", 50).staging(promotion.Running, "v1.5.0", 20) }), want: "core: v1.5.0 has run verified in staging for 20m"},
		"it was there before":    {world: policy(hours(1), func(w *world) { w.staging(promotion.Running, "v1.6.0", 0) }), want: "core@v1.5.0"},
		"in an emergency":        {world: policy(hours(2), func(w *world) { w.Emergency = true }), want: "core@v1.5.0", note: "passed in an emergency: v1.5.0 has run"},
		"only a look":            {world: policy(hours(2), func(w *world) { w.Look = true }), want: "core@v1.5.0", note: "a deployment would be refused: v1.5.0 has run"},
		"closed":                 {world: policy(closed, nil), want: "core: prod is closed (00:00 – 24:00) until "},
		"closed, and there":      {world: policy(closed, func(w *world) { w.ran("core", "v1.5.0", "d1") }), want: ""},
		"closed, rollback":       {world: policy(closed, func(w *world) { w.ran("core", "v1.5.0", "d1"); w.Kind = promotion.Rollback }), want: "core@v1.4.2"},
		"closed, pin back": {world: policy(closed, func(w *world) {
			w.ran("core", "v1.5.0", "d1")
			w.Kind, w.Wanted[0] = promotion.Pin, want(t, "core@v1.4.2")
		}), want: "core@v1.4.2"},
		"closed, pin to what never ran": {world: policy(closed, func(w *world) {
			w.publish("core", "v1.3.0")
			w.Kind, w.Wanted[0] = promotion.Pin, want(t, "core@v1.3.0")
		}), want: "core: prod is closed"},
		"nobody approved":     {world: policy(protected, nil), want: "core: v1.5.0 needs the approval of somebody else"},
		"approved":            {world: policy(protected, func(w *world) { w.approved("v1.5.0", "bob@desk") }), want: "core@v1.5.0"},
		"another is approved": {world: policy(protected, func(w *world) { w.approved("v1.4.9", "bob@desk") }), want: "core: v1.5.0 needs the approval of somebody else"},
		"approved by oneself": {world: policy(protected, func(w *world) { w.approved("v1.5.0", "ada@desk") }), want: "core: v1.5.0 needs the approval of somebody else; that of ada@desk, who deploys it, is not enough"},
		"an emergency is none for what is bad": {world: policy(hours(2), func(w *world) {
			w.Emergency = true
			w.bad("core", "v1.5.0")
		}), want: "core: v1.5.0 is bad in prod"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			plan, refused := test.world.planned(t, test.want)
			if refused {
				return
			}
			if test.note != "" && (len(plan.Notes) == 0 || !strings.HasPrefix(plan.Notes[0].Text, test.note)) {
				t.Errorf("the notes are %v, want %q", plan.Notes, test.note)
			}
			if plan.Emergency != test.world.Emergency {
				t.Error("the plan does not say that it passes the policy")
			}
		})
	}
}

func want(t *testing.T, text string) promotion.Want {
	w, err := promotion.ParseWant(text)
	if err != nil {
		t.Fatal(err)
	}
	return w
}
