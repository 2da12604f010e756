package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/urfave/cli/v2"
)

// ManPages are the manual pages, by the names of their files: promote.1, and promote-COMMAND.1 for each
// command. They say what the help says; version is what their foot names.
func ManPages(version string) map[string][]byte {
	p := &program{out: io.Discard, err: io.Discard}
	app, globals := p.app(), len(p.globalFlags())
	pages := map[string][]byte{"promote.1": page("promote", version, manual(app))}
	for _, c := range app.VisibleCommands() {
		name := "promote-" + c.Name
		pages[name+".1"] = page(name, version, commandManual(c, c.Flags[:len(c.Flags)-globals]))
	}
	return pages
}

// page has no date in its head: the same source gives the same bytes.
func page(name, version, markdown string) []byte {
	head := fmt.Sprintf("%% %q \"1\" \"\" %q \"promote\"\n\n", strings.ToUpper(name), "promote "+version)
	return md2man.Render([]byte(head + markdown))
}

// manual is the page of the whole program in Markdown.
func manual(app *cli.App) string {
	var b strings.Builder
	manHeader(&b, "promote", app.Usage)
	b.WriteString("# SYNOPSIS\n\n**promote** COMMAND \\[OPTION…] \\[ARGUMENT…]\n\n# COMMANDS\n\n")
	for _, c := range app.VisibleCommands() {
		fmt.Fprintf(&b, "**promote-%s**(1)\n: %s\n\n", c.Name, plainText(capital(c.Usage)))
	}
	manOptions(&b, "OPTIONS", app.Flags)
	manEnd(&b)
	return b.String()
}

// commandManual is the page of one command in Markdown; own are the flags that not every command has.
func commandManual(c *cli.Command, own []cli.Flag) string {
	var b strings.Builder
	manHeader(&b, "promote-"+c.Name, c.Usage)
	fmt.Fprintf(&b, "# SYNOPSIS\n\n**promote %s** %s\n\n", c.Name, plainText(c.ArgsUsage))
	if c.Description != "" {
		fmt.Fprintf(&b, "# EXAMPLES\n\n```\n%s\n```\n\n", c.Description)
	}
	manOptions(&b, "OPTIONS", own)
	manOptions(&b, "GLOBAL OPTIONS", c.Flags[len(own):])
	manEnd(&b)
	b.WriteString("# SEE ALSO\n\n**promote**(1)\n")
	return b.String()
}

func manHeader(b *strings.Builder, name, usage string) {
	fmt.Fprintf(b, "# NAME\n\n%s - %s\n\n", name, plainText(usage))
}

func manOptions(b *strings.Builder, title string, flags []cli.Flag) {
	if len(flags) == 0 {
		return
	}
	fmt.Fprintf(b, "# %s\n\n", title)
	for _, f := range flags {
		names, meaning, _ := strings.Cut(f.String(), "\t")
		fmt.Fprintf(b, "**%s**\n: %s\n\n", plainText(strings.TrimSpace(names)), plainText(strings.TrimSpace(meaning)))
	}
}

func manEnd(b *strings.Builder) {
	b.WriteString("# EXIT STATUS\n\n")
	for _, e := range exitCodes {
		fmt.Fprintf(b, "**%d**\n: %s\n\n", e.code, plainText(capital(e.meaning)))
	}
}

// plainText keeps Markdown from reading signs into a sentence.
func plainText(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "<", `\<`, "|", `\|`).Replace(text)
}
