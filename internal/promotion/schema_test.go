package promotion_test

import (
	"strings"
	"testing"
	"time"

	"promote/internal/promotion"
)

// migrated is a world on v1.5.0, deployed by d1 after v1.4.2 by d0, and the tasks that ran in these, or by themselves
// in r0 and r2, as `PHASE DEPLOYMENT`.
func migrated(undo bool, runs ...string) *world {
	w := withTasks(promotion.Rollback, "core").ran("core", "v1.5.0", "d1")
	if !undo {
		for i := range w.Target.Services[0].Tasks {
			w.Target.Services[0].Tasks[i].Undo = nil
		}
	}
	for i, run := range runs {
		phase, deployment, _ := strings.Cut(run, " ")
		at := now.Add(time.Duration(i-50) * time.Minute) // after the marks
		if strings.HasSuffix(deployment, "0") {
			at = at.Add(-time.Hour) // before them
		}
		w.service("core").Ran = append(w.service("core").Ran, promotion.TaskRun{Task: phase, Phase: phase, Deployment: deployment, At: at})
	}
	return w
}

// TestSchema: what becomes of migrations on the way back.
func TestSchema(t *testing.T) {
	const plain, ask = "roll, verify, after", "!core: before of d1 ran since v1.4.2 was here"
	for name, test := range map[string]struct {
		world *world
		want  map[string]string // by --schema: the steps, or with ! how the refusal begins
	}{
		"none ran":                {migrated(true), map[string]string{"": plain, "undo": plain, "restore": plain}},
		"it ran before":           {migrated(true, "backup d0", "before d0"), map[string]string{"": plain, "undo": plain}},
		"nobody knows a way back": {migrated(false, "backup d1", "before d1"), map[string]string{"": plain, "keep": plain, "undo": "!core: promote.yaml does not say how", "restore": "!core: there is no backup"}},
		"both ways": {migrated(true, "backup d1", "before d1"), map[string]string{
			"": ask, "keep": plain,
			"undo":    "maintenance, undo before of d1, roll, verify, undo maintenance, after",
			"restore": "backup, maintenance, undo backup of d1, roll, verify, undo maintenance, after",
		}},
		"two, one by itself": {migrated(true, "backup d0", "backup d1", "before d1", "backup r2", "before r2"), map[string]string{
			"undo":    "maintenance, undo before of r2, undo before of d1, roll, verify, undo maintenance, after",
			"restore": "backup, maintenance, undo backup of d1, roll, verify, undo maintenance, after",
		}},
		"the backup is later": {migrated(true, "before d1", "backup r2"), map[string]string{"": ask, "restore": "!core: there is no backup"}},
		"the backup is older": {migrated(true, "backup r0", "before d1"), map[string]string{"restore": "backup, maintenance, undo backup of r0, roll, verify, undo maintenance, after"}},
	} {
		for schema, want := range test.want {
			test.world.Schema = schema
			plan, err := test.world.plan()
			got := strings.Join(tasks(plan), ", ")
			if err != nil {
				got = "!" + err.Error()
			}
			if got != want && (want[0] != '!' || !strings.HasPrefix(got, want)) {
				t.Errorf("%s, --schema=%s: %s\nwant %s", name, schema, got, want)
			}
		}
	}
}
