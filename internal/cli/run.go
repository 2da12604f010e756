package cli

import (
	"context"

	"github.com/urfave/cli/v2"

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
	request, err := requestOf(c, promotion.Run)
	if err != nil {
		return err
	}
	client, err := p.client(c)
	if err != nil {
		return err
	}
	request.Environment = args[0]
	d, err := client.Prepare(request)
	if err != nil {
		return err
	}
	service, task, err := d.FindTask(args[1:])
	if err != nil {
		return err
	}
	do := promotion.Doing{Undo: c.Bool("undo"), List: c.Bool("list"), Args: handed}
	plan, err := d.PlanTask(ctx, service, task.Name, do)
	if err != nil {
		return err
	}
	if c.Bool("dry-run") {
		p.screen.Answer("%s", promotion.CommandLine(do.Command(task)))
		return nil
	}
	if err := p.confirm(c, d.Hosts[0]); err != nil {
		return err
	}
	follower := &follower{program: p}
	defer follower.close()
	return d.RunTask(ctx, plan, follower.control(c))
}
