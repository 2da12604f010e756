package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/notify"
	"promote/internal/promotion"
	"promote/internal/ui"
)

func (p *program) notifyCommand() *cli.Command {
	return p.command(entry{
		name: "notify", args: "ENV", usage: "try who is told of an environment: send them a message that says it is a test",
		examples: []string{
			"promote notify prod                            a deployment that succeeded",
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
		Schema: notify.Schema, Event: event, Environment: env.Name, Kind: string(promotion.Deploy), Deployment: newID(time.Now()),
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
		if len(env.Services) == 0 || slices.Contains(env.Services, s.Name) {
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
		if list := differences[e.Name]; len(list) > 0 {
			p.warn(notify.Tell(ctx, receivers, p.drift(e.Name, list), notify.Drift))
		}
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

// notices are what is told of the deployment that this run of promote carries out. A nil one tells nothing.
type notices struct {
	receivers []notify.Receiver
	message   notify.Message
	held      bool // it leaves a hold when it ends well

	mu    sync.Mutex
	began time.Time      // zero: nothing has happened yet, and nothing is told of it
	early sync.WaitGroup // telling that it began
	errs  []error        // of that
}

// announce has the deployment of the plans told when it begins, and when the program ends.
func (f fleet) announce(plans []promotion.Plan) {
	p, first := f[0].program, plans[0]
	m := notify.Message{
		Schema: notify.Schema, Environment: first.Target.Environment, Kind: string(first.Kind), Deployment: first.ID,
		By: first.By, Reason: first.Reason, URL: p.job(),
	}
	n := &notices{receivers: p.receivers(f[0].cfg)}
	for i, plan := range plans {
		if f[i].env.host != "" && !plan.Nothing() {
			m.Hosts = append(m.Hosts, f[i].env.host)
		}
		for _, move := range plan.Moves {
			s := notify.Service{Name: move.Service, From: promotion.Label(move.From), To: promotion.Label(move.To)}
			if s.From == s.To {
				s.From = "" // it did not run
			}
			if !slices.Contains(m.Services, s) {
				m.Services = append(m.Services, s)
			}
		}
		n.held = n.held || slices.ContainsFunc(plan.Marks, func(m promotion.Mark) bool { return m.Kind == promotion.Held })
	}
	n.message, p.notices = m, n
}

// announceEnd has it told when the interrupted deployment is ended.
func (d *deployment) announceEnd(ctx context.Context, id string) {
	plan, _, err := d.env.side.Deployment(ctx, id)
	if err != nil {
		plan = promotion.Plan{ID: id, Target: d.env.target} // what it moved can't be told; ending it says what is wrong
	}
	plan.Kind, plan.By = promotion.Resume, d.request.By
	fleet{d}.announce([]promotion.Plan{plan})
}

// begun is called with every event of the deployment; the first one is told, while the work goes on.
func (n *notices) begun(ctx context.Context) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.began.IsZero() {
		return
	}
	n.began = time.Now()
	n.early.Go(func() { n.errs = notify.Tell(ctx, n.receivers, n.message, notify.Started) })
}

func (n *notices) hasBegun() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.began.IsZero()
}

// ended tells how the deployment ended, after everything else was said. Nothing is told of one that did not
// begin, or that goes on without us.
func (p *program) ended(err error) {
	n := p.notices
	if n == nil || !n.hasBegun() {
		return
	}
	p.signals.following() // the one that has everything put back must not keep that from being told; another may
	n.early.Wait()
	m := n.message
	m.Seconds = time.Since(n.began).Seconds()
	if err != nil {
		m.Error, m.Hint = complaint(err), ui.Hint(err)
	}
	p.warn(slices.Concat(n.errs, notify.Tell(p.signals.ctx, n.receivers, m, n.events(exitCode(err))...)))
}

// events are what a deployment that ended so is told as; a receiver is told the first that it wants.
func (n *notices) events(code int) []notify.Event {
	switch {
	case code == exitDone && n.held:
		return []notify.Event{notify.Held, notify.Succeeded}
	case code == exitDone:
		return []notify.Event{notify.Succeeded}
	case code == exitRestored:
		return []notify.Event{notify.PutBack}
	case code == exitDetached:
		return nil
	}
	return []notify.Event{notify.Failed}
}

// complaint is an error on one line. That everything was put back is told by the event.
func complaint(err error) string {
	if o, ok := err.(*outcomeError); ok && o.host == "" {
		return o.Result.Error
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}
