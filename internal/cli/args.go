package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// permute puts a command's flags before its arguments, where the library wants them: people type
// `promote pin prod v1.4.2 --keep`. What follows `--` is left as it is.
func permute(app *cli.App, args []string) []string {
	at := 1 + skipFlags(app.Flags, args[min(1, len(args)):])
	if at >= len(args) {
		return args
	}
	level := app.Commands
	var command *cli.Command
	for at < len(args) {
		i := slices.IndexFunc(level, func(c *cli.Command) bool { return c.HasName(args[at]) })
		if i < 0 {
			break
		}
		command, level = level[i], level[i].Subcommands
		at++
	}
	if command == nil || slices.Contains(args, "--generate-bash-completion") {
		return args
	}
	flags, rest := split(slices.Concat(command.Flags, app.Flags), args[at:])
	return slices.Concat(args[:at], flags, rest)
}

// skipFlags counts the arguments that are flags, and their values, before the first word.
func skipFlags(known []cli.Flag, args []string) int {
	n := 0
	for n < len(args) && strings.HasPrefix(args[n], "-") {
		n += flagLength(known, args[n])
	}
	return n
}

// split tells flags with their values from arguments.
func split(known []cli.Flag, args []string) (flags, rest []string) {
	for i := 0; i < len(args); {
		switch arg := args[i]; {
		case arg == "--":
			return flags, append(rest, args[i:]...)
		case len(arg) > 1 && arg[0] == '-':
			n := min(flagLength(known, arg), len(args)-i)
			flags = append(flags, args[i:i+n]...)
			i += n
		default:
			rest = append(rest, arg)
			i++
		}
	}
	return flags, rest
}

// flagLength is 2 for a flag whose value is the next argument.
func flagLength(known []cli.Flag, arg string) int {
	name := strings.TrimLeft(arg, "-")
	if strings.Contains(name, "=") {
		return 1
	}
	for _, f := range known {
		if slices.Contains(f.Names(), name) && takesValue(f) {
			return 2
		}
	}
	return 1
}

func takesValue(f cli.Flag) bool {
	switch f := f.(type) {
	case *cli.BoolFlag:
		return false
	case *cli.GenericFlag:
		alone, ok := f.Value.(interface{ IsBoolFlag() bool })
		return !ok || !alone.IsBoolFlag()
	}
	return true
}

// usage is a command line that can't be understood.
type usage struct{ text, hint string }

func (e *usage) Error() string { return e.text }

// Hint names the help to look at.
func (e *usage) Hint() string { return e.hint }

func usageError(c *cli.Context, err error, _ bool) error {
	return &usage{text: err.Error(), hint: strings.TrimSpace("promote "+commandName(c)) + " --help"}
}

func commandName(c *cli.Context) string {
	if c.Command == nil || c.Command.Name == "promote" {
		return ""
	}
	return c.Command.Name
}

// wrongArguments says what a command wants instead of what it got.
func wrongArguments(c *cli.Context, format string, args ...any) error {
	return &usage{text: fmt.Sprintf(format, args...), hint: "promote " + c.Command.Name + " --help"}
}

// unknownCommand is what is left when no command has the name.
func (p *program) unknownCommand(c *cli.Context) error {
	first := c.Args().First()
	if first == "" || first == "help" && c.NArg() == 1 {
		return cli.ShowAppHelp(c)
	}
	if first == "help" {
		return cli.ShowCommandHelp(c, c.Args().Get(1))
	}
	return &usage{text: fmt.Sprintf("no command %q", first), hint: "promote --help"}
}
