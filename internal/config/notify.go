package config

import (
	"errors"
	"net"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// Notify is somebody to tell about deployments: one of Webhook, Mail and Command is set, unless Unset says
// why it is not.
type Notify struct {
	Place Place // of its entry in the file
	// Webhook is the http or https URL that is sent a POST. It is a secret.
	Webhook string
	Mail    *Mail
	Command Command
	// Kind is what the webhook understands; empty is found by its URL.
	Kind string
	// Events are what it is told of.
	Events []string
	// Environments are those that it is told of; empty means all of them.
	Environments []string
	// Template is a text/template for the text; empty means the usual one.
	Template string
	// Unset names the environment variables that the entry needs and that are not set, or empty: it can't be
	// told then. That is no mistake in the file, since not everybody who reads it is to know the secrets in it.
	Unset []string
}

// Mail is a message by SMTP.
type Mail struct {
	To     []*mail.Address
	From   *mail.Address
	Server string // HOST:PORT
	// User and Password are both set, or none is.
	User, Password string
	// TLS is auto, always or never.
	TLS string
}

// The events that somebody is told of when the entry doesn't say which.
var usualEvents = []string{"succeeded", "put-back", "failed", "held"}

var notifyKeys = mapping([]key[Notify]{
	at("webhook", webhook, func(n *Notify) *string { return &n.Webhook },
		"URL that is sent a POST."),
	at("mail", mailKeys.pointer(), func(n *Notify) **Mail { return &n.Mail },
		"E-mail that is sent by SMTP."),
	at("command", command, func(n *Notify) *Command { return &n.Command },
		"What is run on this machine, in this file's directory, with the message as JSON on its standard input: a line for a shell, or a list of a program and its arguments."),
	at("kind", choice("slack", "discord", "teams", "mattermost", "json"), func(n *Notify) *string { return &n.Kind },
		"What the webhook understands.").derived("found by the URL's host, else json"),
	at("events", either(single(event), set(event)), func(n *Notify) *[]string { return &n.Events },
		"What is told.").derived("succeeded, put-back, failed and held"),
	at("environments", either(single(text), set(text)), func(n *Notify) *[]string { return &n.Environments },
		"Environments of which it is told.").derived("all of them"),
	at("template", parsed("a template", textSchema, parseMessage), func(n *Notify) *string { return &n.Template },
		"Template of the text, as Go's text/template has them.").derived("the usual text"),
}).oneOf("webhook", "mail", "command")

var event = choice("started", "succeeded", "put-back", "failed", "held", "drift")

var mailKeys = mapping([]key[Mail]{
	at("to", either(single(address), list(address)), func(m *Mail) *[]*mail.Address { return &m.To },
		"Addresses that it is sent to.").must(),
	at("from", address, func(m *Mail) **mail.Address { return &m.From },
		"Address that it comes from.").must(),
	at("server", parsed("a server such as smtp.example.org:587", textSchema, parseServer), func(m *Mail) *string { return &m.Server },
		"Mail server, with its port; 465 is TLS from the first byte.").must(),
	at("user", text, func(m *Mail) *string { return &m.User },
		"User to log in as.").derived("no login"),
	at("password", text, func(m *Mail) *string { return &m.Password },
		"Password of the user, which is never sent without TLS but to this machine itself."),
	at("tls", choice("auto", "always", "never"), func(m *Mail) *string { return &m.TLS },
		"Whether TLS is used where the server offers it, insisted on, or left alone.").or("auto"),
})

var address = parsed("an address such as ops@example.org", textSchema, parseAddress)

// notifyEntry is read also where its variables are not set: nothing of it is needed before somebody is to be
// told.
var notifyEntry = whenNeeded(notifyKeys.kind(), func(n *Notify, at Place, unset []string) {
	n.Place, n.Unset = at, unset
})

func parseWebhook(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		// The value is often a secret: it is not shown.
		return "", errors.New("expected an http or https URL")
	}
	return s, nil
}

func parseAddress(s string) (*mail.Address, error) {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return nil, errors.New("expected an address such as ops@example.org, found " + strconv.Quote(shortened(s)))
	}
	return a, nil
}

func parseServer(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if n, wrong := strconv.Atoi(port); err != nil || wrong != nil || host == "" || n < 1 || n > 65535 {
		return "", errors.New("expected a server such as smtp.example.org:587, found " + strconv.Quote(shortened(s)))
	}
	return s, nil
}

func parseMessage(s string) (string, error) {
	if _, err := template.New("").Parse(s); err != nil {
		return "", errors.New("not a template: " + strings.TrimPrefix(err.Error(), "template: "))
	}
	return s, nil
}

// deriveNotify has those that say no events told of the usual ones.
func (c *Config) deriveNotify() {
	for i := range c.Notify {
		if len(c.Notify[i].Events) == 0 {
			c.Notify[i].Events = usualEvents
		}
	}
}

// checkNotify refuses what would have no effect, and a password that could only be sent in the clear.
func (c *Config) checkNotify(d *decoder) {
	environments := names(c.Environments)
	for _, n := range c.Notify {
		if n.Kind != "" && (n.Mail != nil || n.Command.Shell != "" || n.Command.Argv != nil) {
			d.failAt(n.Place, "notify: kind is for a webhook only")
		}
		for _, name := range n.Environments {
			if !slices.Contains(environments, name) {
				d.failAt(n.Place, "notify: unknown environment %q%s", shortened(name), didYouMean(name, environments))
			}
		}
		if n.Mail != nil && len(n.Unset) == 0 {
			n.Mail.check(d, n.Place)
		}
	}
}

func (m *Mail) check(d *decoder, at Place) {
	if (m.User == "") != (m.Password == "") {
		d.failAt(at, "notify: user and password go together")
	}
	if host, _, _ := net.SplitHostPort(m.Server); m.TLS == "never" && m.Password != "" && !local(host) {
		d.failAt(at, "notify: a password is not sent to %s without TLS", host)
	}
}

// local tells whether a host is this machine, as package net/smtp does before it sends a password without
// TLS.
func local(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }
