package promotion_test

import (
	"reflect"
	"slices"
	"testing"

	"promote/internal/promotion"
)

func TestMatches(t *testing.T) {
	for _, test := range []struct {
		pattern, file string
		want          bool
	}{
		{"migrations/**", "migrations/0001.sql", true},
		{"migrations/**", "migrations/a/b/0001.sql", true},
		{"migrations/**", "src/migrations/0001.sql", false},
		{"**/migrations/*", "src/migrations/0001.sql", true},
		{"**/migrations/*", "migrations/0001.sql", true},
		{"**/migrations/*", "migrations/a/0001.sql", false},
		{"db/*.sql", "db/a.sql", true},
		{"db/*.sql", "db/a/b.sql", false},
		{"**", "anything", true},
		{"package.json", "package.json", true},
		{"package.json", "web/package.json", false},
		{"a/**/z", "a/z", true},
		{"a/**/z", "a/b/c/z", true},
		{"[", "[", false}, // no pattern matches nothing
	} {
		if got := promotion.Matches(test.pattern, test.file); got != test.want {
			t.Errorf("%q matches %q: %v", test.pattern, test.file, got)
		}
	}
}

// withTasks is a deployment of v1.5.0 with a task in each phase.
func withTasks(kind promotion.Kind, wanted ...string) *world {
	w := newWorld(kind, wanted...).publish("core", "v1.5.0")
	for i := range w.Target.Services {
		if w.Target.Services[i].Name != "core" {
			continue
		}
		for _, phase := range []string{promotion.PhaseFailure, promotion.PhaseAfter, promotion.PhaseVerify, promotion.PhaseMaintenance, promotion.PhaseBefore, promotion.PhaseBackup, promotion.PhaseManual} {
			w.Target.Services[i].Tasks = append(w.Target.Services[i].Tasks, promotion.Task{
				Name: phase, Phase: phase, In: promotion.InHost, Run: []string{"true"}, Undo: []string{"false"}, Changed: []string{"migrations/**"},
			})
		}
	}
	return w
}

// tasks are the steps of a plan around its rolls.
func tasks(p promotion.Plan) (list []string) {
	for _, s := range p.Steps {
		switch {
		case s.Kind == promotion.RollStep:
			list = append(list, "roll")
		case s.Of != "":
			list = append(list, "undo "+s.Task+" of "+s.Of)
		case s.Undo:
			list = append(list, "undo "+s.Task)
		case s.Kind == promotion.TaskStep:
			list = append(list, s.Task)
		}
	}
	return list
}

// TestTasks: which tasks a plan runs, and when.
func TestTasks(t *testing.T) {
	all := []string{"backup", "maintenance", "before", "roll", "verify", "undo maintenance", "after"}
	none := []string{"roll"}
	known := func(files ...string) map[string]promotion.Files {
		return map[string]promotion.Files{"core": {Known: true, Changed: files}}
	}
	for name, test := range map[string]struct {
		world *world
		files map[string]promotion.Files
		want  []string
	}{
		"nobody knows what changed": {withTasks(promotion.Deploy, "core"), nil, all},
		"a file that is meant":      {withTasks(promotion.Deploy, "core"), known("README", "migrations/1.sql"), all},
		"another file":              {withTasks(promotion.Deploy, "core"), known("README"), none},
		"nothing":                   {withTasks(promotion.Deploy, "core"), known(), none},
		"going back":                {withTasks(promotion.Rollback, "core").ran("core", "v1.5.0", "d1"), nil, []string{"roll", "verify", "after"}},
	} {
		test.world.Files = test.files
		plan, err := test.world.plan()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := tasks(plan); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestRunTask: what is run of a task by itself, and what that is taken for.
func TestRunTask(t *testing.T) {
	for name, test := range map[string]struct {
		do   promotion.Doing
		want promotion.Step
	}{
		"run":             {promotion.Doing{}, promotion.Step{Run: []string{"true"}}},
		"with arguments":  {promotion.Doing{Args: []string{"a b"}}, promotion.Step{Run: []string{"true", "a b"}}},
		"undo":            {promotion.Doing{Undo: true}, promotion.Step{Undo: true, Of: "d1", Run: []string{"false"}}},
		"undo some of it": {promotion.Doing{Undo: true, Args: []string{"1"}}, promotion.Step{Undo: true, Run: []string{"false", "1"}}},
	} {
		w := migrated(true, "before d0", "before d1")
		plan, err := promotion.RunTask(w.Request, "core", promotion.PhaseBefore, test.do)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		test.want.Kind, test.want.Service, test.want.Task = promotion.TaskStep, "core", promotion.PhaseBefore
		if !reflect.DeepEqual(plan.Steps, []promotion.Step{test.want, {Kind: promotion.RecordEnd}}) {
			t.Errorf("%s: %+v", name, plan.Steps)
		}
	}
	if _, err := promotion.RunTask(migrated(true).Request, "core", promotion.PhaseBefore, promotion.Doing{List: true}); err == nil {
		t.Error("it lists what says of nothing what it would do")
	}
}
