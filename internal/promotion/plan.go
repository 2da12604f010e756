package promotion

import (
	"time"

	"promote/compose"
	"promote/registry"
)

// Schema is the version of everything that promote writes as JSON.
const Schema = 1

// Kind of a deployment.
type Kind string

const (
	Deploy   Kind = "deploy"
	Pin      Kind = "pin"
	Rollback Kind = "rollback"
	Adopt    Kind = "adopt"
	Resume   Kind = "resume"
	Run      Kind = "run"  // one task by itself
	MoveData Kind = "data" // replaces data, and no release
)

// Plan is what a deployment would do.
type Plan struct {
	Schema  int       `json:"schema"`
	ID      string    `json:"id"`
	Kind    Kind      `json:"kind"`
	By      string    `json:"by"` // who, from where
	Reason  string    `json:"reason,omitempty"`
	Target  Target    `json:"target"`
	Basis   string    `json:"basis"` // State.Basis that it was made from
	Moves   []Move    `json:"moves"`
	Steps   []Step    `json:"steps"`
	Marks   []Mark    `json:"marks,omitempty"` // left in the journal when it ends well
	Stays   []Stay    `json:"stays,omitempty"`
	Skipped []Skip    `json:"skipped,omitempty"`
	Notes   []Note    `json:"notes,omitempty"`
	Data    *Transfer `json:"data,omitempty"` // MoveData
	// AcceptDrift: the state was not what the journal says, and somebody took it as it is.
	AcceptDrift bool `json:"accept_drift,omitempty"`
	// AcceptDigest: the digest is taken from the upstream environment, whatever the registry says of the tag.
	AcceptDigest bool `json:"accept_digest,omitempty"`
	// Emergency: the environment's policy was passed on purpose.
	Emergency bool `json:"emergency,omitempty"`
}

// Move takes one service from a release to another.
type Move struct {
	Service string           `json:"service"`
	Image   string           `json:"image"`
	From    registry.Release `json:"from"`
	To      registry.Release `json:"to"`
	Rolls   []Roll           `json:"rolls"`
	Tasks   []string         `json:"tasks,omitempty"` // that it runs
	Undo    []Undoing        `json:"undo,omitempty"`  // what it takes back before
	Wave    int              `json:"wave,omitempty"`  // those of one wave do not wait for each other
}

// Roll replaces the running containers of one compose service.
type Roll struct {
	Service  string           `json:"service"`
	Changes  []compose.Change `json:"changes"` // its own first, then those that share its place in the file
	File     string           `json:"file"`    // where the version stands
	Line     int              `json:"line"`
	Strategy string           `json:"strategy"`
	Why      string           `json:"why"` // the reason of the strategy, in words
	Replicas int              `json:"replicas"`
	Update   compose.Update   `json:"update,omitzero"`    // how many at a time, and how long apart
	Dark     bool             `json:"dark,omitempty"`     // it has its names only once it is proven
	Proxies  []Proxy          `json:"proxies,omitempty"`  // in front of it
	Fresh    bool             `json:"fresh,omitempty"`    // nothing of it ever ran
	OneShot  bool             `json:"one_shot,omitempty"` // its work is to exit with 0
	Awaited  bool             `json:"awaited,omitempty"`  // OneShot, and other compose services wait for that
	Attached []string         `json:"attached,omitempty"` // compose services in its containers' namespaces: made anew behind it
}

// Stay is a service that is on the release already which it should be on.
type Stay struct {
	Service string           `json:"service"`
	Release registry.Release `json:"release"`
	File    string           `json:"file"` // where the version stands
	Line    int              `json:"line"`
}

// Skip is a service that was left out, with the reason.
type Skip struct {
	Service string `json:"service"`
	Reason  string `json:"reason"`
}

// Note is something to know before saying yes.
type Note struct {
	Service string `json:"service,omitempty"`
	Text    string `json:"text"`
}

// StepKind names what a step does.
type StepKind string

// The steps of a deployment, in their order (DESIGN section 6).
const (
	Preflight StepKind = "preflight" // candidate accepted, disk, write rights; touches nothing
	Pull      StepKind = "pull"      // images, by digest; stops nothing. A swarm's nodes pull by themselves: whether they can
	RollStep  StepKind = "roll"      // one compose service: replace, prove, commit its pin
	TaskStep  StepKind = "task"      // a command of the user's
	DumpStep  StepKind = "dump"      // say data, where it comes from: in no plan, but in events
	SaveStep  StepKind = "save"      // keep data that will be replaced
	LoadStep  StepKind = "load"      // replace it
	Confirm   StepKind = "confirm"   // a later plain `up -d` would change nothing
	RecordEnd StepKind = "record"    // marks and holds into the journal
)

// Step is one thing that a deployment does.
type Step struct {
	Kind    StepKind `json:"kind"`
	Service string   `json:"service,omitempty"` // RollStep: the compose service; TaskStep: the service
	Wave    int      `json:"wave,omitempty"`    // RollStep: that of its move
	Task    string   `json:"task,omitempty"`    // TaskStep; SaveStep and LoadStep: the data's name
	Undo    bool     `json:"undo,omitempty"`    // TaskStep: what takes it back is run
	Of      string   `json:"of,omitempty"`      // TaskStep: the other deployment whose doing is taken back
	List    bool     `json:"list,omitempty"`    // TaskStep: what says what it would do is run
	Run     []string `json:"run,omitempty"`     // TaskStep of a plan that only runs it: the command
}

// Nothing reports whether the plan would change nothing.
func (p Plan) Nothing() bool {
	return len(p.Moves) == 0 && len(p.Marks) == 0 && p.Kind != Run && p.Kind != MoveData
}

// Changes are the edits of the compose files that the plan makes, in the order of its rolls.
func (p Plan) Changes() []compose.Change {
	var changes []compose.Change
	for _, m := range p.Moves {
		for _, r := range m.Rolls {
			changes = append(changes, r.Changes[0])
		}
	}
	return changes
}

// Steps derives the steps of a plan from its moves.
func Steps(t Target, moves []Move) []Step {
	if len(moves) == 0 {
		return []Step{{Kind: RecordEnd}}
	}
	list := []Step{{Kind: Preflight}}
	if t.Engine != EngineNone {
		list = append(list, Step{Kind: Pull})
	}
	list = append(list, t.taskSteps(moves, PhaseBackup)...)
	list = append(list, t.taskSteps(moves, PhaseBefore, PhaseMaintenance)...)
	list = append(list, backSteps(moves)...)
	for _, m := range moves {
		for _, r := range m.Rolls {
			list = append(list, Step{Kind: RollStep, Service: r.Service, Wave: m.Wave})
		}
	}
	list = append(list, t.taskSteps(moves, PhaseVerify)...)
	list = append(list, t.maintenanceOff(moves)...)
	list = append(list, t.taskSteps(moves, PhaseAfter)...)
	if t.Engine != EngineNone && t.Engine != EngineSwarm {
		list = append(list, Step{Kind: Confirm})
	}
	return append(list, Step{Kind: RecordEnd})
}

// Refusal is a deployment that a gate, a hold, a mark or drift forbids. Nothing was touched.
type Refusal struct {
	Service string
	Gate    string // verified, bad, held, drift, accept, older, nothing-good, locked, soak, closed, approval, …
	Reason  string
	Advice  string // the command that gets past it, if there is one
	Since   time.Time
}

func (r *Refusal) Error() string {
	if r.Service == "" {
		return r.Reason
	}
	return r.Service + ": " + r.Reason
}

// Hint returns what to do about it.
func (r *Refusal) Hint() string { return r.Advice }

// Locked reports whether somebody keeps the environment locked.
func (r *Refusal) Locked() bool { return r.Gate == gateLocked }
