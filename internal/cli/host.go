package cli

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"promote/internal/host"
	"promote/internal/rollout"
)

// hostCommand is the far end. People don't type it: a client runs it over ssh.
func (p *program) hostCommand() *cli.Command {
	return &cli.Command{
		Name: "host", Hidden: true, Usage: "the host side of promote; not for people",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "project", Usage: "in authorized_keys: the only project directory that a key may move versions in"},
			&cli.StringFlag{Name: "as", Usage: "in authorized_keys: who uses the key, for the history"},
		},
		Action: p.limited,
		Subcommands: []*cli.Command{
			{Name: "serve", Usage: "answer the requests that come on stdin", Action: func(c *cli.Context) error { return p.serve(c.Context, nil) }},
			{Name: "work", Usage: "carry out a deployment that is described on stdin", Action: func(c *cli.Context) error { return p.work(c.Context) }},
		},
	}
}

// limited is what a key in authorized_keys is limited to. What the client asked ssh to run is ignored.
func (p *program) limited(c *cli.Context) error {
	if c.String("project") == "" {
		return wrongArguments(c, "host is run by promote itself, over ssh")
	}
	allow, err := host.Allow(c.String("project"))
	if err != nil {
		return err
	}
	allow.As = c.String("as")
	return p.serve(c.Context, allow)
}

func (p *program) serve(ctx context.Context, allow *host.Allowance) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if allow == nil {
		_ = host.Tidy(self, time.Now()) // what can't be removed today is no reason not to answer
	}
	if in, ok := p.in.(io.Closer); ok {
		defer context.AfterFunc(ctx, func() { in.Close() })()
	}
	local := p.local(self)
	local.Allow = allow
	return local.Serve(ctx, shownVersion(), p.in, p.out)
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
