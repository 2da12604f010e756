package notify

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"text/template"
	"unicode"

	"promote/internal/foreign"
)

// usual is the text without a template of the user's.
const usual = `{{.Environment}}: {{.Title}}{{with .On}} on {{.}}{{end}}
{{- range .Services}}
{{.Name}} {{with .From}}{{.}} → {{end}}{{.To}}{{end}}
{{- with .Error}}
error: {{.}}{{end}}
{{- with .Hint}}
hint: {{.}}{{end}}
{{- with .By}}
by {{.}}{{with $.Elapsed}} in {{.}}{{end}}{{with $.Reason}}: {{.}}{{end}}{{end}}
{{- with .URL}}
{{.}}{{end}}`

// Limits of what is told: nobody reads more, and services refuse what is too long.
const (
	maxValue    = 300  // characters
	maxServices = 50   // and hosts
	maxText     = 1900 // characters; Discord takes 2,000
)

// write makes the text: by the template, or the usual one, and if the template fails the usual one with an
// error. The values in it are escaped.
func write(m Message, text string, escape func(string) string) (string, error) {
	m = m.mapped(escape)
	if text == "" {
		text = usual
	}
	var b strings.Builder
	t, err := template.New("template").Parse(text)
	if err == nil {
		err = t.Execute(&b, m)
	}
	if err != nil {
		plain, _ := write(m, usual, verbatim) // the usual one can't fail
		return plain, fmt.Errorf("the usual text stands in for it: %w", err)
	}
	return cut(strings.TrimSpace(b.String()), maxText), nil
}

// mapped is the message with a function applied to all its values but the URL, which has to stay one.
func (m Message) mapped(f func(string) string) Message {
	for _, field := range []*string{&m.Environment, &m.Kind, &m.Deployment, &m.By, &m.Reason, &m.Error, &m.Hint} {
		*field = f(*field)
	}
	m.URL = link(m.URL)
	m.Hosts = slices.Clone(m.Hosts[:min(len(m.Hosts), maxServices)])
	for i := range m.Hosts {
		m.Hosts[i] = f(m.Hosts[i])
	}
	m.Services = slices.Clone(m.Services[:min(len(m.Services), maxServices)])
	for i, s := range m.Services {
		m.Services[i] = Service{f(s.Name), f(s.From), f(s.To)}
	}
	return m
}

// link is a URL that needs no escaping anywhere, or nothing.
func link(s string) string {
	u, err := url.Parse(s)
	odd := func(r rune) bool {
		return !strings.ContainsRune("/:?=.-_~%+#", r) && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
	}
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsFunc(s, odd) {
		return ""
	}
	return s
}

// clean is a value on one line, of a length that can be read, without what steers a terminal or turns the
// direction of the text around it.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case foreign.IsSteering(r):
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	return cut(strings.Join(strings.Fields(s), " "), maxValue)
}

func cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// verbatim is for where nothing is markup.
func verbatim(s string) string { return s }

// entities is Slack's way: these three are all that begins a mention or a link.
var entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace

// noMention stands where a service would read a mention.
const noMention = "\u200b"

// markdown takes the meaning from everything that Markdown, as chat services understand it, has one for.
// Mentions are looked for in the text without regard to backslashes: they are broken up.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range foreign.BreakMentions(s) {
		if strings.ContainsRune("\\`*_{}[]()<>#~|!", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		if r == '<' {
			b.WriteString(noMention)
		}
	}
	return b.String()
}
