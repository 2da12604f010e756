package promotion

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Data is a body of data that every environment has, such as a database.
type Data struct {
	Name      string        `json:"name"`
	In        string        `json:"in"`                  // host or service:NAME
	Dump      []string      `json:"dump"`                // says all of it on its output
	Anonymise []string      `json:"anonymise,omitempty"` // filter, where it comes from; none: there is nothing to hide
	Load      []string      `json:"load"`                // takes it on its input, in place of what is there
	Timeout   time.Duration `json:"timeout"`             // of taking it out, and of putting it in
}

// Service is the compose service whose container the commands run in, if they run in one.
func (d Data) Service() string { return Task{In: d.In}.Service() }

// Transfer is the data that a plan of the kind [MoveData] replaces, and by what.
type Transfer struct {
	From  string `json:"from,omitempty"` // environment that it comes from
	Undo  string `json:"undo,omitempty"` // or the deployment: what that one replaced is loaded back
	Items []Data `json:"items"`
}

// Ladder says for each environment which one it takes releases from: the one below it.
type Ladder map[string]string

// below are the environments that data of one may go to, the nearest first.
func (l Ladder) below(environment string) []string {
	var list []string
	for next := l[environment]; next != "" && next != environment && !slices.Contains(list, next); next = l[next] {
		list = append(list, next)
	}
	return list
}

// Descend refuses to take data from an environment anywhere but down, and into an environment that is protected.
func (l Ladder) Descend(from, to string, protected bool) error {
	advice := "from: … of " + from + " in promote.yaml says what is below it; now that is nothing"
	if lower := l.below(from); len(lower) > 0 {
		advice = fmt.Sprintf("promote data %s %s", from, strings.Join(lower, "|"))
	}
	switch {
	case from == to:
		return refuse("", "direction", "%s has its own data already", advice, to)
	case slices.Contains(l.below(to), from):
		return refuse("", "direction", "data goes down, and %s is above %s", fmt.Sprintf("promote data %s %s", to, from), to, from)
	case !slices.Contains(l.below(from), to):
		return refuse("", "direction", "%s is not below %s: no from: in promote.yaml leads there", advice, to, from)
	}
	return Open(to, protected)
}

// Open refuses to replace data of an environment that is protected, whatever by.
func Open(environment string, protected bool) error {
	if !protected {
		return nil
	}
	return refuse("", "protected", "%s is protected: its data is never replaced", "promote data FROM TO, with a TO that is not protected", environment)
}

// Replace makes the plan that replaces data of the environment by that of another one.
func Replace(r Request, from string, items []Data) (Plan, error) {
	return r.transfer(Transfer{From: from, Items: items})
}

// Reinstate makes the plan that loads back what a deployment of the kind [MoveData] replaced.
func Reinstate(r Request, deployment string, items []Data) (Plan, error) {
	return r.transfer(Transfer{Undo: deployment, Items: items})
}

func (r Request) transfer(t Transfer) (Plan, error) {
	if err := r.gateLock(); err != nil {
		return Plan{}, err
	}
	for _, d := range t.Items {
		if err := r.Target.Holds(d); err != nil {
			return Plan{}, err
		}
	}
	p := r.plan(MoveData)
	p.Data, p.Steps = &t, t.Steps()
	return p, nil
}

// Holds refuses data in a place that the environment does not have.
func (t Target) Holds(d Data) error {
	switch {
	case t.Engine == EngineNone:
		return refuse("", "data", "with engine %s promote has only the files of %s", "engine: compose   # of that environment in promote.yaml, if it runs here", t.Engine, t.Environment)
	case d.In == InHost || t.Engine == EngineCompose || t.Engine == "":
		return nil
	}
	return refuse("", "data", "%s is in a container, and with engine %s %s has none that can be told", "in: host   # for that data in promote.yaml", d.Name, t.Engine, t.Environment)
}

// Steps are those of a plan that moves data: all that is there is saved before any of it is replaced.
func (t Transfer) Steps() []Step {
	var list []Step
	for _, kind := range []StepKind{SaveStep, LoadStep} {
		for _, d := range t.Items {
			list = append(list, Step{Kind: kind, Task: d.Name})
		}
	}
	return append(list, Step{Kind: RecordEnd})
}

// Streamed reports whether the data comes from elsewhere while the plan is carried out.
func (p Plan) Streamed() bool { return p.Kind == MoveData && p.Data != nil && p.Data.Undo == "" }

// Commands are those that the environment's machine runs for it, as somebody who reads the plan knows them.
func (d Data) Commands() (dump, anonymise, load string) {
	anonymise = "nothing to hide"
	if len(d.Anonymise) > 0 {
		anonymise = CommandLine(d.Anonymise)
	}
	return CommandLine(d.Dump), anonymise, CommandLine(d.Load)
}
