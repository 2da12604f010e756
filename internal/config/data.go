package config

import (
	"cmp"
	"time"

	"go.yaml.in/yaml/v4"
)

// Data is a body of data that every environment has, such as a database, and how it goes from one to another.
type Data struct {
	Name string
	// In is where its commands run: service:NAME or host.
	In string
	// Dump says all of it on its output, Load takes that on its input.
	Dump, Load Command
	// Anonymise is a filter that the data goes through before it leaves its machine; empty where there is
	// nothing to hide.
	Anonymise Command
	// Timeout is how long each of taking it out and putting it in may take.
	Timeout time.Duration
}

// nothingToHide is what has to be said in place of a filter.
const nothingToHide = "none"

var dataKeys = mapping([]key[Data]{
	at("name", matching(namePattern, "a name of letters, digits, and . _ - after the first"), func(x *Data) *string { return &x.Name },
		"Name of the data.").derived("`data`, where there is one"),
	at("in", matching(`host|service:[A-Za-z0-9._-]+`, "service:NAME or host"), func(x *Data) *string { return &x.In },
		"Where its commands run: in a running service, or on the environment's machine.").must(),
	at("dump", command, func(x *Data) *Command { return &x.Dump },
		"What says all of it on its output: a line for a shell, or a list of a program and its arguments.").must(),
	at("anonymise", command, func(x *Data) *Command { return &x.Anonymise },
		"Filter that it goes through where it comes from, or none where there is nothing to hide.").must(),
	at("load", command, func(x *Data) *Command { return &x.Load },
		"What takes it on its input, in place of what is there.").must(),
	at("timeout", duration, func(x *Data) *time.Duration { return &x.Timeout },
		"How long taking it out, or putting it in, may take.").or("1h"),
})

// deriveData names the data that needs no name, and forgets a filter that is none.
func (c *Config) deriveData() {
	for i := range c.Data {
		one := &c.Data[i]
		if len(c.Data) == 1 {
			one.Name = cmp.Or(one.Name, "data")
		}
		if one.Anonymise.Shell == nothingToHide {
			one.Anonymise = Command{}
		}
	}
}

// checkData wants each to have a name of its own: one may be asked for alone, and what it replaced is found by it.
func (c *Config) checkData(d *decoder) {
	first := map[string]*yaml.Node{}
	for i, one := range c.Data {
		n := d.item(&c.Data, i)
		switch {
		case one.Name == "":
			d.fail(n, "data: name is missing: there are several")
		case first[one.Name] != nil:
			d.fail(n, "data: the name %s is that of another one, in line %d", one.Name, first[one.Name].Line)
		}
		first[one.Name] = n
	}
}
