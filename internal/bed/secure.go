package bed

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// secureName is where secure registries are found. A name, since engines take anything from a registry
// on the loopback, whatever its certificate.
const secureName = "registry.bed"

// docker's folder of registries' certificates; the bed has an /etc/docker of its own.
const certificates = "/etc/docker/certs.d"

// SecureRegistry is a Registry behind TLS that answers only to User and Password, and whose certificate
// nobody here trusts before Trust. It is reached as registry.bed:PORT.
func SecureRegistry(t testing.TB) *RegistryHandle {
	t.Helper()
	Need(t)
	return secure(t, t.TempDir(), withPassword(t))
}

// TokenRegistry is a SecureRegistry that wants tokens, as Docker Hub does. Its token server gives them to
// User and Password, or for the refresh token Refresh, and to anybody for pulling.
func TokenRegistry(t testing.TB) *RegistryHandle {
	t.Helper()
	Need(t)
	dir := t.TempDir()
	return secure(t, dir, withTokens(t, dir))
}

// TokenHostRegistry is a HostRegistry that wants tokens, as a TokenRegistry does. Its token server is reached from
// here only: hosts have to be given theirs.
func TokenHostRegistry(t testing.TB) *RegistryHandle {
	t.Helper()
	dir := t.TempDir()
	registry := onBridge(t, dir, withTokens(t, dir))
	registry.auth = &authn.Basic{Username: User, Password: Password}
	return registry
}

// withTokens starts a token server, and is the setting of a registry that wants its tokens.
func withTokens(t testing.TB, dir string) string {
	t.Helper()
	pair, err := certificate(dir)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(&tokens{pair})
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	return fmt.Sprintf("auth: {token: {realm: %q, service: bed, issuer: bed, rootcertbundle: %q}}\n",
		"https://"+secureName+":"+port+"/token", filepath.Join(dir, "ca.crt"))
}

// Trust has docker, and whoever looks where docker does, take the registry's certificate.
func (r *RegistryHandle) Trust(t testing.TB) {
	t.Helper()
	dir := filepath.Join(certificates, r.addr)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	authority, err := os.ReadFile(r.authority)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.crt"), authority, 0o644); err != nil {
		t.Fatal(err)
	}
}

// secure starts a registry with the certificate in dir, by its name.
func secure(t testing.TB, dir, settings string) *RegistryHandle {
	t.Helper()
	registry := startSecure(t, loopback, dir, settings)
	_, port, _ := net.SplitHostPort(registry.addr)
	registry.addr = net.JoinHostPort(secureName, port)
	registry.auth = &authn.Basic{Username: User, Password: Password}
	return registry
}

// startSecure starts a registry with the certificate in dir.
func startSecure(t testing.TB, address, dir, settings string) *RegistryHandle {
	t.Helper()
	if _, err := certificate(dir); err != nil {
		t.Fatal(err)
	}
	own := fmt.Sprintf(", tls: {certificate: %q, key: %q}", filepath.Join(dir, "ca.crt"), filepath.Join(dir, "key"))
	registry, err := startRegistry(address, t.TempDir(), own, settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(registry.daemon.stop)
	registry.authority = filepath.Join(dir, "ca.crt")
	return registry
}

// Transport speaks with the registry, also with one that nobody trusts yet.
func (r *RegistryHandle) Transport() (http.RoundTripper, error) {
	transport := remote.DefaultTransport.(*http.Transport).Clone()
	if r.authority == "" {
		return transport, nil
	}
	authority, err := os.ReadFile(r.authority)
	if err != nil {
		return nil, err
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
	transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(authority)
	return transport, nil
}

// nameRegistry makes secureName an address. It is done before anybody looks a name up: Go remembers the file
// for some seconds. What the bed writes to /etc the machine does not see.
func nameRegistry() (err error) {
	hosts, err := os.OpenFile("/etc/hosts", os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hosts.Close()) }()
	_, err = fmt.Fprintf(hosts, "\n%s %s\n", loopback, secureName)
	return err
}

// certificate makes ca.crt and key in dir, unless they are there: its own authority.
func certificate(dir string) (tls.Certificate, error) {
	cert, key := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "key")
	if pair, err := tls.LoadX509KeyPair(cert, key); err == nil {
		return pair, nil
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: secureName}, DNSNames: []string{secureName}, IPAddresses: []net.IP{net.ParseIP(bridgeAddress)},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return tls.Certificate{}, err
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		return tls.Certificate{}, err
	}
	if err := writePEM(cert, "CERTIFICATE", raw); err != nil {
		return tls.Certificate{}, err
	}
	if err := writePEM(key, "EC PRIVATE KEY", encoded); err != nil {
		return tls.Certificate{}, err
	}
	return tls.LoadX509KeyPair(cert, key)
}

func writePEM(path, kind string, raw []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600)
}
