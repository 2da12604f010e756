package deploy

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"promote/internal/promotion"
	"promote/internal/release"
	"promote/internal/rollout"
)

// Contents are what a move brings besides another version.
type Contents struct {
	Service string    `json:"service"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Back    bool      `json:"back,omitempty"` // the commits are taken back
	Commits []Commit  `json:"commits,omitempty"`
	Files   []string  `json:"files,omitempty"`
	Unknown string    `json:"unknown,omitempty"` // why commits and files are not known
	Touched []Touched `json:"touched,omitempty"`
	Unset   []string  `json:"unset,omitempty"` // variables that the upstream environment sets, and this one does not; never their values
	Only    []string  `json:"only,omitempty"`  // variables that this environment sets, and the upstream one does not
}

// Touched are the files that a task waits for, of those that a move brings.
type Touched struct {
	Task  string   `json:"task"`
	Files []string `json:"files"`
}

// Commit is one that a move brings.
type Commit struct {
	Hash    string    `json:"hash"`
	Subject string    `json:"subject"`
	Author  string    `json:"author"`
	At      time.Time `json:"at"`
}

// Contents finds out what the moves of a plan bring: the commits and files between the revisions that both images
// were built from, and what the upstream environment sets and this one does not. Of several hosts, the first is
// asked.
func (d *Deployment) Contents(ctx context.Context, plan promotion.Plan) ([]Contents, error) {
	h := d.first()
	list := make([]Contents, len(plan.Moves))
	group, ctx := errgroup.WithContext(ctx)
	for i, m := range plan.Moves {
		group.Go(func() (err error) {
			list[i], err = h.contentsOf(ctx, m)
			list[i].Unset, list[i].Only = h.compareVariables(m.Service)
			list[i].Touched = h.touchedFiles(m)
			return err
		})
	}
	return list, group.Wait()
}

// Pending has the tasks there say what they would do; of several hosts, those of the first.
func (d *Deployment) Pending(ctx context.Context, plan promotion.Plan) ([]rollout.Pending, error) {
	if len(plan.Moves) == 0 {
		return nil, nil
	}
	job, err := d.first().job(ctx, plan)
	if err != nil {
		return nil, err
	}
	return d.first().Env.Side.Pending(ctx, job)
}

func (h *HostDeployment) contentsOf(ctx context.Context, m promotion.Move) (Contents, error) {
	contents := Contents{Service: m.Service, From: promotion.Label(m.From), To: promotion.Label(m.To)}
	if promotion.Same(m.From, m.To) {
		return contents, nil
	}
	o, unknown, err := h.findOrigins(ctx, m.Service, m.From, m.To)
	if contents.Unknown = unknown; err != nil || unknown != "" {
		return contents, err
	}
	if contents.Back = m.To.Version.Less(m.From.Version); contents.Back {
		o.from, o.to = o.to, o.from
	}
	log, err := o.repo.Log(ctx, o.from, o.to, o.path)
	if err == nil {
		contents.Files, err = o.repo.ChangedFiles(ctx, o.from, o.to, o.path)
	}
	if err != nil && ctx.Err() == nil {
		contents.Unknown = err.Error() // such as a commit that was never fetched
	}
	for _, c := range log {
		if !release.IsBump(c) {
			contents.Commits = append(contents.Commits, Commit{Hash: c.Hash, Subject: c.Subject, Author: c.Author, At: c.Time})
		}
	}
	return contents, ctx.Err()
}

// touchedFiles are the files that the tasks of a move wait for.
func (h *HostDeployment) touchedFiles(m promotion.Move) []Touched {
	var list []Touched
	for _, task := range h.Env.Target.TasksOf(m) {
		if files := task.WaitsFor(h.Request.Files[m.Service]); len(files) > 0 {
			list = append(list, Touched{Task: task.Name, Files: files})
		}
	}
	return list
}

// compareVariables names the variables that the upstream environment gives a service and this one does not, and
// the other way round.
func (h *HostDeployment) compareVariables(service string) (unset, only []string) {
	if h.Request.Upstream == nil {
		return nil, nil
	}
	here, there := givenVariables(h.Request.State, service), givenVariables(*h.Request.Upstream, service)
	return missingNames(there, here), missingNames(here, there)
}

// missingNames are the names that only the first has.
func missingNames(list, other map[string]bool) []string {
	rest := maps.Clone(list)
	maps.DeleteFunc(rest, func(name string, _ bool) bool { return other[name] })
	return slices.SortedFunc(maps.Keys(rest), func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
}

// givenVariables are the names of those that a service's containers get.
func givenVariables(s promotion.State, service string) map[string]bool {
	found := map[string]bool{}
	state, _ := s.Service(service)
	for _, part := range state.Parts {
		for _, name := range part.Given {
			found[name] = true
		}
	}
	return found
}
