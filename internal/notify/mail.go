package notify

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"strings"
	"time"
)

// mailPatience is how long a mail server may take for all of it.
const mailPatience = 15 * time.Second

// How much TLS is wanted of a mail server.
const (
	TLSAuto   = "auto"   // where it is offered
	TLSAlways = "always" // or nothing is sent
	TLSNever  = "never"
)

// Mail is a message by SMTP.
type Mail struct {
	To     []*mail.Address
	From   *mail.Address
	Server string // HOST:PORT; 465 speaks TLS from the first byte
	// User and Password may be empty. The password is sent over TLS, or to this machine, or not at all.
	User, Password string
	TLS            string
	Roots          *x509.CertPool // that its certificate is checked with; nil: this machine's
}

func (m *Mail) secrets() []string { return []string{m.Password} }

func (m *Mail) compose(message Message, template string) (note, error) {
	n := note{Message: message}
	var wrong error
	n.text, wrong = write(message, template, verbatim)
	b := bytes.NewBufferString(m.head(n.text))
	body := quotedprintable.NewWriter(b)
	_, err := io.WriteString(body, strings.ReplaceAll(n.text, "\n", "\r\n")+"\r\n")
	err = errors.Join(wrong, err, body.Close())
	n.body = b.Bytes()
	return n, err
}

// head is the header of a mail. No value in it can have a line break: addresses were parsed, and the rest is
// encoded.
func (m *Mail) head(text string) string {
	var to []string
	for _, address := range m.To {
		to = append(to, address.String())
	}
	title, _, _ := strings.Cut(text, "\n")
	domain := m.From.Address[strings.LastIndex(m.From.Address, "@")+1:]
	return strings.Join([]string{
		"From: " + m.From.String(),
		"To: " + strings.Join(to, ",\r\n "),
		"Subject: " + mime.QEncoding.Encode("utf-8", clean(title)),
		"Date: " + time.Now().Format(time.RFC1123Z),
		"Message-ID: <" + strings.ToLower(rand.Text()) + "@" + domain + ">",
		"Auto-Submitted: auto-generated", // nobody's out-of-office answers it
		"MIME-Version: 1.0",
		"Content-Type: text/plain; charset=utf-8",
		"Content-Transfer-Encoding: quoted-printable",
	}, "\r\n") + "\r\n\r\n"
}

func (m *Mail) send(ctx context.Context, n note) error {
	ctx, cancel := context.WithTimeout(ctx, mailPatience)
	defer cancel()
	err := m.deliver(ctx, n)
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &lateError{m.Server + " was not done with it within " + mailPatience.String()}
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (m *Mail) deliver(ctx context.Context, n note) error {
	conn, err := m.dial(ctx)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	defer conn.Close()
	host, _, _ := net.SplitHostPort(m.Server)
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	if err := m.secure(client, host); err != nil {
		return err
	}
	if m.User != "" {
		if err := client.Auth(smtp.PlainAuth("", m.User, m.Password, host)); err != nil {
			return err
		}
	}
	return m.hand(client, n.body)
}

func (m *Mail) dial(ctx context.Context) (net.Conn, error) {
	host, port, err := net.SplitHostPort(m.Server)
	if err == nil && port == "465" {
		return (&tls.Dialer{Config: &tls.Config{ServerName: host, RootCAs: m.Roots}}).DialContext(ctx, "tcp", m.Server)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", m.Server)
}

// secure begins TLS where it is wanted and there is none yet.
func (m *Mail) secure(client *smtp.Client, host string) error {
	if _, already := client.TLSConnectionState(); already || m.TLS == TLSNever {
		return nil
	}
	if offered, _ := client.Extension("STARTTLS"); offered {
		return client.StartTLS(&tls.Config{ServerName: host, RootCAs: m.Roots})
	}
	if m.TLS == TLSAlways {
		return fmt.Errorf("%s offers no TLS", m.Server)
	}
	return nil
}

// hand gives the server the mail. It is sent once the server said that it has it; what it says to our
// goodbye has no meaning any more.
func (m *Mail) hand(client *smtp.Client, body []byte) error {
	if err := client.Mail(m.From.Address); err != nil {
		return err
	}
	for _, address := range m.To {
		if err := client.Rcpt(address.Address); err != nil {
			return err
		}
	}
	data, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := data.Write(body); err != nil {
		return err
	}
	if err := data.Close(); err != nil {
		return err
	}
	_ = client.Quit()
	return nil
}
