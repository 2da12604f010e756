package notify

import (
	"encoding/json"
	"strings"
	"testing"
)

// sample is a message with something in every field.
func sample() Message {
	return Message{
		Schema: Schema, Event: PutBack, Environment: "prod", Kind: "deploy", Deployment: "20261121-061203-k7f",
		Services: []Service{{"core", "v1.4.2", "v1.5.0"}, {"core_worker", "", "v1.5.0"}}, Hosts: []string{"a.example.org", "b.example.org"},
		By: "ada@laptop", Reason: "login", Error: "core: its health check failed", Hint: "promote show prod",
		Seconds: 83.46, URL: "https://ci.example.org/run/1?a_b=c",
	}
}

const sampleText = `prod: deploy failed, and everything was put back on a.example.org, b.example.org
core v1.4.2 → v1.5.0
core_worker v1.5.0
error: core: its health check failed
hint: promote show prod
by ada@laptop in 1m23.5s: login
https://ci.example.org/run/1?a_b=c`

func TestUsualText(t *testing.T) {
	got, err := write(sample(), "", verbatim)
	if err != nil || got != sampleText {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got, sampleText)
	}
	for event, want := range map[Event]string{
		Started: "prod: deploy started\nby ada", Succeeded: "prod: deploy succeeded\nby ada", Held: "prod: deploy succeeded, and is held\nby ada",
		Failed: "prod: deploy failed\nby ada", Drift: "prod: drift\nby ada",
	} {
		got, err := write(Message{Event: event, Environment: "prod", Kind: "deploy", By: "ada"}, "", verbatim)
		if err != nil || got != want {
			t.Errorf("%s: %v %q, want %q", event, err, got, want)
		}
	}
}

func TestTemplate(t *testing.T) {
	for template, want := range map[string]string{
		"{{.Environment}} *{{.Reason}}*":               "prod *&lt;!here&gt; &amp;*",
		"{{range .Services}}{{.Name}}={{.To}} {{end}}": "core=v1.5.0 core_worker=v1.5.0",
		"{{.Title}} after {{.Elapsed}} on {{.On}}":     "deploy failed, and everything was put back after 1m23.5s on a.example.org, b.example.org",
	} {
		m := sample()
		m.Reason = "<!here> &"
		if got, err := write(m, template, entities); err != nil || got != want {
			t.Errorf("%s: %v, got %s", template, err, got)
		}
	}
	for _, template := range []string{"{{.Nothing}}", "{{", "{{index .Hosts 7}}", "{{.Title 1}}"} {
		got, err := write(sample(), template, verbatim)
		if err == nil || got != sampleText {
			t.Errorf("%s: %v, got %s", template, err, got)
		}
	}
}

// TestHostile: what comes from outside is text, whatever it looks like.
func TestHostile(t *testing.T) {
	for _, test := range []struct{ value, plain, slack, markdown string }{
		{"<!channel>", "<!channel>", "&lt;!channel&gt;", "\\<\u200b\\!channel\\>"},
		{"@everyone", "@everyone", "@everyone", "@\u200beveryone"},
		{"x (@here)", "x (@here)", "x (@here)", "x \\(@\u200bhere\\)"},
		{"ada@laptop", "ada@laptop", "ada@laptop", "ada@laptop"},
		{"<@U024BE7LH>", "<@U024BE7LH>", "&lt;@U024BE7LH&gt;", "\\<\u200b@\u200bU024BE7LH\\>"},
		{"[x](https://evil.example.org)", "[x](https://evil.example.org)", "[x](https://evil.example.org)", "\\[x\\]\\(https://evil.example.org\\)"},
		{"<https://evil.example.org|promote>", "<https://evil.example.org|promote>", "&lt;https://evil.example.org|promote&gt;", "\\<\u200bhttps://evil.example.org\\|promote\\>"},
		{"**a** _b_ ~~c~~ `d` ||e||", "**a** _b_ ~~c~~ `d` ||e||", "**a** _b_ ~~c~~ `d` ||e||", "\\*\\*a\\*\\* \\_b\\_ \\~\\~c\\~\\~ \\`d\\` \\|\\|e\\|\\|"},
		{"a\\*b", "a\\*b", "a\\*b", "a\\\\\\*b"},
		{"a\r\nBcc: eve@example.org\r\n\r\nx", "a Bcc: eve@example.org x", "a Bcc: eve@example.org x", "a Bcc: eve@example.org x"},
		{"\x1b[31mred\x00", "[31mred", "[31mred", "\\[31mred"},
		{"v1\u202e.4\u2066.2", "v1.4.2", "v1.4.2", "v1.4.2"},
		{"a\u2028b\u0085c", "a b c", "a b c", "a b c"},
		{"a\xffb", "a�b", "a�b", "a�b"},
		{"{{.By}} ${PATH} $(id)", "{{.By}} ${PATH} $(id)", "{{.By}} ${PATH} $(id)", "\\{\\{.By\\}\\} $\\{PATH\\} $\\(id\\)"},
		{"&lt;!channel&gt;", "&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;", "&lt;\\!channel&gt;"},
		{strings.Repeat("é", 400), strings.Repeat("é", 299) + "…", strings.Repeat("é", 299) + "…", strings.Repeat("é", 299) + "…"},
	} {
		m := Message{Event: Failed, Environment: test.value, Reason: test.value}
		for kind, want := range map[string]string{JSON: test.plain, Teams: test.plain, Slack: test.slack, Discord: test.markdown, Mattermost: test.markdown} {
			n, err := (&Webhook{Kind: kind}).compose(m.mapped(clean), "{{.Environment}}: {{.Reason}}")
			if want += ": " + want; err != nil || n.text != want {
				t.Errorf("%s for %s: %v\n got %q\nwant %q", test.value, kind, err, n.text, want)
			}
			if !json.Valid(n.body) {
				t.Errorf("%s for %s is no JSON: %s", test.value, kind, n.body)
			}
		}
	}
}

func TestLink(t *testing.T) {
	for s, good := range map[string]bool{
		"https://github.com/a/b/actions/runs/1": true, "http://ci:8080/x?y=z#w": true, "": false, "javascript:alert(1)": false,
		"https://x/<!channel>": false, "https://x/a b": false, "https://x/)": false, "https://x/\n": false, "/run/1": false, "https://x/é": false, "https://x@y/": false,
	} {
		if got := link(s); (got == s) != good && s != "" || !good && got != "" {
			t.Errorf("%q: %q", s, got)
		}
	}
}

// TestLong: nobody is sent more than a service takes.
func TestLong(t *testing.T) {
	m := sample()
	for range 10_000 {
		m.Services = append(m.Services, Service{strings.Repeat("\"", 1000), strings.Repeat("<", 1000), strings.Repeat("\\", 1000)})
		m.Hosts = append(m.Hosts, strings.Repeat("h", 1000))
	}
	for _, kind := range []string{Slack, Discord, Mattermost, Teams, JSON} {
		n, err := (&Webhook{Kind: kind}).compose(m.mapped(clean), "")
		if length := len([]rune(n.text)); err != nil || length > 2000 || len(n.body) > 200_000 || !json.Valid(n.body) {
			t.Errorf("%s: %v, %d characters in %d bytes", kind, err, length, len(n.body))
		}
	}
}
