package notes

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"text/template"

	"promote/internal/foreign"
)

// short is how many characters of a hash are shown.
const short = 7

// Short is the hash as people read it.
func (e Entry) Short() string { return e.Hash[:min(short, len(e.Hash))] }

// Text is the description with its scope, and with what breaks.
func (e Entry) Text() string {
	return e.said(func(s string) string { return s })
}

// Markdown is Text for Markdown: nothing in it is markup but code between backticks, and references are
// links.
func (e Entry) Markdown() string {
	return e.said(func(s string) string { return Escape(s, e.References...) }, "**")
}

// said puts an entry together; bold stands around its labels.
func (e Entry) said(escape func(string) string, bold ...string) string {
	mark := strings.Join(bold, "")
	var b strings.Builder
	if e.Breaking {
		b.WriteString(mark + "Breaking:" + mark + " ")
	}
	if e.Scope != "" {
		b.WriteString(mark + escape(e.Scope) + ":" + mark + " ")
	}
	b.WriteString(escape(e.Description))
	if e.Note != "" && e.Note != e.Description {
		b.WriteString(": " + escape(e.Note))
	}
	return b.String()
}

// Text is the notes for a terminal or a mail.
func (n Notes) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", n.title())
	for _, g := range n.Groups {
		fmt.Fprintf(&b, "\n%s\n", g.Title)
		for _, e := range g.Entries {
			fmt.Fprintf(&b, "  %s  %s\n", e.Short(), e.Text())
		}
	}
	if n.Compare != "" {
		fmt.Fprintf(&b, "\n%s\n", n.Compare)
	}
	return b.String()
}

func (n Notes) title() string {
	return strings.Join(strings.Fields(n.Service+" "+n.To+" "+n.Date), " ")
}

// Markdown is the notes as a section of a page.
func (n Notes) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n", Escape(n.title()))
	for _, g := range n.Groups {
		fmt.Fprintf(&b, "\n### %s\n\n", g.Title)
		for _, e := range g.Entries {
			fmt.Fprintf(&b, "- %s (%s)\n", e.Markdown(), link(e.Short(), e.URL))
		}
	}
	if n.Compare != "" {
		fmt.Fprintf(&b, "\n%s\n", link(Escape(n.From+"…"+n.To), n.Compare))
	}
	return b.String()
}

// Template writes the notes as a template of package text/template says; its data are the Notes. What an
// entry holds is plain; markdown makes any text of it safe for Markdown.
func (n Notes) Template(w io.Writer, name, text string) error {
	t, err := template.New(name).Funcs(template.FuncMap{"markdown": func(s string) string { return Escape(s) }}).Parse(text)
	if err != nil {
		return err
	}
	return t.Execute(w, n)
}

func link(text, address string) string {
	if address == "" {
		return text
	}
	return "[" + text + "](" + strings.NewReplacer("(", "%28", ")", "%29", " ", "%20").Replace(address) + ")"
}

var (
	// special is what could make a link, an image or HTML. Emphasis that is left open stays text.
	special = regexp.MustCompile("[\\\\\\[\\]<`]")
	// block is what begins a block of its own at the start of a line, up to the character that makes it one.
	block = regexp.MustCompile(`^(?:#{1,6}(?:\s|$)|[+*-](?:\s|$)|(\d{1,9})[.)](?:\s|$)|>|~~~|---|===)`)
	ticks = regexp.MustCompile("`+")
)

// Escape makes a line of text safe for Markdown. Code between backticks stays code; the references
// become links; mentions tell nobody.
func Escape(text string, references ...Reference) string {
	var b strings.Builder
	for first := true; text != ""; first = false {
		plain, code, rest := cutCode(text)
		if m := block.FindStringSubmatch(plain); first && m != nil {
			b.WriteString(m[1] + `\` + plain[len(m[1]):len(m[1])+1])
			plain = plain[len(m[1])+1:]
		}
		b.WriteString(linked(plain, references))
		b.WriteString(code)
		text = rest
	}
	return b.String()
}

// cutCode cuts a text behind its first code span: as many backticks at both ends.
func cutCode(text string) (plain, code, rest string) {
	runs := ticks.FindAllStringIndex(text, -1)
	for i, open := range runs {
		for _, end := range runs[i+1:] {
			if end[1]-end[0] == open[1]-open[0] {
				return text[:open[0]], text[open[0]:end[1]], text[end[1]:]
			}
		}
	}
	return text, "", ""
}

// linked is plain text whose references are links.
func linked(plain string, references []Reference) string {
	var b strings.Builder
	at := 0
	for _, m := range reference.FindAllStringIndex(plain, -1) {
		b.WriteString(escapeText(plain[at:m[0]]))
		text := plain[m[0]:m[1]]
		b.WriteString(link(text, addressOf(text, references)))
		at = m[1]
	}
	return b.String() + escapeText(plain[at:])
}

func addressOf(text string, references []Reference) string {
	for _, r := range references {
		if r.Text == text {
			return r.URL
		}
	}
	return ""
}

func escapeText(text string) string {
	return special.ReplaceAllString(foreign.BreakMentions(text), `\$0`)
}
