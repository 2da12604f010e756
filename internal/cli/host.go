package cli

import (
	"context"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"promote/internal/host"
	"promote/internal/rollout"
)

// hostCommand is the far end. People don't type it: a client runs it over ssh.
func (p *program) hostCommand() *cli.Command {
	return &cli.Command{
		Name: "host", Hidden: true, Usage: "the host side of promote; not for people",
		Subcommands: []*cli.Command{
			{Name: "serve", Usage: "answer the requests that come on stdin", Action: func(c *cli.Context) error { return p.serve(c.Context) }},
			{Name: "work", Usage: "carry out a deployment that is described on stdin", Action: func(c *cli.Context) error { return p.work(c.Context) }},
		},
	}
}

func (p *program) serve(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if in, ok := p.in.(io.Closer); ok {
		defer context.AfterFunc(ctx, func() { in.Close() })()
	}
	return p.local(self).Serve(ctx, shownVersion(), p.in, p.out)
}

func (p *program) work(ctx context.Context) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := p.signals.following() // the first SIGTERM asks to put back; a second changes nothing
	go func() { <-stop; cancel() }()
	return host.Work(ctx, p.in, func(ctx context.Context, job host.Job) (*rollout.Machine, error) {
		return p.machine(ctx, job.Plan.Target)
	})
}
