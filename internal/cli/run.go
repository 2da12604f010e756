package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"promote/internal/host"
	"promote/internal/promotion"
)

func (p *program) runCommand() *cli.Command {
	return p.command(entry{
		name: "run", args: "ENV [SERVICE] TASK [-- ARG…]", usage: "run a task of a service by itself, as the service is now",
		examples: []string{
			"promote run prod migrate                 on the host, in a container of the image that runs there",
			"promote run prod migrate --list          only say what it would do",
			"promote run prod migrate --undo          take it back",
			"promote run prod migrate --undo -- 0041  with an argument for the command",
		},
		flags: []cli.Flag{
			dryRunFlag, yesFlag(), reasonFlag, waitFlag,
			&cli.BoolFlag{DisableDefaultText: true, Name: "undo", Usage: "run what takes it back"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "list", Usage: "run what says what it would do"},
		},
		run: p.runTask,
	})
}

func (p *program) runTask(ctx context.Context, c *cli.Context) error {
	args, handed := handedOn(c)
	if len(args) < 2 || len(args) > 3 || c.Bool("undo") && c.Bool("list") {
		return wrongArguments(c, "run which task, where?")
	}
	cfg, err := p.load(c)
	if err != nil {
		return err
	}
	environments, err := p.environments(cfg, args[0])
	if err != nil {
		return err
	}
	f, err := p.deploymentsOf(c, cfg, environments, promotion.Run, nil)
	if err != nil {
		return err
	}
	service, task, err := taskNamed(args[1:], f[0].env.target)
	if err != nil {
		return err
	}
	do := promotion.Doing{Undo: c.Bool("undo"), List: c.Bool("list"), Args: handed}
	if err := f.look(ctx); err != nil {
		return err
	}
	// What several hosts share, such as a database, is to be done to once.
	plan, err := promotion.RunTask(f[0].request, service, task.Name, do)
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		p.screen.Answer("%s", promotion.CommandLine(do.Command(task)))
		return nil
	}
	if err := f[0].confirm(c); err != nil {
		return err
	}
	return f[0].runPlan(ctx, c, plan)
}

// runPlan carries out the plan of one task.
func (d *deployment) runPlan(ctx context.Context, c *cli.Context, plan promotion.Plan) error {
	job, err := d.job(ctx, plan)
	if err != nil {
		return err
	}
	progress := d.screen.Progress()
	defer progress.Close()
	if task, _ := plan.Target.Task(plan.Steps[0].Service, plan.Steps[0].Task); task.In == promotion.InHere {
		return d.taskHere(ctx, plan, plan.Steps[0], progress)
	}
	err = d.apply(ctx, job, host.Control{Wait: c.Duration("wait"), Stop: d.signals.following(), Tell: d.tell(progress)})
	if outcome := (*outcomeError)(nil); errors.As(err, &outcome) {
		outcome.task = true
	}
	return err
}

// taskNamed finds [SERVICE] TASK; the service may be left out where one alone has such a task.
func taskNamed(args []string, t promotion.Target) (service string, task promotion.Task, err error) {
	name, wanted := args[len(args)-1], ""
	if len(args) == 2 {
		wanted = args[0]
	}
	var found, all []string
	for _, s := range t.Services {
		for _, one := range s.Tasks {
			all = append(all, s.Name+" "+one.Name)
			if one.Name == name && (wanted == "" || wanted == s.Name) {
				found, service, task = append(found, s.Name), s.Name, one
			}
		}
	}
	switch {
	case len(found) == 0 && len(all) == 0:
		return "", task, &usage{text: t.Environment + " has no tasks", hint: "tasks: […]   # of a service in promote.yaml"}
	case len(found) == 0:
		return "", task, &usage{text: fmt.Sprintf("%s has no task %q; there are %s", t.Environment, name, strings.Join(all, ", ")), hint: "promote run --help"}
	case len(found) > 1:
		return "", task, &usage{text: fmt.Sprintf("several services have a task %s: %s", name, strings.Join(found, ", ")), hint: fmt.Sprintf("promote run %s %s %s", t.Environment, found[0], name)}
	}
	return service, task, nil
}

// compare finds out which files differ between what a service is on and what was chosen, where a task asks. What
// can't be found out is no error: the task runs then.
func (d *deployment) compare(ctx context.Context, choices []promotion.Choice) error {
	d.request.Files = map[string]promotion.Files{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range choices {
		asks := slices.ContainsFunc(c.Service.Tasks, func(t promotion.Task) bool { return len(t.Changed) > 0 })
		if c.Skip != "" || !asks {
			continue
		}
		group.Go(func() error {
			files, err := d.changedFiles(ctx, c)
			mu.Lock()
			defer mu.Unlock()
			d.request.Files[c.Service.Name] = files
			return err
		})
	}
	return group.Wait()
}

func (d *deployment) changedFiles(ctx context.Context, c promotion.Choice) (promotion.Files, error) {
	present := c.State.Present(c.Service.Tag)
	if present.Digest == "" && !c.State.Up() && d.env.target.Engine != promotion.EngineNone {
		return promotion.Files{}, nil // the file names a release that never ran there
	}
	o, unknown, err := d.origins(ctx, c.Service.Name, present, c.Release)
	if err != nil || unknown != "" {
		return promotion.Files{}, err
	}
	changed, err := o.repo.ChangedFiles(ctx, o.from, o.to, o.path)
	if err != nil {
		return promotion.Files{}, ctx.Err() // such as a revision that is not here
	}
	prefix, err := filepath.Rel(o.repo.Root(), filepath.Join(d.cfg.Dir, o.path))
	if err != nil || !filepath.IsLocal(prefix) {
		return promotion.Files{}, nil // reached through a link
	}
	files := promotion.Files{Known: true}
	for _, file := range changed {
		files.Changed = append(files.Changed, strings.TrimPrefix(file, filepath.ToSlash(prefix)+"/"))
	}
	return files, nil
}
