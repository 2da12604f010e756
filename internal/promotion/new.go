package promotion

import (
	"fmt"
	"slices"
	"strings"

	"promote/compose"
	"promote/registry"
)

// New makes the plan that puts every chosen release in its place. A choice that is there already makes
// no move.
func New(r Request, choices []Choice) (Plan, error) {
	p := r.plan(r.Kind)
	for _, c := range choices {
		if err := r.add(&p, c); err != nil {
			return Plan{}, err
		}
	}
	if err := r.shared(p); err != nil {
		return Plan{}, err
	}
	if err := r.order(&p); err != nil {
		return Plan{}, err
	}
	p.Steps = Steps(r.Target, p.Moves)
	return p, nil
}

// plan is one of the request that does nothing yet.
func (r Request) plan(kind Kind) Plan {
	p := Plan{
		Schema: Schema, ID: r.ID, Kind: kind, By: r.By, Reason: r.Reason,
		Target: r.Target, Basis: r.State.Basis(), AcceptDrift: r.AcceptDrift, Emergency: r.Emergency,
		AcceptDigest: r.AcceptDigest,
	}
	p.Target.Name = r.State.Project
	return p
}

func (r Request) add(p *Plan, c Choice) error {
	if c.Skip != "" {
		p.Skipped = append(p.Skipped, Skip{Service: c.Service.Name, Reason: c.Skip})
		return nil
	}
	if err := r.gateDigest(&c); err != nil {
		return err
	}
	for _, text := range c.Notes {
		p.Notes = append(p.Notes, Note{Service: c.Service.Name, Text: text})
	}
	present := c.State.Present(c.Service.Tag)
	p.Marks = append(p.Marks, r.marks(c, present)...)
	if r.settled(c, present) {
		place := c.State.Parts[0].Compose.Place
		p.Stays = append(p.Stays, Stay{Service: c.Service.Name, Release: present, File: place.File, Line: place.Line})
		return nil
	}
	move, err := r.move(c, present)
	if err != nil {
		return err
	}
	notes, err := r.goBackOver(c, &move)
	if err != nil {
		return err
	}
	move.Tasks = r.tasks(c.Service, move.Undo)
	if err := r.checkTasks(move); err != nil {
		return err
	}
	p.Notes = append(append(p.Notes, r.unheeded(c)...), notes...)
	p.Notes = append(p.Notes, attachedNotes(move)...)
	p.Moves = append(p.Moves, move)
	return nil
}

// settled reports whether the service is on the release already, in the file and in what runs.
func (r Request) settled(c Choice, present registry.Release) bool {
	if !Same(present, c.Release) {
		return false
	}
	for _, part := range c.State.Parts {
		if part.Compose.Pin != r.pin(part.Compose.Pin, c.Release) || len(containerDrift(part, record{})) > 0 {
			return false
		}
	}
	return r.Target.Engine == EngineNone || c.State.Up()
}

func (r Request) move(c Choice, present registry.Release) (Move, error) {
	m := Move{Service: c.Service.Name, Image: c.Service.Image, From: present, To: c.Release}
	for i, part := range c.State.Parts {
		if part.Compose.Pin.Digest != "" && c.Release.Digest == "" {
			return Move{}, fmt.Errorf("%s: the file names its image by a digest, and that of %s is not known", part.Compose.Name, Label(c.Release))
		}
		roll := Roll{
			Service: part.Compose.Name, Replicas: max(1, part.Compose.Replicas),
			File: part.Compose.Place.File, Line: part.Compose.Place.Line,
			Update: part.Compose.Update, Changes: []compose.Change{r.change(part, c.Release)},
			Fresh: neverRan(part), OneShot: oneShot(part) || part.Compose.Completes, Awaited: part.Compose.Completes,
			Attached: part.Attached,
		}
		if err := r.setStrategy(&roll, c.Service, part, i > 0); err != nil {
			return Move{}, err
		}
		if r.Target.Engine == EngineCompose && r.goesBack(present, c.Release) && r.notStarted(roll, part) {
			roll.Strategy, roll.OneShot, roll.Why = NotStarted, true, "its work is to run once, and is not done on the way back"
		}
		m.Rolls = append(m.Rolls, roll)
	}
	m.Rolls = c.State.inOrder(m.Rolls)
	return m, nil
}

// attachedNotes say which services have to be made anew with the rolls of a move.
func attachedNotes(m Move) []Note {
	var notes []Note
	for _, roll := range m.Rolls {
		if len(roll.Attached) > 0 {
			notes = append(notes, Note{m.Service, fmt.Sprintf("in the namespaces of %s: %s; made anew right behind it, with a gap until then",
				roll.Service, strings.Join(roll.Attached, ", "))})
		}
	}
	return notes
}

// setStrategy settles how the roll's containers are replaced. worker is as of strategy.
func (r Request) setStrategy(roll *Roll, s Service, part Part, worker bool) (err error) {
	switch r.Target.Engine {
	case EngineNone:
		roll.Strategy, roll.Why = FileOnly, "somebody else applies the files"
		return nil
	case EngineSwarm:
		roll.Strategy, roll.Why, err = s.inSwarm(r.Target.Rollout.Strategy, part)
		return err
	}
	roll.Strategy, roll.Why, err = s.strategy(r.Target.Rollout.Strategy, part, worker)
	if err == nil && roll.Strategy == StartFirst {
		roll.Dark, roll.Proxies = s.Dark, s.Proxies(r.State.Project, part)
		roll.Why = promise(roll.Proxies)
	}
	return err
}

func (r Request) change(part Part, release registry.Release) compose.Change {
	return compose.Change{Service: part.Compose.Name, From: part.Compose.Pin, To: r.pin(part.Compose.Pin, release)}
}

// pin is how a release is written where another one stands now: with a digest where there was one,
// or where the environment asks for it.
func (r Request) pin(now compose.Pin, release registry.Release) compose.Pin {
	pin := compose.Pin{Tag: release.Tag}
	switch {
	case now.Digest != "" && now.Tag == "":
		return compose.Pin{Digest: release.Digest}
	case now.Digest != "" || r.Target.Digests:
		pin.Digest = release.Digest
	}
	return pin
}

// marks are what the journal will say when the plan ends well. That a release is verified is not among
// them: only the rollout can know.
func (r Request) marks(c Choice, present registry.Release) []Mark {
	mark := func(kind MarkKind, release registry.Release) Mark {
		return Mark{Service: c.Service.Name, Kind: kind, Release: release, By: r.By, Reason: r.Reason, Deployment: r.ID}
	}
	var marks []Mark
	moved := !r.settled(c, present)
	record := fold(c.State.Marks)
	if moved && len(record.ran) == 0 && c.State.Up() && r.Target.Engine != EngineNone {
		first := mark(Running, present) // what ran before the first deployment is where its rollback goes
		first.Deployment = ""
		marks = append(marks, first)
	}
	if moved || !Same(record.current, c.Release) {
		marks = append(marks, mark(Running, c.Release))
	}
	if r.Again && verdict(record.bad, c.Release) != nil {
		marks = append(marks, mark(Cleared, c.Release))
	}
	if r.Kind == Rollback {
		marks = append(marks, mark(Bad, present))
	}
	if r.Kind == Pin || r.Kind == Rollback {
		hold := mark(Held, c.Release)
		hold.Left, hold.Keep, hold.Until = r.left(c.Service, present), r.Keep, r.Until
		marks = append(marks, hold)
	}
	if r.Kind == Deploy && c.Left != nil {
		marks = append(marks, mark(Freed, c.Release))
	}
	return marks
}

// left is the newest release that a hold keeps away: what the service was on, or for a pin what deploy
// would have taken instead. Only what is published after that ends the hold.
func (r Request) left(s Service, present registry.Release) registry.Release {
	if r.Kind == Pin {
		if instead, err := r.deployable(s, Want{Service: s.Name}); err == nil && present.Version.Less(instead.Version) {
			return instead
		}
	}
	return present
}

// shared adds to every roll the changes that stand at the same place of the file, and refuses a place
// that also decides the image of a service outside the plan.
func (r Request) shared(p Plan) error {
	all := map[string]compose.Change{}
	for _, change := range p.Changes() {
		all[change.Service] = change
	}
	for _, m := range p.Moves {
		for i, roll := range m.Rolls {
			for _, other := range r.sharers(roll.Service) {
				change, planned := all[other]
				if !planned {
					return refuse(m.Service, "shared", "%s:%d also decides the version of %s, which this would not move",
						"name that service too, or give it a version of its own", roll.File, roll.Line, other)
				}
				m.Rolls[i].Changes = append(m.Rolls[i].Changes, change)
			}
		}
	}
	return nil
}

// sharers are the other compose services whose version stands in the same place.
func (r Request) sharers(service string) []string {
	for _, s := range r.State.Services {
		for _, part := range s.Parts {
			if part.Compose.Name == service {
				return slices.DeleteFunc(slices.Clone(part.Compose.Place.Services), func(name string) bool { return name == service })
			}
		}
	}
	return nil
}
