package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/notes"
	"promote/internal/promotion"
	"promote/internal/ui"
	"promote/semver"
)

func (p *program) notesCommand() *cli.Command {
	return p.command(entry{
		name: "notes", args: "[SERVICE] [FROM..TO|VERSION]", usage: "tell what changed between two versions or revisions",
		examples: []string{
			"promote notes                              since the last version",
			"promote notes core v1.4.2..v1.5.0",
			"promote notes v1.5.0 --format markdown     of one version",
			"promote notes v1.4.2.. --template mail.txt",
		},
		flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Value: "text", Usage: "text or markdown"},
			&cli.StringFlag{Name: "template", Usage: "`FILE` of Go's text/template; its data is what --json prints, by the names in docs/releases.md"},
		},
		run: func(ctx context.Context, c *cli.Context) error {
			cfg, err := p.load(c)
			if err != nil {
				return err
			}
			n, err := p.notes(ctx, c, cfg)
			if err != nil {
				return err
			}
			return p.answerNotes(c, n)
		},
	})
}

func (p *program) notes(ctx context.Context, c *cli.Context, cfg *config.Config) (notes.Notes, error) {
	if c.NArg() > 2 {
		return notes.Notes{}, wrongArguments(c, "notes wants a service, and FROM..TO or a version")
	}
	name, span := optionalService(c, cfg)
	service, err := oneService(c, cfg, name)
	if err != nil {
		return notes.Notes{}, err
	}
	r, err := p.release(ctx, cfg, service)
	if err != nil {
		return notes.Notes{}, err
	}
	from, to, err := r.span(ctx, span)
	if err != nil {
		return notes.Notes{}, err
	}
	return r.notes(ctx, from, to)
}

// end is one end of a range of commits.
type end struct {
	label string // a version, or a revision as it was typed
	rev   string // for git
	name  string // for the page that compares: a tag or a hash
}

// unreleased is the end of a range that goes up to HEAD.
const unreleased = "Unreleased"

// span reads FROM..TO, VERSION, or nothing.
func (r *release) span(ctx context.Context, text string) (from, to end, err error) {
	if err := r.tags.whole(); err != nil {
		return from, to, err
	}
	first, last, isRange := strings.Cut(text, "..")
	switch {
	case strings.HasPrefix(last, "."):
		return from, to, &usage{text: fmt.Sprintf("%q has a dot too many", text), hint: "promote notes v1.4.2..v1.5.0"}
	case text == "":
		p, err := r.past(ctx)
		if err != nil {
			return from, to, err
		}
		from = p.last().end()
	case !isRange:
		last = first
		from, err = r.before(first)
	case first != "":
		from, err = r.end(ctx, first)
	}
	if err == nil {
		to, err = r.end(ctx, last)
	}
	return from, to, err
}

// end finds what a version or a revision stands for; HEAD, if it is left out.
func (r *release) end(ctx context.Context, text string) (end, error) {
	if text == "" || text == "HEAD" {
		head, err := r.repo.Head(ctx)
		return end{unreleased, head, head}, err
	}
	v, err := semver.Parse(text)
	if err != nil {
		return end{text, text, text}, nil
	}
	tags, err := r.tags.all()
	if err != nil {
		return end{}, err
	}
	for _, m := range r.released(tags).milestones {
		if m.version == v {
			return m.end(), nil
		}
	}
	return end{}, &usage{text: fmt.Sprintf("%s has no git tag of %s", r.service.Name, v), hint: "git fetch --tags, or promote notes REVISION..REVISION"}
}

func (m milestone) end() end { return end{m.version.String(), m.rev, m.tag()} }

// before is the version before another one; the stable one before a stable one.
func (r *release) before(text string) (end, error) {
	v, err := semver.Parse(text)
	if err != nil {
		return end{}, &usage{text: fmt.Sprintf("%q is neither a version nor FROM..TO", text), hint: "promote notes " + text + "..HEAD"}
	}
	tags, err := r.tags.all()
	if err != nil {
		return end{}, err
	}
	for _, m := range slices.Backward(r.released(tags).milestones) {
		if m.version.Less(v) && (m.version.Stable() || !v.Stable()) {
			return m.end(), nil
		}
	}
	return end{}, nil
}

func (r *release) notes(ctx context.Context, from, to end) (notes.Notes, error) {
	log, err := r.log(ctx, from.rev, to.rev)
	if err != nil {
		return notes.Notes{}, err
	}
	forge, err := r.forge(ctx)
	n := notes.Notes{
		Schema: promotion.Schema, Service: r.service.Name, From: from.label, To: to.label,
		Compare: forge.Compare(from.name, to.name), Groups: notes.Groups(withoutBumps(log), forge),
	}
	if len(log) > 0 {
		n.Date = log[0].Time.Format(time.DateOnly)
	}
	return n, err
}

func (p *program) answerNotes(c *cli.Context, n notes.Notes) error {
	switch path, format := c.String("template"), c.String("format"); {
	case p.screen.JSON:
		return p.screen.Object(n)
	case path != "":
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return n.Template(p.out, path, string(text))
	case format == "markdown":
		_, err := io.WriteString(p.out, ui.Clean(n.Markdown()))
		return err
	case format == "text":
		_, err := io.WriteString(p.out, ui.Clean(n.Text()))
		return err
	default:
		return wrongArguments(c, "%q is no format: text or markdown", format)
	}
}
