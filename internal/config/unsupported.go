package config

import "go.yaml.in/yaml/v4"

// refusals says which keys the file can have and this program can't carry out yet, by the name that they are
// refused with. They are checked like any other and then refused with their place, for a setting that is
// accepted and does nothing is worse than none. Whoever makes one of them work removes its line.
type refusals map[string]string

var notYet = refusals{
	"config.notify": "notify",
}

// refuse reports a key that is not supported yet.
func (d *decoder) refuse(name *yaml.Node, id string) {
	if what, ok := d.refused[id]; ok {
		d.failAt(d.place(name), "%s is not supported yet", what)
	}
}
