package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"promote/internal/bed"
	"promote/internal/release"
	"promote/registry"
)

// tap stands in front of a registry. It counts requests, has something happen at one of them, and notes
// what every tag was made to point to.
type tap struct {
	addr string

	mu    sync.Mutex
	n, at int // requests so far, and the one where it happens
	trick trick
	over  chan struct{}       // closed when the trick is
	tags  map[string][]string // to digests, in the order in which they were written
}

// trick is what happens instead of handing the request on, and reports whether that is all.
type trick func(w http.ResponseWriter, r *http.Request, hand http.Handler, over <-chan struct{}) (done bool)

func newTap(t *testing.T, r *bed.RegistryHandle) *tap {
	p := &tap{tags: map[string][]string{}, over: make(chan struct{})}
	hand := &httputil.ReverseProxy{
		Rewrite: func(q *httputil.ProxyRequest) {
			q.SetURL(&url.URL{Scheme: "http", Host: r.Addr()})
			q.Out.Host = q.In.Host // the registry tells it in its answers
		},
		ModifyResponse: p.note,
		ErrorHandler:   func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if trick, over := p.count(); trick == nil || !trick(w, r, hand, over) {
			hand.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	p.addr = server.Listener.Addr().String()
	return p
}

// note remembers a manifest that was written.
func (p *tap) note(r *http.Response) error {
	_, tag, found := strings.Cut(r.Request.URL.Path, "/manifests/")
	if found && r.Request.Method == http.MethodPut && r.StatusCode == http.StatusCreated {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.tags[tag] = append(p.tags[tag], r.Header.Get("Docker-Content-Digest"))
	}
	return nil
}

func (p *tap) count() (trick, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n++; p.n < p.at {
		return nil, nil
	}
	return p.trick, p.over
}

// set has a trick played at the nth request from now, and at all that follow.
func (p *tap) set(n int, what trick) {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.over)
	p.n, p.at, p.trick, p.over = 0, n, what, make(chan struct{})
}

// requests is how many there were since set.
func (p *tap) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.n
}

// studio is a workshop whose registry is behind a tap.
type studio struct {
	*workshop
	tap    *tap
	client *registry.Client
}

// briefly is the configuration of a publish that is to fail soon.
const briefly = "registry: {patience: 300ms, progress_deadline: 700ms}\n"

func newStudio(t *testing.T) *studio {
	r := bed.Registry(t)
	p := newTap(t, r)
	s := &studio{newWorkshop(t, p.addr, `, tags: ["{major}.{minor}", "{short_commit}"]`, ""), p, registry.New()}
	s.ground.registry = r
	s.write("hasty.yaml", s.read("promote.yaml")+briefly)
	s.git("add", ".")
	s.git("commit", "-q", "-m", "Add a hasty configuration")
	s.publish()
	return s
}

// mishap runs promote publish, and has something go wrong at its nth step. It is not reached where there are
// fewer steps.
type mishap func(s *studio, n int) (reached bool)

// TestPublishDisturbed has things go wrong at every step of a publish, and runs it again: everything is there
// then, and was never overwritten.
func TestPublishDisturbed(t *testing.T) {
	bed.Thorough(t)
	bed.Need(t)
	if _, err := built(); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for _, trouble := range []struct {
		name        string
		mishap      mishap
		from, every int // steps
		builder     bool
	}{
		{"killed after a request", killedAtRequest, 1, 1, false}, {"killed after git", killedAtGit, 1, 1, false},
		{"killed at a line", killedAtLine, 1, 1, false}, {"killed with a builder", killedAtRequest, 1, 2, true},
		// Each takes a while: together they come to every step.
		{"500", failing(answering(http.StatusInternalServerError)), 1, 4, false},
		{"429", failing(answering(http.StatusTooManyRequests)), 2, 4, false},
		{"stalled", failing(stalling), 3, 4, false}, {"dropped", failing(dropping), 4, 4, false},
	} {
		group.Go(func() {
			t.Run(trouble.name, func(t *testing.T) {
				s := newStudio(t)
				if trouble.builder {
					s.write("promote.yaml", strings.Replace(s.read("promote.yaml"), "build: .", "build: {builder: \""+bed.BuildKit(t)+"\"}", 1))
				}
				s.sweep(trouble.mishap, trouble.from, trouble.every)
			})
		})
	}
	group.Wait()
}

func (s *studio) sweep(mishap mishap, from, every int) {
	for n := from; n < 200; n += every {
		version := s.release()
		reached := mishap(s, n)
		s.tap.set(0, nil)
		if !reached {
			s.whole(version)
			s.t.Logf("%d steps", n-1)
			return
		}
		s.publish()
		s.whole(version)
		if s.t.Failed() {
			s.t.Fatalf("at step %d", n)
		}
	}
	s.t.Error("there is no end to the steps")
}

// whole wants a version to be published: one git tag here and in the remote, and all tags of the image at one
// digest, the version's written once.
func (s *studio) whole(version string) {
	s.t.Helper()
	head := s.git("rev-parse", "HEAD")
	for _, where := range []string{".", "origin"} {
		if got := s.git("ls-remote", where, "refs/tags/"+version+"^{}", "refs/heads/main"); strings.Count(got, head) != 2 {
			s.t.Errorf("%s has %q, HEAD is %s", where, got, head)
		}
	}
	digests := map[string]string{}
	for _, tag := range []string{version, release.LatestTag, "1.5", head[:12]} {
		digest, err := s.client.Digest(s.t.Context(), s.image, tag)
		s.check(err)
		digests[digest] = tag
	}
	if len(digests) != 1 {
		s.t.Errorf("the tags are at %v", digests)
	}
	written := slices.Compact(slices.Sorted(slices.Values(s.tap.tags[version])))
	if !slices.Equal(written, slices.Collect(maps.Keys(digests))) {
		s.t.Errorf("%s was written as %v", version, written)
	}
}

// attempt starts a publish that will not end well.
func (s *studio) attempt(args ...string) (*exec.Cmd, *bytes.Buffer) {
	said := &bytes.Buffer{}
	cmd := s.command(append([]string{"publish"}, args...)...)
	cmd.Stdout, cmd.Stderr = said, said
	return cmd, said
}

// killedAtRequest kills promote when a request was carried out by the registry, and its answer is on the way.
func killedAtRequest(s *studio, n int) bool {
	cmd, _ := s.attempt()
	started := make(chan struct{})
	var once sync.Once
	s.tap.set(n, func(_ http.ResponseWriter, r *http.Request, hand http.Handler, _ <-chan struct{}) bool {
		<-started
		killed := false
		once.Do(func() {
			killed = true
			hand.ServeHTTP(httptest.NewRecorder(), r)
			_ = cmd.Process.Kill()
		})
		if killed {
			panic(http.ErrAbortHandler)
		}
		return false // of the engine, which goes on for a moment
	})
	s.check(cmd.Start())
	close(started)
	_ = cmd.Wait() // how it ended is what whole looks at
	return s.tap.requests() >= n
}

// gitWrapper counts the calls of git, and kills its caller after one of them.
const gitWrapper = `#!/bin/sh
echo >>"$CALLS"
n=$(wc -l <"$CALLS")
%s "$@"; code=$?
[ "$n" != "$KILL" ] || kill -9 $PPID
exit $code
`

// killedAtGit kills promote when git did something for it, and has not ended yet.
func killedAtGit(s *studio, n int) bool {
	real, err := exec.LookPath("git")
	s.check(err)
	dir := s.t.TempDir()
	calls := filepath.Join(dir, "calls")
	s.check(os.WriteFile(filepath.Join(dir, "git"), fmt.Appendf(nil, gitWrapper, real), 0o755))
	cmd, _ := s.attempt()
	cmd.Env = append(cmd.Env, "PATH="+dir+":"+s.path(), "CALLS="+calls, "KILL="+strconv.Itoa(n))
	_ = cmd.Run()
	made, err := os.ReadFile(calls)
	s.check(err)
	return len(made) >= n
}

// killedAtLine kills promote at a line of what it says: each step of the build and each layer has one.
func killedAtLine(s *studio, n int) bool {
	cmd, _ := s.attempt()
	cmd.Stderr = nil
	said, err := cmd.StderrPipe()
	s.check(err)
	s.check(cmd.Start())
	lines := bufio.NewScanner(said)
	seen := 0
	for lines.Scan() {
		if seen++; seen == n {
			_ = cmd.Process.Kill()
		}
	}
	_ = cmd.Wait()
	return seen >= n
}

// failing has the registry fail from a request on.
func failing(how trick) mishap {
	return func(s *studio, n int) bool {
		s.tap.set(n, how)
		cmd, said := s.attempt("--config", "hasty.yaml")
		err := cmd.Run()
		reached := s.tap.requests() >= n
		if exit := (*exec.ExitError)(nil); reached && (!errors.As(err, &exit) || exit.ExitCode() != exitFailed || !strings.Contains(said.String(), "\nhint: ")) {
			s.t.Errorf("step %d: %v\n%s", n, err, said)
		}
		return reached || err != nil // a busy machine is as good as a slow registry
	}
}

// answering is a registry in trouble, or one that had too many requests. It is not to be waited for here.
func answering(status int) trick {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ <-chan struct{}) bool {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(status)
		return true
	}
}

// stalling takes a request and says nothing until the trouble is over, when the connection is gone: an engine
// of 20.10 can't be made to leave it before.
func stalling(_ http.ResponseWriter, r *http.Request, _ http.Handler, over <-chan struct{}) bool {
	_, _ = io.Copy(io.Discard, r.Body) // only then the end of the connection is noticed
	select {
	case <-r.Context().Done():
	case <-over:
	}
	panic(http.ErrAbortHandler)
}

func dropping(http.ResponseWriter, *http.Request, http.Handler, <-chan struct{}) bool {
	panic(http.ErrAbortHandler)
}

// TestPublishNothing counts what it costs to find out that there is nothing to publish.
func TestPublishNothing(t *testing.T) {
	bed.Need(t)
	s := newStudio(t)
	s.tap.set(0, nil)
	s.publish()
	if n := s.tap.requests(); n > 6 { // who are you, the version's manifest and configuration, and each tag
		t.Errorf("%d requests to the registry", n)
	}
	t.Logf("%s, %d requests", s.quickest("publish"), s.tap.requests())
}

// TestVersionsOfMany lists a repository with 5,000 tags.
func TestVersionsOfMany(t *testing.T) {
	bed.Need(t)
	const all = 5000
	s := newStudio(t)
	digest, err := s.client.Digest(t.Context(), s.image, release.LatestTag)
	s.check(err)
	var tags []string
	for n := range all {
		tags = append(tags, fmt.Sprintf("v2.%d.%d", n/100, n%100))
	}
	s.ground.registry.Tag(t, "core", digest, tags...)
	s.tap.set(0, nil)
	if out := s.run(exitDone, "versions", "--limit", "0"); strings.Count(out, "\n") != all+1 || !strings.HasPrefix(out, "v2.49.99\n") {
		t.Errorf("%d lines, of %q…", strings.Count(out, "\n"), out[:min(100, len(out))])
	}
	t.Logf("%s, %d requests", s.quickest("versions"), s.tap.requests())
}

// quickest is how long a command takes on a machine that has nothing else to do, as far as this one lets see.
func (s *studio) quickest(args ...string) time.Duration {
	least := time.Hour
	for range 5 {
		begun := time.Now()
		s.tap.set(0, nil)
		s.run(exitDone, args...)
		least = min(least, time.Since(begun))
	}
	return least.Round(time.Millisecond)
}
