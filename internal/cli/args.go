package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

const completionFlag = "--generate-bash-completion" // the library wants it last

// permute puts all flags behind the command and before its arguments, where the library wants them:
// people type `promote pin prod v1.4.2 --keep`, and `promote --config x.yaml status`, of which the
// command would not hear. What follows `--` is an argument, whatever it looks like.
func permute(app *cli.App, args []string) []string {
	if n := len(args) - 1; n > 0 && args[n] == completionFlag {
		return append(permute(app, args[:n:n]), completionFlag)
	}
	first := 1 + skipFlags(app.Flags, args[min(1, len(args)):])
	if first >= len(args) {
		return args
	}
	command, at := find(app.Commands, args, first)
	if command == nil {
		return args
	}
	own, handed := args[at:], []string(nil)
	if end := slices.Index(own, "--"); end >= 0 && strings.Contains(command.ArgsUsage, "--") {
		own, handed = own[:end:end], own[end:] // the library drops the first --, and this is the second
	}
	flags, rest := split(slices.Concat(command.Flags, app.Flags), own)
	if handed != nil {
		flags = append(flags, "--")
	}
	return slices.Concat(args[:1], args[first:at], args[1:first], flags, rest, handed)
}

// handedOn tells a command's own arguments from those behind `--`, which are for what it runs.
func handedOn(c *cli.Context) (own, handed []string) {
	own = c.Args().Slice()
	if end := slices.Index(own, "--"); end >= 0 {
		own, handed = own[:end], own[end+1:]
	}
	return own, handed
}

// find follows the names of a command and its subcommands, and returns where they end.
func find(level []*cli.Command, args []string, at int) (command *cli.Command, end int) {
	for ; at < len(args); at++ {
		i := slices.IndexFunc(level, func(c *cli.Command) bool { return c.HasName(args[at]) })
		if i < 0 {
			break
		}
		command, level = level[i], level[i].Subcommands
	}
	return command, at
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
			return append(flags, arg), append(rest, args[i+1:]...) // the library ends flags there, too
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

// typed is the command line that was given, without --yes, to be pasted into a shell.
func typed(c *cli.Context) string {
	words := append([]string{"promote", c.Command.Name}, c.Args().Slice()...)
	for _, f := range c.Command.Flags {
		name := f.Names()[0]
		switch {
		case !c.IsSet(name) || name == "yes":
		case takesValue(f):
			words = append(words, fmt.Sprintf("--%s=%v", name, c.Value(name)))
		default:
			words = append(words, "--"+name)
		}
	}
	for i, word := range words {
		if strings.ContainsFunc(word, func(r rune) bool { return !strings.ContainsRune(unquoted, r) }) {
			words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// unquoted are the characters that mean nothing to a shell.
const unquoted = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-"

// asksJSON hears --json also on a line that is wrong, so that the error is JSON, too.
func asksJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json")
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
