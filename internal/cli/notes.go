package cli

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"promote/internal/config"
	"promote/internal/foreign"
	"promote/internal/notes"
	"promote/internal/promotion"
	"promote/internal/ui"
)

const (
	textFormat     = "text"
	markdownFormat = "markdown"
)

type notesOptions struct {
	cfg      *config.Config
	service  *config.Service
	span     string // FROM..TO or VERSION
	template string // a file; empty for none
	format   string
}

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
			&cli.StringFlag{Name: "format", Value: textFormat, Usage: "text or markdown"},
			&cli.StringFlag{Name: "template", Usage: "`FILE` of Go's text/template; its data is what --json prints, by the names in docs/releases.md"},
		},
		run: func(ctx context.Context, c *cli.Context) error {
			o, err := p.notesOptions(c)
			if err != nil {
				return err
			}
			return p.runNotes(ctx, o)
		},
	})
}

func (p *program) notesOptions(c *cli.Context) (o notesOptions, err error) {
	o.template, o.format = c.String("template"), c.String("format")
	if o.cfg, err = p.load(c); err != nil {
		return o, err
	}
	if c.NArg() > 2 {
		return o, wrongArguments(c, "notes wants a service, and FROM..TO or a version")
	}
	if !p.screen.JSON && o.template == "" && !slices.Contains([]string{textFormat, markdownFormat}, o.format) {
		return o, wrongArguments(c, "%q is no format: text or markdown", o.format)
	}
	name, span := optionalService(c, o.cfg)
	o.span = span
	o.service, err = oneService(c, o.cfg, name)
	return o, err
}

func (p *program) runNotes(ctx context.Context, o notesOptions) error {
	project, err := p.openProject(ctx, o.cfg)
	if err != nil {
		return err
	}
	n, err := project.Service(o.service).Notes(ctx, o.span)
	if err != nil {
		return err
	}
	n.Schema = promotion.Schema
	return p.answerNotes(n, o)
}

func (p *program) answerNotes(n notes.Notes, o notesOptions) error {
	switch {
	case p.screen.JSON:
		return p.screen.Object(n)
	case o.template != "":
		text, err := os.ReadFile(o.template)
		if err != nil {
			return err
		}
		var written strings.Builder
		if err := n.Template(&written, o.template, string(text)); err != nil {
			return err
		}
		_, err = io.WriteString(p.out, foreign.BreakCommands(written.String()))
		return err
	case o.format == markdownFormat:
		_, err := io.WriteString(p.out, ui.Clean(n.Markdown()))
		return err
	}
	_, err := io.WriteString(p.out, ui.Clean(n.Text()))
	return err
}
