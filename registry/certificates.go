package registry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// SystemCertificates is where Docker Engine keeps the certificates of registries on Linux: a folder for
// each, named HOST or HOST:PORT, with authorities in *.crt, and our own certificate for a registry that
// asks for one in NAME.cert beside NAME.key (docs.docker.com, "Verify repository client with
// certificates").
const SystemCertificates = "/etc/docker/certs.d"

// certificates reads what folders like SystemCertificates hold for a registry. It is nil where that is
// nothing.
func certificates(folders []string, registry string) (*tls.Config, error) {
	var config *tls.Config
	for _, folder := range folders {
		dir := filepath.Join(folder, registry)
		files, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if config == nil {
			config = &tls.Config{RootCAs: systemAuthorities()}
		}
		for _, file := range files {
			if err := addCertificate(config, filepath.Join(dir, file.Name())); err != nil {
				return nil, err
			}
		}
	}
	return config, nil
}

// systemAuthorities are trusted beside a registry's own, as docker does it.
func systemAuthorities() *x509.CertPool {
	if pool, err := x509.SystemCertPool(); err == nil {
		return pool
	}
	return x509.NewCertPool()
}

// addCertificate takes a file by its ending; docker leaves other files alone, too.
func addCertificate(config *tls.Config, path string) error {
	name := strings.TrimSuffix(path, filepath.Ext(path))
	switch filepath.Ext(path) {
	case ".crt":
		text, err := os.ReadFile(path)
		if err == nil && !config.RootCAs.AppendCertsFromPEM(text) {
			err = fmt.Errorf("%s holds no certificate", path)
		}
		return err
	case ".cert":
		pair, err := tls.LoadX509KeyPair(path, name+".key")
		config.Certificates = append(config.Certificates, pair)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	case ".key":
		if _, err := os.Stat(name + ".cert"); err != nil {
			return fmt.Errorf("%s has no %s beside it", path, filepath.Base(name+".cert"))
		}
	}
	return nil
}
