package cli

import (
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"promote/internal/deploy"
	"promote/internal/promotion"
	"promote/internal/rollout"
	"promote/internal/ui"
)

// prepare reads what the commands of a deployment have in common: ENV and SERVICE[@VERSION]….
func (p *program) prepare(c *cli.Context, kind promotion.Kind) (*deploy.Deployment, error) {
	if !c.Args().Present() {
		return nil, wrongArguments(c, "%s which environment?", c.Command.Name)
	}
	request, err := requestOf(c, kind)
	if err != nil {
		return nil, err
	}
	request.Environment, request.Services = c.Args().First(), c.Args().Tail()
	client, err := p.client(c)
	if err != nil {
		return nil, err
	}
	return client.Prepare(request)
}

// requestOf reads the flags that say what is wanted of an environment.
func requestOf(c *cli.Context, kind promotion.Kind) (r deploy.Request, err error) {
	r = deploy.Request{
		Kind: kind, Reason: c.String("reason"), Look: c.Command.Name == "diff" || c.Command.Name == "approve",
		Options: promotion.Options{
			Again: c.Bool("again"), Downgrade: c.Bool("downgrade"), Keep: c.Bool("keep"), AcceptDrift: c.Bool("accept-drift"),
			AcceptDigest: c.Bool("accept-digest"), Emergency: c.Bool("emergency"), Schema: c.String("schema"),
		},
	}
	for _, flag := range []string{"emergency", "accept-digest"} {
		if c.Bool(flag) && r.Reason == "" {
			return r, wrongArguments(c, "--%s wants a --reason, for the history", flag)
		}
	}
	if !slices.Contains([]string{"", promotion.SchemaKeep, promotion.SchemaUndo, promotion.SchemaRestore}, r.Schema) {
		return r, wrongArguments(c, "--schema is keep, undo or restore, not %q", r.Schema)
	}
	r.Until, err = until(c.String("until"), time.Now())
	return r, err
}

// follower shows a deployment on the screen while it goes on, and has others told that it began.
type follower struct {
	*program
	progress *ui.Progress // nil until something happens
}

// control is how this run of promote follows deployments, until the follower is closed.
func (f *follower) control(c *cli.Context) deploy.Control {
	return deploy.Control{
		Wait: c.Duration("wait"), Follow: f.signals.following, Tell: f.tell,
		Say: func(text string) { f.screen.Say("%s", text) },
	}
}

func (f *follower) tell(host string, e rollout.Event) {
	f.notices.begun(f.signals.ctx)
	f.mu.Lock()
	if f.progress == nil {
		f.progress = f.screen.Progress()
	}
	progress := f.progress
	f.mu.Unlock()
	progress.Event(host, e)
}

// close leaves what was shown on the screen. What happens after that is shown below it.
func (f *follower) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.progress != nil {
		f.progress.Close()
		f.progress = nil
	}
}

// confirm asks where the environment wants it, and before data is replaced. Off a terminal nothing is asked.
func (p *program) confirm(c *cli.Context, h *deploy.HostDeployment) error {
	wanted := h.Env.Confirm || h.Request.Kind == promotion.MoveData || h.Request.Schema == promotion.SchemaRestore
	name, given := h.Env.Name, yes(c)
	if given != "" && given != "true" && given != name {
		return wrongArguments(c, "--yes=%s, but this goes to %s", given, name)
	}
	if !wanted || given == name {
		return nil
	}
	if !p.interactive() {
		return &promotion.Refusal{Gate: "confirm", Reason: name + " wants to be confirmed", Advice: typed(c) + " --yes=" + name}
	}
	return p.screen.Ask(p.in, fmt.Sprintf("type %s to go ahead:", name), name)
}

func yes(c *cli.Context) string {
	if given, ok := c.Generic("yes").(*consent); ok {
		return string(*given)
	}
	return ""
}
