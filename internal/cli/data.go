package cli

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"promote/internal/config"
	"promote/internal/host"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

func (p *program) dataCommand() *cli.Command {
	return p.command(entry{
		name: "data", args: "FROM TO", usage: "replace the data of an environment by that of one above it, anonymised",
		examples: []string{
			"promote data prod staging        staging is typed to confirm it, or --yes=staging",
			"promote data prod staging -n     what would be dumped, hidden and loaded, and where",
			"promote data staging --undo      what the last one replaced, back again",
		},
		flags: []cli.Flag{
			dryRunFlag, yesFlag(), reasonFlag, waitFlag,
			&cli.StringFlag{Name: "only", Usage: "only the data with this `NAME`, where there are several"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "undo", Usage: "load back what the last data replaced"},
		},
		run: p.moveData,
	})
}

// transfer is data on its way, or on its way back.
type transfer struct {
	*deployment              // of the first host: what several share is to be done to once
	from        *environment // the first host of it; nil on the way back
}

func (p *program) moveData(ctx context.Context, c *cli.Context) error {
	t, err := p.transfer(c)
	if err != nil {
		return err
	}
	if err := t.lookAround(ctx); err != nil {
		return err
	}
	plan, err := t.planData(ctx, c)
	if err != nil {
		return err
	}
	f := fleet{t.deployment}
	if c.Bool("dry-run") {
		return p.answerPlans(f, []promotion.Plan{plan})
	}
	if screen := p.screen; !screen.JSON && !screen.Quiet {
		screen.Plan(screen.Err, plan)
	}
	if err := t.confirm(c); err != nil {
		return err
	}
	if err := t.carryOut(ctx, c, plan); err != nil {
		return err
	}
	return t.answer(plan)
}

// lookAround looks at both ends, side by side. Data is neither replaced nor taken where that was broken off before.
func (t *transfer) lookAround(ctx context.Context) error {
	ends := []*environment{t.env}
	if t.from != nil {
		ends = append(ends, t.from)
	}
	states := make([]promotion.State, len(ends))
	group, ctx := errgroup.WithContext(ctx)
	for i, end := range ends {
		group.Go(func() (err error) { states[i], err = end.side.State(ctx); return err })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, end := range ends {
		if interrupted := states[i].Interrupted; interrupted != nil {
			return &interruptedError{end, interrupted}
		}
	}
	t.request.State = states[0]
	return nil
}

// transfer reads FROM TO, or TO --undo, and refuses what never goes.
func (p *program) transfer(c *cli.Context) (*transfer, error) {
	wanted := 2
	if c.Bool("undo") {
		wanted = 1
	}
	if c.NArg() != wanted {
		return nil, wrongArguments(c, "data goes FROM an environment TO one below it; --undo wants TO only")
	}
	cfg, err := p.load(c)
	if err != nil {
		return nil, err
	}
	to, err := p.environments(cfg, c.Args().Get(wanted-1))
	if err != nil {
		return nil, err
	}
	f, err := p.deploymentsOf(c, cfg, to, promotion.MoveData, nil)
	if err != nil {
		return nil, err
	}
	if c.Bool("undo") {
		return &transfer{deployment: f[0]}, promotion.Open(to[0].Name, to[0].Protected)
	}
	from, err := p.environments(cfg, c.Args().First())
	if err != nil {
		return nil, err
	}
	return &transfer{deployment: f[0], from: from[0]}, ladderOf(cfg).Descend(from[0].Name, to[0].Name, to[0].Protected)
}

func ladderOf(cfg *config.Config) promotion.Ladder {
	ladder := promotion.Ladder{}
	for _, e := range cfg.Environments {
		ladder[e.Name] = e.From
	}
	return ladder
}

// planData makes the plan of what the command line asks for.
func (t *transfer) planData(ctx context.Context, c *cli.Context) (promotion.Plan, error) {
	only := c.String("only")
	if t.from == nil {
		return t.planUndo(ctx, only)
	}
	items, err := t.items(func(name string) bool { return only == "" || name == only })
	if err != nil {
		return promotion.Plan{}, err
	}
	for _, d := range items {
		if err := t.from.target.Holds(d); err != nil {
			return promotion.Plan{}, err
		}
	}
	return promotion.Replace(t.request, t.from.Name, items)
}

// planUndo takes back the last one that ended well.
func (t *transfer) planUndo(ctx context.Context, only string) (promotion.Plan, error) {
	list, err := t.deployments(ctx)
	if err != nil {
		return promotion.Plan{}, err
	}
	for _, one := range list {
		if one.Data == nil || one.Outcome != string(rollout.OutcomeDone) || only != "" && !slices.Contains(one.Data.Names, only) {
			continue
		}
		items, err := t.items(func(name string) bool {
			return slices.Contains(one.Data.Names, name) && (only == "" || name == only)
		})
		if err != nil {
			return promotion.Plan{}, err
		}
		return promotion.Reinstate(t.request, one.ID, items)
	}
	return promotion.Plan{}, &usage{text: "no data of " + t.env.Name + " was replaced yet", hint: "promote history " + t.env.Name}
}

// items are the data of promote.yaml that is wanted.
func (t *transfer) items(wanted func(name string) bool) ([]promotion.Data, error) {
	var items []promotion.Data
	var names []string
	for _, d := range t.cfg.Data {
		names = append(names, d.Name)
		if wanted(d.Name) {
			items = append(items, promotion.Data{
				Name: d.Name, In: d.In, Dump: argv(d.Dump), Anonymise: argv(d.Anonymise), Load: argv(d.Load), Timeout: d.Timeout,
			})
		}
	}
	switch {
	case len(names) == 0:
		return nil, &usage{text: t.cfg.Path + " has no data", hint: "data: […]   # in promote.yaml, see docs/data.md"}
	case len(items) == 0:
		return nil, &usage{text: "there is no such data; there is " + strings.Join(names, ", "), hint: "promote data --help"}
	}
	return items, nil
}

// carryOut has the worker at the target replace the data, and brings it what it waits for.
func (t *transfer) carryOut(ctx context.Context, c *cli.Context, plan promotion.Plan) error {
	progress := t.screen.Progress()
	defer progress.Close()
	moving, stop := context.WithCancel(ctx)
	defer stop()
	var group sync.WaitGroup
	var lost error // contact with one of the ends, while data moved
	tell := t.tell(progress)
	err := t.apply(ctx, host.Job{Plan: plan}, host.Control{Wait: c.Duration("wait"), Stop: t.signals.following(), Tell: func(e rollout.Event) {
		tell(e)
		if item := waited(plan, e); item != nil {
			group.Go(func() {
				err := host.Move(moving, t.from.side, t.env.side, plan.ID, *item, func(e rollout.Event) {
					e.Seq = 0 // it is none of the deployment's
					progress.Event(t.from.host, e)
				})
				if gone := (*host.ConnectionError)(nil); errors.As(err, &gone) {
					lost = gone
				}
			})
		}
	}})
	stop()
	group.Wait()
	if outcome := (*outcomeError)(nil); errors.As(err, &outcome) && lost != nil {
		outcome.Result.Error = lost.Error()
	}
	return err
}

// waited is the data that an event says a worker waits for.
func waited(plan promotion.Plan, e rollout.Event) *promotion.Data {
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

func (t *transfer) answer(plan promotion.Plan) error {
	if t.screen.JSON {
		return nil
	}
	var names []string
	for _, d := range plan.Data.Items {
		names = append(names, d.Name)
	}
	what := "has that of " + plan.Data.From
	if plan.Data.Undo != "" {
		what = "is as it was before " + plan.Data.Undo
	}
	t.screen.Answer("%s %s %s; back again: promote data %s --undo", t.env.Name, strings.Join(names, ", "), what, t.env.Name)
	if task := t.migration(); task != "" && plan.Data.Undo == "" {
		t.screen.Say("the data is as old as the code of %s; where %s has newer code: promote run %s %s", plan.Data.From, t.env.Name, t.env.Name, task)
	}
	return nil
}

// migration is the first task that may have something to do with data that is new.
func (t *transfer) migration() string {
	for _, s := range t.env.target.Services {
		for _, task := range s.Tasks {
			if task.Phase == promotion.PhaseBefore && len(task.List) > 0 {
				return task.Name
			}
		}
	}
	return ""
}
