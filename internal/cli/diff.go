package cli

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"promote/internal/notes"
	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/internal/ui"
)

func (p *program) diffCommand() *cli.Command {
	return p.command(entry{
		name: "diff", args: "ENV [SERVICE[@VERSION]…]", usage: "show what deploy would do: versions, commits, files, tasks, strategies, gates",
		examples: []string{
			"promote diff prod              what would go to prod",
			"promote diff prod --exit-code  10 when something is pending",
			"promote diff prod --markdown   for a pull request",
			"promote diff prod --pending    and what migrations say that they would do",
		},
		flags: []cli.Flag{
			exitFlag, againFlag, acceptFlag, &cli.BoolFlag{DisableDefaultText: true, Name: "downgrade", Usage: "as with deploy"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "markdown", Usage: "answer as Markdown"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "long", Usage: "list all commits and files"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "pending", Usage: "have the tasks there say what is pending; pulls the new images"},
		},
		run: p.diff,
	})
}

func (p *program) diff(ctx context.Context, c *cli.Context) error {
	f, err := p.deployments(c, promotion.Deploy)
	if err != nil {
		return err
	}
	plans, err := f.plan(ctx)
	if err != nil {
		return err
	}
	p.screen.Values(ui.Value{Name: "changes", Text: strconv.FormatBool(!nothing(plans))})
	shown := f.shown(plans)
	if shown[0].Contents, err = f[0].contents(ctx, plans[0]); err != nil {
		return err
	}
	if c.Bool("pending") {
		if shown[0].Pending, err = f[0].pending(ctx, plans[0]); err != nil {
			return err
		}
	}
	switch {
	case !p.screen.JSON && nothing(plans):
		err = p.answerNothing(f, plans)
	case p.screen.JSON:
		err = p.screen.PlansObject(shown)
	case c.Bool("markdown"):
		p.screen.PlanMarkdown(p.out, shown[0], func(text string) string { return notes.Escape(text) })
	default:
		p.screen.Plans(p.out, shown)
		p.screen.Contents(p.out, shown[0].Contents, c.Bool("long"))
		p.screen.Pending(p.out, shown[0].Pending, c.Bool("long"))
	}
	if err == nil && c.Bool("exit-code") && !nothing(plans) {
		err = &quietError{exitPending}
	}
	return err
}

// pending asks the tasks there what they would do; of several hosts, those of the first.
func (d *deployment) pending(ctx context.Context, plan promotion.Plan) ([]rollout.Pending, error) {
	if len(plan.Moves) == 0 {
		return nil, nil
	}
	job, err := d.job(ctx, plan)
	if err != nil {
		return nil, err
	}
	return d.env.side.Pending(ctx, job)
}

// contents are what the moves of a plan bring: the commits and files between the revisions that both images were
// built from, and what the upstream environment sets and this one does not.
func (d *deployment) contents(ctx context.Context, plan promotion.Plan) ([]ui.Contents, error) {
	list := make([]ui.Contents, len(plan.Moves))
	group, ctx := errgroup.WithContext(ctx)
	for i, m := range plan.Moves {
		group.Go(func() (err error) {
			list[i], err = d.contentsOf(ctx, m)
			list[i].Unset, list[i].Only = d.variables(m.Service)
			list[i].Touched = d.touched(m)
			return err
		})
	}
	return list, group.Wait()
}

func (d *deployment) contentsOf(ctx context.Context, m promotion.Move) (ui.Contents, error) {
	contents := ui.Contents{Service: m.Service, From: promotion.Label(m.From), To: promotion.Label(m.To)}
	if promotion.Same(m.From, m.To) {
		return contents, nil
	}
	o, unknown, err := d.origins(ctx, m.Service, m.From, m.To)
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
	for _, c := range withoutBumps(log) {
		contents.Commits = append(contents.Commits, ui.Commit{Hash: c.Hash, Subject: c.Subject, Author: c.Author, At: c.Time})
	}
	return contents, ctx.Err()
}

// touched are the files that the tasks of a move wait for.
func (d *deployment) touched(m promotion.Move) []ui.Touched {
	var list []ui.Touched
	for _, task := range d.env.target.TasksOf(m) {
		if files := task.WaitsFor(d.request.Files[m.Service]); len(files) > 0 {
			list = append(list, ui.Touched{Task: task.Name, Files: files})
		}
	}
	return list
}

// variables are the names of those that the upstream environment gives a service and this one does not, and the
// other way round.
func (d *deployment) variables(service string) (unset, only []string) {
	if d.request.Upstream == nil {
		return nil, nil
	}
	here, there := names(d.request.State, service), names(*d.request.Upstream, service)
	return without(there, here), without(here, there)
}

// without are the names that only the first has.
func without(list, other map[string]bool) []string {
	rest := maps.Clone(list)
	maps.DeleteFunc(rest, func(name string, _ bool) bool { return other[name] })
	return slices.SortedFunc(maps.Keys(rest), func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
}

// names are those of the variables that a service's containers get.
func names(s promotion.State, service string) map[string]bool {
	found := map[string]bool{}
	state, _ := s.Service(service)
	for _, part := range state.Parts {
		for _, name := range part.Given {
			found[name] = true
		}
	}
	return found
}
