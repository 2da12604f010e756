package promotion_test

import (
	"slices"
	"strings"
	"testing"

	"promote/compose"
	"promote/internal/promotion"
)

// newOneShotWorld has core run a migration, too, that it waits for, and is on v1.5.0 since v1.4.2.
func newOneShotWorld(kind promotion.Kind) *world {
	w := newWorld(kind, "core").ran("core", "v1.5.0", "d1").publish("core", "v1.5.0").on("core", "v1.5.0")
	core := w.service("core")
	migrate := core.Parts[0]
	migrate.Compose.Name, migrate.Compose.Completes = "migrate", true
	migrate.Compose.Place = compose.Place{File: "/srv/shop/compose.yaml", Line: 20, Column: 12, Services: []string{"migrate"}}
	migrate.Containers = slices.Clone(migrate.Containers)
	migrate.Containers[0].ID, migrate.Containers[0].State = "m1", "exited"
	core.Parts[0].Compose.DependsOn = []string{"migrate"}
	core.Parts = append(core.Parts, migrate)
	return w
}

// TestOneShot: what runs once does so before those that wait for it on the way forward, and not at all on the way
// back, unless somebody says that it takes back what was migrated.
func TestOneShot(t *testing.T) {
	for _, test := range []struct {
		kind        promotion.Kind
		schema, got string
	}{
		{promotion.Deploy, "", "migrate recreate, core start-first"},
		{promotion.Rollback, "", "migrate not-started, core start-first"},
		{promotion.Rollback, promotion.SchemaKeep, "migrate not-started, core start-first"},
		{promotion.Rollback, promotion.SchemaUndo, "migrate recreate, core start-first"},
	} {
		w := newOneShotWorld(test.kind)
		if test.kind == promotion.Deploy {
			w.publish("core", "v1.6.0")
		}
		w.Schema = test.schema
		plan, err := w.plan()
		if err != nil {
			t.Fatal(err)
		}
		var rolls []string
		for _, roll := range plan.Moves[0].Rolls {
			rolls = append(rolls, roll.Service+" "+roll.Strategy)
		}
		if got := strings.Join(rolls, ", "); got != test.got {
			t.Errorf("%s %s: got %s, want %s", test.kind, test.schema, got, test.got)
		}
	}
	w := newOneShotWorld(promotion.Rollback)
	core := w.service("core")
	core.Parts[1].Containers[0].State = "created"
	if !core.Up() {
		t.Error("a migration that was not started on the way back makes its service down")
	}
}

// TestAttached: the plan says which services lose their namespace, and that they are made anew.
func TestAttached(t *testing.T) {
	w := newWorld(promotion.Deploy, "core").publish("core", "v1.5.0")
	part := &w.service("core").Parts[0]
	part.Compose.SharedNamespace, part.Attached = true, []string{"vpn-client", "probe"}
	plan, err := w.plan()
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Moves[0].Rolls[0].Attached; !slices.Equal(got, part.Attached) {
		t.Errorf("got %v", got)
	}
	if len(plan.Notes) != 1 || plan.Notes[0].Text != "in the namespaces of core: vpn-client, probe; made anew right behind it, with a gap until then" {
		t.Errorf("got %v", plan.Notes)
	}
}
