package notify

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"maps"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// letter is a mail as a server took it.
type letter struct {
	from, user string
	to         []string
	secure     bool
	data       []byte
}

// post is a mail server's mind: it takes all mail, from those who have logged in where it has a user.
type post struct {
	user, password string
	letters        chan letter
	logins         atomic.Int32
}

func (p *post) NewSession(c *smtp.Conn) (smtp.Session, error) {
	_, secure := c.TLSConnectionState()
	return &session{post: p, letter: letter{secure: secure}}, nil
}

type session struct {
	post   *post
	letter letter
}

func (s *session) AuthMechanisms() []string {
	if s.post.user == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	s.post.logins.Add(1)
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.post.user || password != s.post.password {
			return smtp.ErrAuthFailed
		}
		s.letter.user = user
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.letter.user != s.post.user {
		return smtp.ErrAuthRequired
	}
	s.letter.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nobody@") {
		return &smtp.SMTPError{Code: 550, Message: "no such user here"}
	}
	s.letter.to = append(s.letter.to, to)
	return nil
}

func (s *session) Data(r io.Reader) (err error) {
	s.letter.data, err = io.ReadAll(r)
	s.post.letters <- s.letter
	return err
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// serve has a mail server listen; on port 465 it speaks TLS from the first byte.
func serve(t *testing.T, p *post, address string, config *tls.Config) string {
	t.Helper()
	p.letters = make(chan letter, 10)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(p)
	server.Domain, server.AllowInsecureAuth, server.TLSConfig = "mail.example.org", true, config
	server.ErrorLog = quiet{}
	address = listener.Addr().String()
	if strings.HasSuffix(address, ":465") {
		listener = tls.NewListener(listener, config)
	}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	return address
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}

// authority signs a certificate for this machine's address.
func authority(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(127, 0, 0, 3)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, roots
}

func to(server string) *Mail {
	return &Mail{
		To:   []*mail.Address{{Name: "Ада, Ops", Address: "ops@example.org"}, {Address: "eve@example.org"}},
		From: &mail.Address{Name: "promote", Address: "promote@example.org"}, Server: server, TLS: TLSAuto,
	}
}

// read takes a mail apart: its header, and its text.
func read(t testing.TB, data []byte) (mail.Header, string) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v: %q", err, data)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header, strings.ReplaceAll(string(body), "\r\n", "\n")
}

func TestMail(t *testing.T) {
	config, roots := authority(t)
	p := &post{user: "promote", password: "hush-hush"}
	m := to(serve(t, p, "127.0.0.1:0", config))
	m.User, m.Password, m.TLS, m.Roots = "promote", "hush-hush", TLSAlways, roots
	sent := sample()
	sent.Reason = "für @everyone\r\nBcc: all@example.org\r\n.\r\nQUIT"
	if err := (Receiver{Name: "r", Channel: m}).Tell(t.Context(), sent); err != nil {
		t.Fatal(err)
	}
	got := <-p.letters
	if got.from != "promote@example.org" || !slices.Equal(got.to, []string{"ops@example.org", "eve@example.org"}) || !got.secure || got.user != "promote" {
		t.Errorf("the envelope is %+v", got)
	}
	header, text := read(t, got.data)
	if want := strings.Replace(sampleText, ": login", ": für @everyone Bcc: all@example.org . QUIT", 1) + "\n"; text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
	if err != nil || subject != "prod: deploy failed, and everything was put back on a.example.org, b.example.org" {
		t.Errorf("%v: the subject is %s", err, header.Get("Subject"))
	}
	if date, err := header.Date(); err != nil || time.Since(date) > time.Minute {
		t.Errorf("%v: the date is %s", err, header.Get("Date"))
	}
	if list, err := header.AddressList("To"); err != nil || len(list) != 2 || list[0].Name != "Ада, Ops" {
		t.Errorf("%v: to %s", err, header.Get("To"))
	}
	if id := header.Get("Message-ID"); !strings.HasPrefix(id, "<") || !strings.HasSuffix(id, "@example.org>") {
		t.Errorf("the id is %s", id)
	}
}

// TestMailTLS: a password goes over TLS or to this machine, and what is insisted on is had or nothing is sent.
func TestMailTLS(t *testing.T) {
	config, roots := authority(t)
	for _, test := range []struct {
		name   string
		config *tls.Config // of the server; nil: it offers no TLS
		change func(*Mail)
		secure bool
		want   string // the error's text
	}{
		{"offered", config, func(m *Mail) {}, true, ""},
		{"not offered", nil, func(m *Mail) {}, false, ""},
		{"left alone", config, func(m *Mail) { m.TLS = TLSNever }, false, ""},
		{"insisted on", nil, func(m *Mail) { m.TLS = TLSAlways }, false, "offers no TLS"},
		{"an unknown certificate", config, func(m *Mail) { m.Roots = nil }, false, "certificate"},
		{"a wrong password", config, func(m *Mail) { m.Password = "wrong-wrong" }, false, "535"},
		{"nobody there", config, func(m *Mail) { m.To[0].Address = "nobody@example.org" }, false, "no such user here"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &post{user: "promote", password: "hush-hush"}
			m := to(serve(t, p, "127.0.0.1:0", test.config))
			m.User, m.Password, m.Roots = "promote", "hush-hush", roots
			test.change(m)
			err := Receiver{Name: "r", Channel: m}.Tell(t.Context(), sample())
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hush") || len(p.letters) > 0 {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := <-p.letters; got.secure != test.secure {
				t.Errorf("secure: %v", got.secure)
			}
		})
	}
}

// TestPassword: one that would go to another machine in the clear is not sent at all.
func TestPassword(t *testing.T) {
	for _, wanted := range []string{TLSAuto, TLSNever} {
		p := &post{user: "promote", password: "hush-hush"}
		m := to(serve(t, p, "127.0.0.2:0", nil)) // not one of the names of this machine
		m.User, m.Password, m.TLS = "promote", "hush-hush", wanted
		err := Receiver{Name: "r", Channel: m}.Tell(t.Context(), sample())
		if err == nil || err.Error() != "r: not told: unencrypted connection" || p.logins.Load() > 0 {
			t.Errorf("%s: %v", wanted, err)
		}
	}
}

func TestTLSFromTheFirstByte(t *testing.T) {
	config, roots := authority(t)
	p := &post{}
	m := to(serve(t, p, "127.0.0.3:465", config)) // only root may listen there
	m.Roots = roots
	if err := m.send(t.Context(), note{body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if got := <-p.letters; !got.secure {
		t.Error("it was not")
	}
}

// TestMailServers: what a server does wrong is an error, in time.
func TestMailServers(t *testing.T) {
	for _, test := range []struct{ says, want string }{
		{"", "was not done with it"},
		{"220 mail.example.org\r\n", "was not done with it"},
		{"554 go away\r\n", "go away"},
		{"HTTP/1.1 400 Bad Request\r\n\r\n", "short response"},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := listener.Accept()
			if err == nil {
				defer conn.Close()
				_, _ = io.WriteString(conn, test.says)
				_, _ = io.Copy(io.Discard, conn)
			}
		}()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		err = to(listener.Addr().String()).send(ctx, note{})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v", test.says, err)
		}
		if strings.Contains(test.want, "not done") && !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%q: %v is no deadline", test.says, err)
		}
		cancel()
		listener.Close()
	}
}

// FuzzMail: whatever is told, the mail has our header and no other, and the text as it is.
func FuzzMail(f *testing.F) {
	for _, seed := range []string{"", "a\r\nBcc: x@example.org", "\r\n\r\n.\r\n", "=?utf-8?q?a=0d=0aBcc:?=", "é \u2028 \x00 \xff", strings.Repeat("=", 2000), "\n.\n..", "From x"} {
		f.Add(seed)
	}
	names := []string{"Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}
	f.Fuzz(func(t *testing.T, foreign string) {
		m := Message{Environment: foreign, Reason: foreign}
		n, err := to("mail.example.org:25").compose(m.mapped(clean), "{{.Environment}}\n{{.Reason}}")
		if err != nil {
			t.Fatal(err)
		}
		header, text := read(t, n.body)
		if got := slices.Sorted(maps.Keys(header)); !slices.Equal(got, names) || text != n.text+"\n" {
			t.Errorf("%q became %q", foreign, n.body)
		}
	})
}
