package deploy

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"promote/internal/config"
	"promote/internal/host"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

// Transfer is data on its way from one environment to another, or on its way back.
type Transfer struct {
	*HostDeployment              // of the first host: what several share is to be done to once
	From            *Environment // the first host of it; nil on the way back
	Only            string       // the name of the data that is meant; empty: all
}

// PrepareTransfer refuses what never goes: from is the environment that data is taken from, empty to load back
// what the last transfer replaced.
func (c *Client) PrepareTransfer(from, only string, to Request) (*Transfer, error) {
	d, err := c.Prepare(to)
	if err != nil {
		return nil, err
	}
	t := &Transfer{HostDeployment: d.first(), Only: only}
	if from == "" {
		return t, promotion.Open(t.Env.Name, t.Env.Protected)
	}
	sources, err := c.Connections.Open(c.Config, from)
	if err != nil {
		return nil, err
	}
	t.From = sources[0]
	return t, ladderOf(c.Config).Descend(t.From.Name, t.Env.Name, t.Env.Protected)
}

func ladderOf(cfg *config.Config) promotion.Ladder {
	ladder := promotion.Ladder{}
	for _, e := range cfg.Environments {
		ladder[e.Name] = e.From
	}
	return ladder
}

// Plan looks at both ends and makes the plan.
func (t *Transfer) Plan(ctx context.Context) (promotion.Plan, error) {
	if err := t.lookAtEnds(ctx); err != nil {
		return promotion.Plan{}, err
	}
	if t.From == nil {
		return t.planWayBack(ctx)
	}
	items, err := t.items(func(name string) bool { return t.Only == "" || name == t.Only })
	if err != nil {
		return promotion.Plan{}, err
	}
	for _, d := range items {
		if err := t.From.Target.Holds(d); err != nil {
			return promotion.Plan{}, err
		}
	}
	return promotion.Replace(t.Request, t.From.Name, items)
}

// lookAtEnds looks at both ends, side by side. Data is neither replaced nor taken where that was broken off before.
func (t *Transfer) lookAtEnds(ctx context.Context) error {
	ends := []*Environment{t.Env}
	if t.From != nil {
		ends = append(ends, t.From)
	}
	states := make([]promotion.State, len(ends))
	group, ctx := errgroup.WithContext(ctx)
	for i, end := range ends {
		group.Go(func() (err error) { states[i], err = end.Side.State(ctx); return err })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, end := range ends {
		if interrupted := states[i].Interrupted; interrupted != nil {
			return &InterruptedError{end, interrupted}
		}
	}
	t.Request.State = states[0]
	return nil
}

// planWayBack takes back the last transfer that ended well.
func (t *Transfer) planWayBack(ctx context.Context) (promotion.Plan, error) {
	list, err := t.Env.history(ctx)
	if err != nil {
		return promotion.Plan{}, err
	}
	for _, one := range list {
		if one.Data == nil || one.Outcome != string(rollout.OutcomeDone) || t.Only != "" && !slices.Contains(one.Data.Names, t.Only) {
			continue
		}
		items, err := t.items(func(name string) bool {
			return slices.Contains(one.Data.Names, name) && (t.Only == "" || name == t.Only)
		})
		if err != nil {
			return promotion.Plan{}, err
		}
		return promotion.Reinstate(t.Request, one.ID, items)
	}
	return promotion.Plan{}, &UsageError{Text: "no data of " + t.Env.Name + " was replaced yet", Advice: "promote history " + t.Env.Name}
}

// items are the data of promote.yaml that is wanted.
func (t *Transfer) items(wanted func(name string) bool) ([]promotion.Data, error) {
	var items []promotion.Data
	var names []string
	for _, d := range t.Config.Data {
		names = append(names, d.Name)
		if wanted(d.Name) {
			items = append(items, promotion.Data{
				Name: d.Name, In: d.In, Dump: argv(d.Dump), Anonymise: argv(d.Anonymise), Load: argv(d.Load), Timeout: d.Timeout,
			})
		}
	}
	switch {
	case len(names) == 0:
		return nil, &UsageError{Text: t.Config.Path + " has no data", Advice: "data: […]   # in promote.yaml, see docs/data.md"}
	case len(items) == 0:
		return nil, &UsageError{Text: "there is no such data; there is " + strings.Join(names, ", "), Advice: "promote data --help"}
	}
	return items, nil
}

// CarryOut has the worker at the target replace the data, and brings it what it waits for.
func (t *Transfer) CarryOut(ctx context.Context, plan promotion.Plan, control Control) error {
	moving, stop := context.WithCancel(ctx)
	defer stop()
	var group sync.WaitGroup
	var lost error // contact with one of the ends, while data moved
	there := control.host(t.HostDeployment, control.Follow())
	tell := there.Tell
	there.Tell = func(e rollout.Event) {
		tell(e)
		if item := awaitedItem(plan, e); item != nil {
			group.Go(func() {
				err := host.Move(moving, t.From.Side, t.Env.Side, plan.ID, *item, func(e rollout.Event) {
					e.Seq = 0 // it is none of the deployment's
					control.Tell(t.From.Host, e)
				})
				if gone := (*host.ConnectionError)(nil); errors.As(err, &gone) {
					lost = gone
				}
			})
		}
	}
	err := t.apply(ctx, host.Job{Plan: plan}, there)
	stop()
	group.Wait()
	if outcome := (*OutcomeError)(nil); errors.As(err, &outcome) && lost != nil {
		outcome.Result.Error = lost.Error()
	}
	return err
}

// awaitedItem is the data that an event says a worker waits for.
func awaitedItem(plan promotion.Plan, e rollout.Event) *promotion.Data {
	if !plan.Streamed() || e.Step != promotion.LoadStep || e.Status != rollout.Started {
		return nil
	}
	for i := range plan.Data.Items {
		if plan.Data.Items[i].Name == e.Task {
			return &plan.Data.Items[i]
		}
	}
	return nil
}

// Migration is the first task that may have something to do with data that is new.
func (t *Transfer) Migration() string {
	for _, s := range t.Env.Target.Services {
		for _, task := range s.Tasks {
			if task.Phase == promotion.PhaseBefore && len(task.List) > 0 {
				return task.Name
			}
		}
	}
	return ""
}
