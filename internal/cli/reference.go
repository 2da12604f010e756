package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

// Reference is the documentation of every command in Markdown, made from what their help shows.
func Reference() string {
	p := &program{out: io.Discard, err: io.Discard}
	var b strings.Builder
	b.WriteString("# Commands\n\nWritten by `make docs` from the commands themselves; `promote COMMAND --help` says the same.\n")
	globals := len(p.globalFlags()) // every command has them at the end
	for _, c := range p.commands() {
		if !c.Hidden {
			describeCommand(&b, c, c.Flags[:len(c.Flags)-globals])
		}
	}
	b.WriteString("\n## Everywhere\n\n")
	describeFlags(&b, p.globalFlags())
	b.WriteString("\n## Exit codes\n\n| code | meaning |\n|---|---|\n")
	for _, e := range exitCodes {
		fmt.Fprintf(&b, "| %d | %s |\n", e.code, e.meaning)
	}
	return b.String()
}

func describeCommand(b *strings.Builder, c *cli.Command, own []cli.Flag) {
	fmt.Fprintf(b, "\n## promote %s\n\n%s.\n\n```\n%s\n```\n", c.Name, capital(c.Usage), strings.TrimSpace("promote "+c.Name+" "+c.ArgsUsage))
	if c.Description != "" {
		fmt.Fprintf(b, "\n```\n%s\n```\n", c.Description)
	}
	if len(own) > 0 {
		b.WriteString("\n")
		describeFlags(b, own)
	}
}

func describeFlags(b *strings.Builder, flags []cli.Flag) {
	b.WriteString("| flag | meaning |\n|---|---|\n")
	for _, f := range flags {
		names, meaning, _ := strings.Cut(f.String(), "\t")
		fmt.Fprintf(b, "| `%s` | %s |\n", strings.TrimSpace(names), strings.TrimSpace(meaning))
	}
}

func capital(sentence string) string { return strings.ToUpper(sentence[:1]) + sentence[1:] }
