package promotion_test

import (
	"errors"
	"strings"
	"testing"

	"promote/compose"
	"promote/internal/promotion"
)

// unlike are the ways in which file, journal and containers can disagree, each with what is said of it
// and what adopting says to it: nothing, the marks, or "refused: " and the reason.
var unlike = map[string]struct {
	change func(*world)
	drift  string
	adopt  string
}{
	"nothing": {func(*world) {}, "", ""},
	"the file was edited by hand, and applied": {func(w *world) { w.on("core", "v1.3.0") }, "edited: the file says v1.3.0, the history v1.4.2", "running v1.3.0, verified v1.3.0"},
	"the file was edited, and not applied": {func(w *world) {
		part := &w.service("core").Parts[0].Compose
		part.Pin, part.Image = compose.Pin{Tag: "v1.3.0"}, "aegee/core:v1.3.0"
	}, "edited: the file says v1.3.0, the history v1.4.2; not-applied: container shop-core-1 runs aegee/core:v1.4.2, the file says aegee/core:v1.3.0", "refused: core: container shop-core-1 runs"},
	"a worker on another version": {func(w *world) { w.worker("core"); halfPinned(w) }, "split: core is on v1.4.2, core-worker on v1.0.0 in the files", "refused: core: core is on v1.4.2"},
	"the tag was pulled again":    {func(w *world) { w.container().Digest = digest("v9.9.9") }, "other-digest: container shop-core-1 runs aegee/core:v1.4.2 as sha256:999999999999, deployed was sha256:142142142142", "running v1.4.2, verified v1.4.2"},
	"it was stopped and removed":  {func(w *world) { w.service("core").Parts[0].Containers = nil }, "missing: core has 0 of the 1 containers that the file wants", "refused: core: it is not up"},
	"it was scaled by hand": {func(w *world) {
		part := &w.service("core").Parts[0]
		part.Containers = append(part.Containers, part.Containers[0])
	}, "surplus: core has 2 containers, the file wants 1", ""},
	"its profile is off":               {func(w *world) { w.service("core").Parts[0].Compose.Disabled = true }, "", ""},
	"it was never deployed":            {noMarks, "", "running v1.4.2, verified v1.4.2"},
	"never deployed, and no health":    {func(w *world) { noMarks(w); w.container().Health = "" }, "", "running v1.4.2, unchecked v1.4.2"},
	"never deployed, and does not run": {func(w *world) { noMarks(w); w.service("core").Parts[0].Containers = nil }, "", "refused: core: it is not up"},
	"edited by hand while it was held": {func(w *world) { w.held("core", "v1.4.2", "v1.5.0", true).on("core", "v1.5.0") }, "edited: the file says v1.5.0, the history v1.4.2", "running v1.5.0, verified v1.5.0, freed"},
	"edited by hand to a bad one":      {func(w *world) { w.bad("core", "v1.5.0").on("core", "v1.5.0") }, "edited: the file says v1.5.0, the history v1.4.2", "running v1.5.0, verified v1.5.0, cleared v1.5.0"},
	"files only, edited by hand": {func(w *world) {
		w.Target.Engine = promotion.EngineNone
		w.on("core", "v1.3.0")
		w.service("core").Parts[0].Containers = nil
	}, "edited: the file says v1.3.0, the history v1.4.2", "running v1.3.0"},
}

func (w *world) container() *promotion.Container { return &w.service("core").Parts[0].Containers[0] }

func TestDrifts(t *testing.T) {
	for name, test := range unlike {
		t.Run(name, func(t *testing.T) {
			w := newWorld(promotion.Deploy, "core")
			test.change(w)
			var list []string
			for _, d := range promotion.Drifts(w.Target, *w.service("core"), w.Target.Services[0].Tag) {
				list = append(list, string(d.Kind)+": "+d.Text)
			}
			if got := strings.Join(list, "; "); got != test.drift {
				t.Errorf("got  %s\nwant %s", got, test.drift)
			}
		})
	}
}

func TestAdoption(t *testing.T) {
	for name, test := range unlike {
		t.Run(name, func(t *testing.T) {
			w := newWorld(promotion.Deploy, "core")
			test.change(w)
			s := *w.service("core")
			marks, err := promotion.Adoption(w.Target, w.Target.Services[0], s, promotion.Hold(s.Marks, now))
			var list []string
			for _, m := range marks {
				text := string(m.Kind)
				if m.Release.Repository != "" {
					text += " " + promotion.Label(m.Release)
				}
				list = append(list, text)
			}
			got := strings.Join(list, ", ")
			if refusal := (*promotion.Refusal)(nil); errors.As(err, &refusal) {
				got = "refused: " + err.Error()
			}
			if got != test.adopt && (test.adopt == "" || !strings.HasPrefix(got, test.adopt) || err == nil) {
				t.Errorf("got  %s\nwant %s", got, test.adopt)
			}
		})
	}
}

// TestAdoptedIsWhereRollbackGoes: what was adopted is good enough to go back to.
func TestAdoptedIsWhereRollbackGoes(t *testing.T) {
	w := newWorld(promotion.Deploy, "core")
	noMarks(w)
	marks, err := promotion.Adoption(w.Target, w.Target.Services[0], *w.service("core"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range marks {
		w.mark(m)
	}
	w.ran("core", "v1.5.0", "d1")
	w.Kind = promotion.Rollback
	plan, err := w.plan()
	if err != nil || moves(plan) != "core@v1.4.2" {
		t.Errorf("it goes to %s, %v", moves(plan), err)
	}
}
