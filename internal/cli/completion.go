package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

func (p *program) completionCommand() *cli.Command {
	return p.command(entry{
		name: "completion", args: "bash|zsh|fish", usage: "print a completion script for a shell",
		examples: []string{
			"source <(promote completion bash)",
			"promote completion zsh > ~/.zfunc/_promote",
			"promote completion fish > ~/.config/fish/completions/promote.fish",
		},
		run: func(_ context.Context, c *cli.Context) error {
			script, known := completions[c.Args().First()]
			if !known {
				return wrongArguments(c, "completion for which shell: bash, zsh or fish?")
			}
			_, err := fmt.Fprint(p.out, script)
			return err
		},
	})
}

// The scripts ask promote itself what may come next.
var completions = map[string]string{
	"bash": `_promote() {
  local words
  words=$("${COMP_WORDS[@]:0:COMP_CWORD}" --generate-bash-completion 2>/dev/null)
  COMPREPLY=($(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _promote promote
`,
	"zsh": `#compdef promote
_promote() {
  local -a words_
  words_=(${(f)"$(${words[1,CURRENT-1]} --generate-bash-completion 2>/dev/null)"})
  compadd -a words_
}
if [ "$funcstack[1]" = "_promote" ]; then _promote; else compdef _promote promote; fi
`,
	"fish": `complete -c promote -f -a '(set -l w (commandline -opc); $w --generate-bash-completion 2>/dev/null)'
`,
}

// complete prints what may come next: an environment first, then services, and flags.
func (p *program) complete(c *cli.Context) {
	var words []string
	for _, f := range c.Command.VisibleFlags() {
		words = append(words, "--"+f.Names()[0])
	}
	if strings.HasPrefix(c.Command.ArgsUsage, "bash") {
		words = append(words, "bash", "zsh", "fish")
	}
	words = append(words, p.names(c)...)
	for _, word := range words {
		fmt.Fprintln(p.out, word)
	}
}

// names are those of promote.yaml that fit the next argument. Without one there are none.
func (p *program) names(c *cli.Context) []string {
	cfg, err := p.load(c)
	if err != nil {
		return nil
	}
	var environments, services []string
	for _, e := range cfg.Environments {
		environments = append(environments, e.Name)
	}
	for _, s := range cfg.Services {
		services = append(services, s.Name)
	}
	usage := c.Command.ArgsUsage
	switch {
	case strings.HasPrefix(usage, "[ENV…"), strings.HasPrefix(usage, "ENV") && c.NArg() == 0, strings.HasPrefix(usage, "FROM") && c.NArg() < 2:
		return environments
	case strings.Contains(usage, "auto|major"):
		return slices.Concat(services, []string{"auto", "major", "minor", "patch"})
	case strings.Contains(usage, "SERVICE"):
		return services
	}
	return nil
}
