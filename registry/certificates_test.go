package registry

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// secure is a registry behind TLS, whose certificate nobody vouches for, with its certificate as ca.crt
// would hold it. With authorities it asks clients for a certificate of theirs.
func secure(t *testing.T, authorities *x509.CertPool) (addr, certificate string) {
	t.Helper()
	server := httptest.NewUnstartedServer(Serve(t.TempDir(), log.New(io.Discard, "", 0)))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if authorities != nil {
		server.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authorities}
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), armour("CERTIFICATE", server.Certificate().Raw)
}

func armour(kind string, raw []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}))
}

// identity is a client's certificate and its key, and who vouches for it: itself.
func identity(t *testing.T) (authorities *x509.CertPool, certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	authorities = x509.NewCertPool()
	authorities.AppendCertsFromPEM([]byte(armour("CERTIFICATE", raw)))
	return authorities, armour("CERTIFICATE", raw), armour("EC PRIVATE KEY", encoded)
}

func TestCertificates(t *testing.T) {
	addr, authority := secure(t, nil)
	authorities, certificate, key := identity(t)
	picky, pickyAuthority := secure(t, authorities)
	tests := []struct {
		name, addr string
		files      map[string]string
		reason     string // empty where the registry is to answer
	}{
		{"authority", addr, map[string]string{"ca.crt": authority}, ""},
		{"authority under another name", addr, map[string]string{"team.crt": authority, "README": "not a certificate"}, ""},
		{"nothing", addr, map[string]string{}, "certificate signed by unknown authority"},
		{"no folder", addr, nil, "certificate signed by unknown authority"},
		{"another's authority", addr, map[string]string{"ca.crt": certificate}, "certificate signed by unknown authority"},
		{"no certificate in it", addr, map[string]string{"ca.crt": "nothing"}, "ca.crt holds no certificate"},
		{"our own", picky, map[string]string{"ca.crt": pickyAuthority, "client.cert": certificate, "client.key": key}, ""},
		{"asked for our own", picky, map[string]string{"ca.crt": pickyAuthority}, "certificate required"},
		{"no key", picky, map[string]string{"ca.crt": pickyAuthority, "client.cert": certificate}, "client.key"},
		{"key alone", picky, map[string]string{"ca.crt": pickyAuthority, "client.key": key}, "has no client.cert beside it"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			folder := t.TempDir()
			if test.files != nil {
				fill(t, filepath.Join(folder, test.addr), test.files)
			}
			_, err := client(WithCertificates(folder)).Digest(t.Context(), test.addr+"/core", "v1")
			var unavailable *UnavailableError
			switch {
			case test.reason == "":
				if !errors.Is(err, ErrNotFound) {
					t.Errorf("got %v", err)
				}
			case !errors.As(err, &unavailable) || !strings.Contains(err.Error(), test.reason):
				t.Errorf("got %v", err)
			case strings.Contains(test.reason, "unknown authority") && unavailable.Hint() != "put the certificate of its authority into /etc/docker/certs.d/"+addr+"/ca.crt",
				strings.Contains(test.reason, "required") && unavailable.Hint() != "put our certificate for it into /etc/docker/certs.d/"+picky+"/client.cert and client.key":
				t.Errorf("hint %q", unavailable.Hint())
			}
		})
	}
}

func fill(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// The certificates of a registry count for the token server that it names, too.
func TestCertificatesOfTokenServer(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/token":
			io.WriteString(w, `{"token":"t"}`)
		case r.Header.Get("Authorization") == "":
			w.Header().Set("WWW-Authenticate", `Bearer realm="https://`+r.Host+`/token",service="test"`)
			w.WriteHeader(http.StatusUnauthorized)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	addr, folder := server.Listener.Addr().String(), t.TempDir()
	fill(t, filepath.Join(folder, addr), map[string]string{"ca.crt": armour("CERTIFICATE", server.Certificate().Raw)})
	_, err := client(WithCertificates(folder)).Digest(t.Context(), addr+"/core", "v1")
	if !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}
