package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/config"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/cmd/buildctl/build"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth/authprovider"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/session/sshforward/sshprovider"
	digest "github.com/opencontainers/go-digest"
	"github.com/tonistiigi/fsutil"
)

// BuildOptions are what `docker build` would be told.
type BuildOptions struct {
	Context    string // folder
	Dockerfile string // path from the context, or absolute; empty is Dockerfile
	Target     string // stage; empty is the last one
	Args       map[string]string
	Secrets    []Secret
	SSH        []string // default, or ID=SOCKET or ID=KEY
	Labels     map[string]string
	Tags       []string // repository:tag
	Platform   string   // linux/arm64; empty is the builder's own. A Builder takes several, with commas between
	NoCache    bool
	CacheFrom  []string // as docker build --cache-from takes them: a reference, or type=registry,ref=…
	CacheTo    []string // as docker build --cache-to takes them; for a Builder only
	Provenance string   // how much of it is attested, min or max; empty is none. For a Builder only
	SBOM       string   // image of the scanner that writes it; empty is none. For a Builder only
}

// Secret is a file or an environment variable that the build may read and that stays out of the image.
// One of File and Env is set.
type Secret struct{ ID, File, Env string }

// Build makes an image with the engine's own BuildKit and returns its id. The .dockerignore of the
// context is honoured, or DOCKERFILE.dockerignore where there is one; the frontend is the engine's, so
// nothing is pulled but base images, with docker's own credentials. display may be nil.
//
// The error of a step that failed is a *BuildError.
func (e *Engine) Build(ctx context.Context, o BuildOptions, display Display) (imageID string, err error) {
	buildkit, err := e.buildkit(ctx)
	if err != nil {
		return "", fmt.Errorf("build %s: %w", o.Context, err)
	}
	defer buildkit.Close()
	exported, err := o.run(ctx, buildkit, o.intoEngine(), display)
	if err != nil {
		return "", err
	}
	return e.built(ctx, o, exported)
}

// run has a BuildKit build, and returns what its exporter says of the result.
func (o BuildOptions) run(ctx context.Context, buildkit *client.Client, export client.ExportEntry, display Display) (map[string]string, error) {
	solve, err := o.solve(export)
	if err != nil {
		return nil, fmt.Errorf("build %s: %w", o.Context, err)
	}
	watched := &watcher{}
	statuses := make(chan *client.SolveStatus)
	shown := watched.follow(ctx, statuses, display)
	result, err := buildkit.Solve(ctx, nil, solve, statuses)
	<-shown
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("build %s: %w", o.Context, ctx.Err())
	case err != nil:
		return nil, watched.explain(o.Context, err)
	}
	return result.ExporterResponse, nil
}

// built finds the image by what the exporter says of it. Engines differ: an image's id is the digest of
// its configuration, with the containerd store that of its manifest.
func (e *Engine) built(ctx context.Context, o BuildOptions, exported map[string]string) (string, error) {
	names := []string{exported["containerimage.config.digest"], exported["containerimage.digest"]}
	for _, name := range append(names, o.Tags...) {
		if name == "" {
			continue
		}
		if image, found, err := e.Image(ctx, name); err != nil || found {
			return image.ID, err
		}
	}
	return "", fmt.Errorf("build %s: the engine does not have the image that it built", o.Context)
}

// buildkit opens the BuildKit inside the engine.
func (e *Engine) buildkit(ctx context.Context) (*client.Client, error) {
	return client.New(ctx, "",
		client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return e.API.DialHijack(ctx, "/grpc", "h2c", nil)
		}),
		client.WithSessionDialer(func(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
			return e.API.DialHijack(ctx, "/session", proto, meta)
		}),
	)
}

// solve translates the options into BuildKit's.
func (o BuildOptions) solve(export client.ExportEntry) (client.SolveOpt, error) {
	file := o.dockerfile()
	if _, err := os.Stat(file); err != nil {
		return client.SolveOpt{}, err
	}
	mounts, err := sources(map[string]string{"context": o.Context, "dockerfile": filepath.Dir(file)})
	if err != nil {
		return client.SolveOpt{}, err
	}
	attachables, err := o.attachables()
	if err != nil {
		return client.SolveOpt{}, err
	}
	key, err := o.sharedKey()
	if err != nil {
		return client.SolveOpt{}, err
	}
	imports, err := build.ParseImportCache(o.CacheFrom)
	if err != nil {
		return client.SolveOpt{}, fmt.Errorf("cache from: %w", err)
	}
	exports, err := build.ParseExportCache(o.CacheTo)
	if err != nil {
		return client.SolveOpt{}, fmt.Errorf("cache to: %w", err)
	}
	return client.SolveOpt{
		Frontend:      "dockerfile.v0",
		FrontendAttrs: o.attributes(file),
		LocalMounts:   mounts,
		Session:       attachables,
		SharedKey:     key,
		CacheImports:  imports,
		CacheExports:  exports,
		Exports:       []client.ExportEntry{export},
	}, nil
}

func (o BuildOptions) dockerfile() string {
	switch {
	case o.Dockerfile == "":
		return filepath.Join(o.Context, "Dockerfile")
	case filepath.IsAbs(o.Dockerfile):
		return o.Dockerfile
	}
	return filepath.Join(o.Context, o.Dockerfile)
}

func sources(folders map[string]string) (map[string]fsutil.FS, error) {
	mounts := map[string]fsutil.FS{}
	for name, folder := range folders {
		mount, err := fsutil.NewFS(folder)
		if err != nil {
			return nil, err
		}
		mounts[name] = mount
	}
	return mounts, nil
}

// sharedKey has the engine keep the context of one folder between builds, so that only what changed is
// sent again.
func (o BuildOptions) sharedKey() (string, error) {
	folder, err := filepath.Abs(o.Context)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte("promote " + folder))
	return hex.EncodeToString(sum[:]), nil
}

// attributes are the options of the Dockerfile frontend.
func (o BuildOptions) attributes(file string) map[string]string {
	attributes := map[string]string{"filename": filepath.Base(file)}
	if o.Target != "" {
		attributes["target"] = o.Target
	}
	if o.Platform != "" {
		attributes["platform"] = o.Platform
	}
	if o.NoCache {
		attributes["no-cache"] = ""
	}
	if o.Provenance != "" {
		attributes["attest:provenance"] = "mode=" + o.Provenance
	}
	if o.SBOM != "" {
		attributes["attest:sbom"] = "generator=" + o.SBOM
	}
	for name, value := range o.Args {
		attributes["build-arg:"+name] = value
	}
	for name, value := range o.Labels {
		attributes["label:"+name] = value
	}
	return attributes
}

// intoEngine leaves the image in the engine. An empty name would be an invalid one.
func (o BuildOptions) intoEngine() client.ExportEntry {
	entry := client.ExportEntry{Type: "moby", Attrs: map[string]string{}}
	if len(o.Tags) > 0 {
		entry.Attrs["name"] = strings.Join(o.Tags, ",")
	}
	return entry
}

// attachables are what the engine may ask of this machine during the build: logins, secrets, keys.
func (o BuildOptions) attachables() ([]session.Attachable, error) {
	logins := config.LoadDefaultConfigFile(io.Discard)
	list := []session.Attachable{authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{
		AuthConfigProvider: authprovider.LoadAuthConfig(logins),
	})}
	if len(o.Secrets) > 0 {
		store, err := secretsprovider.NewStore(o.secrets())
		if err != nil {
			return nil, err
		}
		list = append(list, secretsprovider.NewSecretProvider(store))
	}
	if len(o.SSH) > 0 {
		agents, err := sshprovider.NewSSHAgentProvider(o.agents())
		if err != nil {
			return nil, err
		}
		list = append(list, agents)
	}
	return list, nil
}

func (o BuildOptions) secrets() []secretsprovider.Source {
	var list []secretsprovider.Source
	for _, s := range o.Secrets {
		list = append(list, secretsprovider.Source{ID: s.ID, FilePath: s.File, Env: s.Env})
	}
	return list
}

func (o BuildOptions) agents() []sshprovider.AgentConfig {
	var list []sshprovider.AgentConfig
	for _, s := range o.SSH {
		id, path, given := strings.Cut(s, "=")
		agent := sshprovider.AgentConfig{ID: id}
		if given {
			agent.Paths = strings.Split(path, ",")
		}
		list = append(list, agent)
	}
	return list
}

// BuildError is a step of a Dockerfile that failed.
type BuildError struct {
	Step   string   // as in the Dockerfile: [build 3/5] RUN make
	Output []string // its last lines
	Reason string   // exit code: 2
}

func (e *BuildError) Error() string { return fmt.Sprintf("build failed at %s: %s", e.Step, e.Reason) }

// Logs are the last lines that the step wrote.
func (e *BuildError) Logs() []string { return e.Output }

// lastLines of a step's output are kept for its error, out of lastBytes that are kept while it runs.
const (
	lastLines = 20
	lastBytes = 16 << 10
)

// watcher remembers of a build under way what its error will need.
type watcher struct {
	failed *client.Vertex
	output map[digest.Digest][]byte // of each step
}

// follow reads the statuses to their end, and shows them. The channel that it returns is closed then.
func (w *watcher) follow(ctx context.Context, statuses <-chan *client.SolveStatus, display Display) <-chan struct{} {
	if display == nil {
		display = func(_ context.Context, statuses chan *client.SolveStatus) error {
			for range statuses {
			}
			return nil
		}
	}
	forward, done := make(chan *client.SolveStatus), make(chan struct{})
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		display(ctx, forward) // a terminal that went away is no reason to stop the build
	}()
	go func() {
		defer close(done)
		for s := range statuses {
			w.see(s)
			select {
			case forward <- s:
			case <-gone:
			}
		}
		close(forward)
		<-gone
	}()
	return done
}

func (w *watcher) see(s *client.SolveStatus) {
	for _, v := range s.Vertexes {
		if v.Error != "" && !strings.Contains(v.Error, context.Canceled.Error()) { // others are stopped when one fails
			w.failed = v
		}
	}
	if w.output == nil {
		w.output = map[digest.Digest][]byte{}
	}
	for _, log := range s.Logs {
		output := append(w.output[log.Vertex], log.Data...)
		w.output[log.Vertex] = output[max(0, len(output)-lastBytes):]
	}
}

func (w *watcher) last(step digest.Digest) []string {
	text := strings.TrimRight(string(w.output[step]), "\r\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	return lines[max(0, len(lines)-lastLines):]
}

// explain names the step that failed, where one did.
func (w *watcher) explain(folder string, err error) error {
	if w.failed == nil {
		return fmt.Errorf("build %s: %w", folder, err)
	}
	reason := w.failed.Error
	if _, code, found := strings.Cut(reason, "exit code: "); found {
		reason = "exit code " + code
	}
	return &BuildError{Step: w.failed.Name, Output: w.last(w.failed.Digest), Reason: reason}
}
