package notify

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestPayloads: what each service documents that it takes.
func TestPayloads(t *testing.T) {
	text, _ := json.Marshal(sampleText)
	for kind, want := range map[string]string{
		Slack:      `{"mrkdwn":false,"text":` + string(text) + `,"unfurl_links":false}`,
		Discord:    `{"allowed_mentions":{"parse":[]},"content":` + strings.ReplaceAll(string(text), "core_", `core\\_`) + `,"flags":4}`,
		Mattermost: `{"text":` + strings.ReplaceAll(string(text), "core_", `core\\_`) + `}`,
		JSON: `{"schema":1,"event":"put-back","environment":"prod","kind":"deploy","deployment":"20261121-061203-k7f",` +
			`"services":[{"name":"core","from":"v1.4.2","to":"v1.5.0"},{"name":"core_worker","to":"v1.5.0"}],"hosts":["a.example.org","b.example.org"],` +
			`"by":"ada@laptop","reason":"login","error":"core: its health check failed","hint":"promote show prod","seconds":83.46,` +
			`"url":"https://ci.example.org/run/1?a_b=c","text":` + string(text) + `}`,
	} {
		n, err := (&Webhook{Kind: kind}).compose(sample(), "")
		if got := strings.TrimSpace(string(n.body)); err != nil || got != want {
			t.Errorf("%s: %v\n got %s\nwant %s", kind, err, got, want)
		}
	}
	n, err := (&Webhook{Kind: Teams}).compose(Message{Event: Started, Environment: "prod", Kind: "deploy", By: "ada"}, "")
	const want = `{"attachments":[{"content":{"$schema":"http://adaptivecards.io/schemas/adaptive-card.json","body":[` +
		`{"inlines":[{"text":"prod: deploy started","type":"TextRun","weight":"bolder"}],"spacing":"none","type":"RichTextBlock"},` +
		`{"inlines":[{"text":"by ada","type":"TextRun"}],"spacing":"none","type":"RichTextBlock"}],"type":"AdaptiveCard","version":"1.4"},` +
		`"contentType":"application/vnd.microsoft.card.adaptive"}],"type":"message"}`
	if got := strings.TrimSpace(string(n.body)); err != nil || got != want {
		t.Errorf("teams: %v\n got %s\nwant %s", err, got, want)
	}
	n, err = (&Webhook{Kind: Slack}).compose(sample(), "*{{.Title}}*")
	if err != nil || !strings.Contains(string(n.body), `"mrkdwn":true,"text":"*deploy failed`) {
		t.Errorf("with markup of the user's own: %v %s", err, n.body)
	}
}

func TestKind(t *testing.T) {
	for url, want := range map[string]string{
		"https://hooks.slack.com/services/T0/B0/x": Slack, "https://discord.com/api/webhooks/1/x": Discord, "https://ptb.discord.com/api/webhooks/1/x": Discord,
		"https://prod-1.westeurope.logic.azure.com:443/workflows/x": Teams, "https://a.b.environment.api.powerplatform.com/x": Teams,
		"https://chat.example.org/hooks/x": JSON, "https://nothooks.slack.com.example.org/": JSON, "https://evildiscord.com/": JSON, "::": JSON,
	} {
		if got := (&Webhook{URL: url}).kind(); got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
	}
	if got := (&Webhook{URL: "https://discord.com/", Kind: JSON}).kind(); got != JSON {
		t.Errorf("what is written wins: %s", got)
	}
}

// far is a service over TCP that answers with the statuses, one after the other, and then with 200.
func far(t *testing.T, headers http.Header, statuses ...int) (server *httptest.Server, asked *atomic.Int32) {
	asked = new(atomic.Int32)
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(asked.Add(1))
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || !json.Valid(body) {
			t.Errorf("%s %s %s", r.Method, r.Header, body)
		}
		for name, values := range headers {
			w.Header()[name] = values
		}
		if n <= len(statuses) {
			w.WriteHeader(statuses[n-1])
		}
	}))
	t.Cleanup(server.Close)
	return server, asked
}

func TestTries(t *testing.T) {
	for _, test := range []struct {
		name     string
		statuses []int
		headers  http.Header
		asked    int32
		want     string
	}{
		{"at once", nil, nil, 1, ""},
		{"nothing to say", []int{204}, nil, 1, ""},
		{"once more", []int{502}, nil, 2, ""},
		{"too fast", []int{429}, http.Header{"Retry-After": {"0"}}, 2, ""},
		{"twice is enough", []int{503, 500, 500}, http.Header{"Retry-After": {"0"}}, 2, "it answered 500 Internal Server Error"},
		{"what will not change", []int{403}, nil, 1, "it answered 403 Forbidden"},
		{"elsewhere", []int{302}, http.Header{"Location": {"/other"}}, 1, "it answered 302 Found, and redirects are not followed"},
		{"no known status", []int{299, 599}, nil, 1, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server, asked := far(t, test.headers, test.statuses...)
			err := Receiver{Name: "r", Channel: &Webhook{URL: server.URL + "/services/T000/hush-hush"}}.Tell(t.Context(), sample())
			if asked.Load() != test.asked || (err == nil) != (test.want == "") || err != nil && err.Error() != "r: not told: "+test.want {
				t.Errorf("asked %d times: %v", asked.Load(), err)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": usualPause, "1": time.Second, "0": 0, "3600": maxPause, "99999999999999999": maxPause, "-5": usualPause, "Wed, 21 Oct 2026 07:28:00 GMT": usualPause, "9223372036854775807": maxPause,
	} {
		if got := patience(header); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

// TestNoAnswer: what doesn't speak HTTP, or doesn't speak, is an error without the secret in the URL.
func TestNoAnswer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn) // an echo has the URL in its answer
			}()
		}
	}()
	closed := httptest.NewServer(nil)
	closed.Close()
	encrypted := httptest.NewTLSServer(nil)
	defer encrypted.Close()
	for _, url := range []string{"http://" + listener.Addr().String(), closed.URL, encrypted.URL, "http://127.0.0.1:99999", "https://" + listener.Addr().String(), "http://\x7f"} {
		err := Receiver{Name: "r", Channel: &Webhook{URL: url + "/services/T000/hush-hush?token=hush-token"}}.Tell(t.Context(), sample())
		if err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", url, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&Webhook{URL: closed.URL}).send(ctx, note{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestStall: a service that takes the message and never answers is given up.
func TestStall(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	defer server.Close()
	began := time.Now()
	err := (&Webhook{URL: server.URL}).send(t.Context(), note{})
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "no answer within 5s") || took > tryPatience+2*time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

func TestEndlessAnswer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	if err := (&Webhook{URL: server.URL}).send(t.Context(), note{}); err != nil {
		t.Error(err)
	}
}

func TestCertificate(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	if err := (&Webhook{URL: server.URL, Roots: roots}).send(t.Context(), note{}); err != nil {
		t.Error(err)
	}
	var unknown x509.UnknownAuthorityError
	if err := (&Webhook{URL: server.URL}).send(t.Context(), note{}); !errors.As(err, &unknown) {
		t.Errorf("an unknown one: %v", err)
	}
}
