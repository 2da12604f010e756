package host

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// Program is the promote that is brought to hosts: our own executable, and those for other platforms
// that lie beside it, as in a release's archive.
type Program struct {
	Path string // of our own executable

	mu     sync.Mutex
	hashes map[string]string
}

// platform is an operating system and a processor as Go names them.
type platform struct{ os, arch string }

func (p platform) String() string { return p.os + "-" + p.arch }

// here is the platform of this program.
var here = platform{runtime.GOOS, runtime.GOARCH}

// uname is how a host's uname says a platform.
func (p platform) uname() string {
	systems := map[string]string{"linux": "Linux", "darwin": "Darwin"}
	machines := map[string]string{"amd64": "x86_64", "arm64": "aarch64", "arm": "armv7l"}
	return systems[p.os] + " " + machines[p.arch]
}

// platformOf reads what uname says.
func platformOf(system, machine string) platform {
	systems := map[string]string{"Linux": "linux", "Darwin": "darwin"}
	machines := map[string]string{"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "armv7l": "arm", "armv6l": "arm"}
	return platform{systems[system], machines[machine]}
}

// file is the executable for a platform.
func (p *Program) file(target platform) (string, error) {
	if target == here {
		return p.Path, nil
	}
	path := filepath.Join(filepath.Dir(p.Path), "promote-"+target.String())
	if _, err := os.Stat(path); err != nil {
		return "", &platformError{target, path}
	}
	return path, nil
}

// platformError is a host of another platform than this program, with no program for it at hand.
type platformError struct {
	target platform
	path   string
}

func (e *platformError) Error() string {
	return fmt.Sprintf("the host is %s, and the promote for it is not here", e.target)
}

// Hint names the file that is missing.
func (e *platformError) Hint() string {
	return "put promote-" + e.target.String() + " of the release beside this promote, as " + e.path
}

// hash names the content of the program for a platform. It is worked out once.
func (p *Program) hash(target platform) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	path, err := p.file(target)
	if err != nil || p.hashes[path] != "" {
		return p.hashes[path], err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	if p.hashes == nil {
		p.hashes = map[string]string{}
	}
	p.hashes[path] = hex.EncodeToString(sum.Sum(nil))
	return p.hashes[path], nil
}

// packed is the program for a platform, compressed.
func (p *Program) packed(target platform) ([]byte, error) {
	path, err := p.file(target)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var small bytes.Buffer
	w, err := gzip.NewWriterLevel(&small, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(data)
	err = errors.Join(err, w.Close())
	return small.Bytes(), err
}
