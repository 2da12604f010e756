package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/deploy"
	"promote/internal/notify"
	"promote/internal/promotion"
	"promote/internal/ui"
)

func (p *program) notifyCommand() *cli.Command {
	return p.command(entry{
		name: "notify", args: "ENV", usage: "try who is told of an environment: send them a message that says it is a test",
		examples: []string{
			"promote notify prod                             a deployment that succeeded",
			"promote notify prod --event put-back --dry-run  show what would be sent",
		},
		flags: []cli.Flag{
			dryRunFlag,
			&cli.StringFlag{Name: "event", Value: string(notify.Succeeded), Usage: "`EVENT` to tell: " + eventNames()},
		},
		run: p.notify,
	})
}

func eventNames() string {
	var names []string
	for _, e := range notify.Events {
		names = append(names, string(e))
	}
	return strings.Join(names, ", ")
}

func (p *program) notify(ctx context.Context, c *cli.Context) error {
	event := notify.Event(c.String("event"))
	if c.NArg() != 1 {
		return wrongArguments(c, "notify of which environment?")
	}
	if !slices.Contains(notify.Events, event) {
		return wrongArguments(c, "no event %q; there are %s", event, eventNames())
	}
	cfg, err := p.load(c)
	if err != nil {
		return err
	}
	env, err := cfg.Environment(c.Args().First())
	if err != nil {
		return err
	}
	var failures []error
	told := false
	for _, r := range p.receivers(cfg) {
		if _, wanted := r.Wants(env.Name, event); !wanted {
			p.screen.Say("%s is not told of %s in %s", r.Name, event, env.Name)
			continue
		}
		told = true
		failures = append(failures, p.try(ctx, r, p.sample(cfg, env, event), c.Bool("dry-run")))
	}
	if !told {
		return &usage{fmt.Sprintf("nobody is told of %s in %s", event, env.Name), "set notify in " + cfg.Path}
	}
	return errors.Join(failures...)
}

// attempt is what became of a test message, as JSON.
type attempt struct {
	Schema   int          `json:"schema"`
	Receiver string       `json:"receiver"`
	Event    notify.Event `json:"event"`
	Body     string       `json:"body,omitempty"` // what would be sent
	Error    string       `json:"error,omitempty"`
}

// try sends a receiver a test message, or shows it.
func (p *program) try(ctx context.Context, r notify.Receiver, m notify.Message, show bool) error {
	a := attempt{Schema: promotion.Schema, Receiver: r.Name, Event: m.Event}
	var err error
	if show {
		var body []byte
		body, err = r.Compose(m)
		a.Body = string(body)
	} else {
		err = r.Tell(ctx, m)
	}
	if p.screen.JSON {
		if err != nil {
			a.Error = err.Error()
		}
		return errors.Join(p.screen.Object(a), err)
	}
	switch {
	case show:
		p.screen.Answer("%s", r.Name)
		p.screen.Text(a.Body)
	case err == nil:
		p.screen.Answer("%s is told", r.Name)
	}
	return err
}

// sample is a message that says of itself that it is a test.
func (p *program) sample(cfg *config.Config, env *config.Environment, event notify.Event) notify.Message {
	m := notify.Message{
		Schema: notify.Schema, Event: event, Environment: env.Name, Kind: string(promotion.Deploy), Deployment: deploy.NewID(time.Now()),
		By: p.who(), Reason: "a test of promote notify; nothing was deployed", URL: p.job(), Seconds: 12.3,
	}
	first, second := "v1.4.2", "v1.5.0"
	switch event {
	case notify.Started:
		m.Seconds = 0
	case notify.Held:
		m.Kind, first, second = string(promotion.Rollback), second, first
	case notify.PutBack, notify.Failed:
		m.Error, m.Hint = "its health check failed", "promote show "+env.Name
	case notify.Drift:
		return p.drift(env.Name, []string{"the file says v1.4.2, the history v1.5.0 (a test of promote notify)"})
	}
	for _, s := range cfg.Services {
		if env.Has(s.Name) {
			m.Services = append(m.Services, notify.Service{Name: s.Name, From: first, To: second})
		}
	}
	return m
}

// drift is the message about where the files, the history and the containers don't say the same.
func (p *program) drift(environment string, differences []string) notify.Message {
	return notify.Message{
		Schema: notify.Schema, Event: notify.Drift, Environment: environment,
		Error: strings.Join(differences, "; "), Hint: "promote status " + environment + " --long", By: p.who(), URL: p.job(),
	}
}

// tellDrift tells of each environment that has drifted.
func (p *program) tellDrift(ctx context.Context, cfg *config.Config, s ui.Status) {
	differences := map[string][]string{}
	for _, e := range s.Environments {
		for _, v := range e.Services {
			for _, d := range v.Drift {
				differences[e.Environment] = append(differences[e.Environment], v.Service+": "+d.Text)
			}
		}
	}
	receivers := p.receivers(cfg)
	for _, e := range cfg.Environments {
		list := differences[e.Name]
		if len(list) == 0 {
			continue
		}
		if !slices.ContainsFunc(receivers, func(r notify.Receiver) bool { _, wants := r.Wants(e.Name, notify.Drift); return wants }) {
			p.screen.Say("nobody is told of drift in %s: no notify in %s has it among its events", e.Name, cfg.Path)
		}
		p.warn(notify.Tell(ctx, receivers, p.drift(e.Name, list), notify.Drift))
	}
}

func (p *program) warn(errs []error) {
	for _, err := range errs {
		p.screen.Warn(err)
	}
}

// job is the page of the CI job that this is, or nothing.
func (p *program) job() string {
	if repository, run := p.env("GITHUB_REPOSITORY"), p.env("GITHUB_RUN_ID"); repository != "" && run != "" {
		return p.env("GITHUB_SERVER_URL") + "/" + repository + "/actions/runs/" + run
	}
	return p.env("CI_JOB_URL")
}

// receivers are those that promote.yaml names.
func (p *program) receivers(cfg *config.Config) []notify.Receiver {
	var list []notify.Receiver
	for _, n := range cfg.Notify {
		r := notify.Receiver{Environments: n.Environments, Template: n.Template}
		for _, e := range n.Events {
			r.Events = append(r.Events, notify.Event(e))
		}
		var label string
		r.Channel, label = p.channel(cfg.Dir, n)
		r.Name = n.Place.String() + ": " + label
		list = append(list, r)
	}
	return list
}

// channel is the way to a receiver, and what it may be called where everybody sees it.
func (p *program) channel(dir string, n config.Notify) (notify.Channel, string) {
	switch {
	case len(n.Unset) > 0:
		return &notify.Unusable{Err: fmt.Errorf("not set in the environment, or empty: %s", strings.Join(n.Unset, ", "))}, "notify"
	case n.Mail != nil:
		m := n.Mail
		var to []string
		for _, address := range m.To {
			to = append(to, address.Address)
		}
		return &notify.Mail{To: m.To, From: m.From, Server: m.Server, User: m.User, Password: m.Password, TLS: m.TLS}, "mail to " + strings.Join(to, ", ")
	case n.Webhook != "":
		w := &notify.Webhook{URL: n.Webhook, Kind: n.Kind}
		return w, w.Host()
	}
	return &notify.Command{Shell: n.Command.Shell, Argv: n.Command.Argv, Dir: dir, Environ: p.environ}, "command"
}
