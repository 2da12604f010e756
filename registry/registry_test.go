package registry

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// server is a registry in memory that notes every request, and can be told to fail.
type server struct {
	addr string

	mu       sync.Mutex
	requests []string
	fail     func(w http.ResponseWriter, r *http.Request) (failed bool)
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{}
	content := Serve(t.TempDir(), log.New(io.Discard, "", 0))
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.Method+" "+r.URL.Path)
		fail := s.fail
		s.mu.Unlock()
		if fail == nil || !fail(w, r) {
			content.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(listening.Close)
	s.addr = listening.Listener.Addr().String()
	return s
}

// during lists the requests that f makes.
func (s *server) during(f func()) []string {
	s.mu.Lock()
	s.requests = nil
	s.mu.Unlock()
	f()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}

func (s *server) failing(fail func(http.ResponseWriter, *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

// client is New without its patience and without this machine's logins.
func client(options ...Option) *Client {
	quick := func(c *Client) { c.pauses = []time.Duration{time.Millisecond, time.Millisecond} }
	return New(append([]Option{quick, WithKeychain(authn.NewMultiKeychain())}, options...)...)
}

// image makes an image with labels. Others have other content.
func image(t testing.TB, labels map[string]string) v1.Image {
	t.Helper()
	made, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	file, err := made.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file.OS, file.Architecture, file.Created = "linux", "amd64", v1.Time{Time: time.Date(2026, 11, 21, 6, 12, 3, 0, time.UTC)}
	file.Config.Labels = labels
	if made, err = mutate.ConfigFile(made, file); err != nil {
		t.Fatal(err)
	}
	return made
}

// index makes an index of one image for each platform, with an attestation as buildx adds it.
func index(t testing.TB, labels, annotations map[string]string, platforms ...string) v1.ImageIndex {
	t.Helper()
	made := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
		Add: image(t, nil), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}},
	})
	for _, p := range platforms {
		platform, err := v1.ParsePlatform(p)
		if err != nil {
			t.Fatal(err)
		}
		made = mutate.AppendManifests(made, mutate.IndexAddendum{Add: image(t, labels), Descriptor: v1.Descriptor{Platform: platform}})
	}
	return mutate.Annotations(made, annotations).(v1.ImageIndex)
}

// push puts an image or an index under a tag and returns its digest.
func (s *server) push(t testing.TB, tag string, content partial.Describable) string {
	t.Helper()
	target, err := name.NewTag(s.addr + "/core:" + tag)
	if err != nil {
		t.Fatal(err)
	}
	switch c := content.(type) {
	case v1.Image:
		err = remote.Write(target, c)
	case v1.ImageIndex:
		err = remote.WriteIndex(target, c)
	}
	if err != nil {
		t.Fatal(err)
	}
	digest, err := content.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

func (s *server) core() string { return s.addr + "/core" }

func count(requests []string, prefix string) int {
	n := 0
	for _, r := range requests {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}
