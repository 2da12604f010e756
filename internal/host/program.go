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

	mu    sync.Mutex
	known map[string]content // by path
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

// identity names the content of the program for a platform, and says how long it is. It is worked out once.
func (p *Program) identity(target platform) (hash string, size int64, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	path, err := p.file(target)
	if err != nil || p.known[path].hash != "" {
		return p.known[path].hash, p.known[path].size, err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	sum := sha256.New()
	if size, err = io.Copy(sum, f); err != nil {
		return "", 0, err
	}
	if p.known == nil {
		p.known = map[string]content{}
	}
	hash = hex.EncodeToString(sum.Sum(nil))
	p.known[path] = content{hash, size}
	return hash, size, nil
}

// content is what tells one program from another.
type content struct {
	hash string // SHA-256
	size int64  // bytes
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
