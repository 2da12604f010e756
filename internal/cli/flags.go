package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// Flags that several commands share, by the name they have everywhere.
var (
	dryRunFlag = &cli.BoolFlag{DisableDefaultText: true, Name: "dry-run", Aliases: []string{"n"}, Usage: "show what would be done, and do nothing"}
	reasonFlag = &cli.StringFlag{Name: "reason", Usage: "why, for the history"}
	waitFlag   = &cli.DurationFlag{Name: "wait", DefaultText: "not at all", Usage: "wait so long for another deployment to end"}
	againFlag  = &cli.BoolFlag{DisableDefaultText: true, Name: "again", Usage: "take a release that is bad or was left here"}
	acceptFlag = &cli.BoolFlag{DisableDefaultText: true, Name: "accept-drift", Usage: "take files and containers as they are, though the history says otherwise"}
	digestFlag = &cli.BoolFlag{DisableDefaultText: true, Name: "accept-digest", Usage: "take what upstream verified, whatever its tag is in the registry; wants --reason, and stands in the history"}
	urgentFlag = &cli.BoolFlag{DisableDefaultText: true, Name: "emergency", Usage: "pass soak, closed times and approval; wants --reason, and stands in the history"}
	exitFlag   = &cli.BoolFlag{DisableDefaultText: true, Name: "exit-code", Usage: "say it with the exit code"}
)

// yesFlag is made anew for each command, since its value lives in it.
func yesFlag() cli.Flag {
	return &cli.GenericFlag{Name: "yes", Aliases: []string{"y"}, Value: new(consent), Usage: "don't ask; --yes=`ENV` for an environment that wants to be named"}
}

// consent is --yes, alone or with the name of the environment that is meant.
type consent string

// Set takes the flag's value; alone it is "true".
func (c *consent) Set(value string) error { *c = consent(value); return nil }
func (c *consent) String() string         { return string(*c) }

// IsBoolFlag lets the flag stand without a value.
func (c *consent) IsBoolFlag() bool { return true }

func (p *program) globalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "`FILE` to use instead of the nearest promote.yaml"},
		&cli.BoolFlag{DisableDefaultText: true, Name: "json", Usage: "answer as JSON"},
		&cli.BoolFlag{DisableDefaultText: true, Name: "quiet", Aliases: []string{"q"}, Usage: "show nothing but the answer and errors"},
	}
}

// settle takes the global flags into account, wherever on the line they stood.
func (p *program) settle(c *cli.Context) error {
	p.screen.JSON = p.screen.JSON || c.Bool("json")
	p.screen.Quiet = p.screen.Quiet || c.Bool("quiet")
	return nil
}

// entry describes a command: everything that its help shows.
type entry struct {
	name, args, usage string
	examples          []string
	flags             []cli.Flag
	hidden            bool
	run               func(ctx context.Context, c *cli.Context) error
}

func (p *program) command(e entry) *cli.Command {
	return &cli.Command{
		Name: e.name, ArgsUsage: e.args, Usage: e.usage, Description: strings.Join(e.examples, "\n"), Hidden: e.hidden,
		Flags:        append(e.flags, p.globalFlags()...),
		OnUsageError: usageError,
		Before:       p.settle,
		BashComplete: p.complete,
		Action: func(c *cli.Context) error {
			if err := p.settle(c); err != nil {
				return err
			}
			return e.run(c.Context, c)
		},
	}
}

// until reads a moment: a duration from now (2d, 36h) or a date.
func until(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t := moment(text, now); t.After(now) && t.Year() <= lastYear {
		return t.UTC(), nil
	}
	return time.Time{}, &usage{text: fmt.Sprintf("%q is not a time to come", text), hint: "--until 2d, --until 36h, or --until 2026-12-01"}
}

// lastYear is the last one that JSON can hold.
const lastYear = 9999

// moment is zero for a text that is none.
func moment(text string, now time.Time) time.Time {
	if days, found := strings.CutSuffix(text, "d"); found {
		if n, err := strconv.ParseUint(days, 10, 22); err == nil {
			return now.AddDate(0, 0, int(n))
		}
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(d)
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	return time.Time{}
}

// The help: what it does, how it is typed, then everything else.
const (
	appHelp = `promote: {{.Usage}}

  promote bump minor               a new version: file, commit, image, tag
  promote deploy staging           put the newest release on staging
  promote diff prod                what would go to prod
  promote deploy prod              put there what staging verified
  promote rollback prod            back to the last good release
  promote pin prod v1.4.2          to an exact one, and hold it
  promote status                   what runs where

Commands:
{{range .VisibleCommands}}  {{printf "%-11s" .Name}}{{.Usage}}
{{end}}
Options:
{{range .VisibleFlags}}  {{.}}
{{end}}
Exit codes:
` + "{{exitcodes}}" + `
`
	commandHelp = `promote {{.Name}}{{if .ArgsUsage}} {{.ArgsUsage}}{{end}}: {{.Usage}}
{{if .Description}}
{{range $line := lines .Description}}  {{$line}}
{{end}}{{end}}
Options:
{{range .VisibleFlags}}  {{.}}
{{end}}
Exit codes:
` + "{{exitcodes}}" + `
`
)

// helpFunctions are what the templates above use.
func helpFunctions() map[string]any {
	return map[string]any{
		"exitcodes": exitText,
		"lines":     func(s string) []string { return strings.Split(s, "\n") },
	}
}

// printHelp is the library's own printer with these functions added.
func printHelp(w io.Writer, text string, data any) {
	cli.HelpPrinterCustom(w, text, data, helpFunctions())
}
