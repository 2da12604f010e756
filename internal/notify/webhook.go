package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// What a webhook understands.
const (
	Slack      = "slack"
	Discord    = "discord"
	Teams      = "teams" // a workflow's webhook
	Mattermost = "mattermost"
	JSON       = "json" // the [Message], with its text
)

// Limits of a webhook: how long a try may take, how long the second one may be put off, and how much of an
// answer is read.
const (
	tryPatience = 5 * time.Second
	maxPause    = 3 * time.Second
	usualPause  = 500 * time.Millisecond
	maxAnswer   = 64 << 10
)

// Webhook is a URL that is sent a POST.
type Webhook struct {
	URL   string
	Kind  string         // Slack, …; empty: found by the URL's host, else JSON
	Roots *x509.CertPool // that its certificate is checked with; nil: this machine's
}

// Host is the only part of the URL that may be shown.
func (w *Webhook) Host() string {
	if u, err := url.Parse(w.URL); err == nil {
		return u.Hostname()
	}
	return "webhook"
}

// kind is what the webhook understands.
func (w *Webhook) kind() string {
	if w.Kind != "" {
		return w.Kind
	}
	host := "." + w.Host()
	for suffix, kind := range map[string]string{
		".hooks.slack.com": Slack, ".hooks.slack-gov.com": Slack,
		".discord.com": Discord, ".discordapp.com": Discord,
		".logic.azure.com": Teams, ".api.powerplatform.com": Teams, ".webhook.office.com": Teams,
	} {
		if strings.HasSuffix(host, suffix) {
			return kind
		}
	}
	return JSON
}

func (w *Webhook) secrets() []string {
	secrets := []string{w.URL}
	if u, err := url.Parse(w.URL); err == nil {
		password, _ := u.User.Password()
		secrets = append(secrets, strings.Trim(u.RequestURI(), "/"), strings.Trim(u.Path, "/"), u.RawQuery, password, u.User.Username())
	}
	return secrets
}

func (w *Webhook) compose(m Message, template string) (note, error) {
	n := note{Message: m}
	escape := map[string]func(string) string{Slack: entities, Discord: markdown, Mattermost: markdown}[w.kind()]
	if escape == nil {
		escape = verbatim
	}
	var wrong error
	n.text, wrong = write(m, template, escape)
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(w.payload(n, template != "" && wrong == nil)); err != nil {
		return n, err
	}
	n.body = b.Bytes()
	return n, wrong
}

// payload is what the service takes. Markup is left on only where the user wrote the template.
func (w *Webhook) payload(n note, markup bool) any {
	type object = map[string]any
	switch w.kind() {
	case Slack:
		return object{"text": n.text, "mrkdwn": markup, "unfurl_links": false}
	case Discord:
		const noPreviews = 1 << 2
		return object{"content": n.text, "allowed_mentions": object{"parse": []string{}}, "flags": noPreviews}
	case Mattermost:
		return object{"text": n.text}
	case Teams:
		return object{"type": "message", "attachments": []object{{
			"contentType": "application/vnd.microsoft.card.adaptive",
			"content":     card(n.text),
		}}}
	}
	return struct {
		Message
		Text string `json:"text"`
	}{n.Message, n.text}
}

// card is an Adaptive Card with a block for each line. Text runs are never read as Markdown.
func card(text string) map[string]any {
	var blocks []any
	for line := range strings.Lines(text) {
		run := map[string]any{"type": "TextRun", "text": strings.TrimSpace(line)}
		if len(blocks) == 0 {
			run["weight"] = "bolder"
		}
		blocks = append(blocks, map[string]any{"type": "RichTextBlock", "spacing": "none", "inlines": []any{run}})
	}
	return map[string]any{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": blocks,
	}
}

// send tries twice where the service says that it may do better the second time.
func (w *Webhook) send(ctx context.Context, n note) error {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: w.Roots}
	transport.ForceAttemptHTTP2 = true
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	err := w.post(ctx, client, n.body)
	if refused := (*statusError)(nil); errors.As(err, &refused) && refused.passing() && pause(ctx, refused.wait) {
		err = w.post(ctx, client, n.body)
	}
	return err
}

// pause waits, unless the context ends first.
func pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *Webhook) post(ctx context.Context, client *http.Client, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, tryPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("its URL is none")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "promote")
	response, err := client.Do(request)
	if outer := (*url.Error)(nil); errors.As(err, &outer) {
		err = outer.Err // the outer one shows the URL
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &lateError{"no answer within " + tryPatience.String()}
	}
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer) // what it says has no meaning; only that it was asked
	if response.StatusCode/100 == 2 {
		return nil
	}
	return &statusError{response.StatusCode, patience(response.Header.Get("Retry-After"))}
}

// patience is how long a Retry-After asks to wait, as far as we go along with it.
func patience(after string) time.Duration {
	seconds, err := strconv.Atoi(after)
	if err != nil || seconds < 0 {
		return usualPause
	}
	return min(time.Duration(min(seconds, 60))*time.Second, maxPause)
}

// statusError is an answer that is not good.
type statusError struct {
	status int
	wait   time.Duration // before it makes sense to try again
}

func (e *statusError) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("it answered %d %s", e.status, http.StatusText(e.status)))
	if e.status/100 == 3 {
		text += ", and redirects are not followed"
	}
	return text
}

// passing tells whether the service may answer better soon.
func (e *statusError) passing() bool {
	return e.status == http.StatusTooManyRequests || e.status/100 == 5
}
