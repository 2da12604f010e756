package config

import "go.yaml.in/yaml/v4"

// refusals says which settings the file can express and this program can't carry out yet. They are
// checked like any other and then refused with their place, for a setting that is accepted and does
// nothing is worse than none. Whoever makes one of them work removes its line.
type refusals map[string]refusal

type refusal struct {
	what string               // begins "… is not supported yet"
	when func(value any) bool // whether this value is concerned
}

var notYet = refusals{
	"config.notify":         {"notify", always},
	"service.tasks":         {"tasks", always},
	"build.platforms":       {"more than one platform", several},
	"cache.to":              {"cache to", always}, // the engine's builder has no exporter for it
	"environment.soak":      {"soak", always},
	"environment.closed":    {"closed", always},
	"environment.protected": {"protected", is(true)},
}

func always(any) bool { return true }

func several(value any) bool {
	list, ok := value.([]string)
	return ok && len(list) > 1
}

func is(unwanted any) func(any) bool {
	return func(value any) bool { return value == unwanted }
}

// refuse reports a key whose value is not supported yet.
func (d *decoder) refuse(name *yaml.Node, id string, value any) {
	if r, ok := d.refused[id]; ok && r.when(value) {
		d.failAt(d.place(name), "%s is not supported yet", r.what)
	}
}
