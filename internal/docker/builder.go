package docker

import (
	"context"
	"fmt"

	"github.com/moby/buildkit/client"
)

// Builder is a buildkitd of its own, beside any engine: it builds for several platforms, writes
// attestations, and keeps its cache in a registry.
type Builder struct{ client *client.Client }

// BuilderError says that no buildkitd answered.
type BuilderError struct {
	Address string
	Err     error
}

func (e *BuilderError) Error() string { return fmt.Sprintf("no buildkitd at %s: %v", e.Address, e.Err) }

// Unwrap gives what the connection said.
func (e *BuilderError) Unwrap() error { return e.Err }

// Hint tells what to look at.
func (e *BuilderError) Hint() string {
	return "is it running, and build.builder in promote.yaml right? buildctl --addr " + e.Address + " debug workers"
}

// ConnectBuilder opens the buildkitd at an address such as tcp://10.0.0.5:1234 or
// unix:///run/buildkit/buildkitd.sock. When none answers the error is a *BuilderError.
func ConnectBuilder(ctx context.Context, address string) (*Builder, error) {
	c, err := client.New(ctx, address)
	if err == nil {
		_, err = c.Info(ctx)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, &BuilderError{address, err}
	}
	return &Builder{c}, nil
}

// Close gives the connection back.
func (b *Builder) Close() error { return b.client.Close() }

// Build makes an image, or an index where there are several platforms or attestations, and pushes it to a
// repository without giving it any tag: nothing is there under a name before the caller names its digest.
// Logins are docker's own; certificates of the registry are those in buildkitd's configuration. Tags of
// the options are not used. display may be nil.
func (b *Builder) Build(ctx context.Context, o BuildOptions, repository string, display Display) (digest string, err error) {
	byDigest := client.ExportEntry{Type: client.ExporterImage, Attrs: map[string]string{
		"name": repository, "push": "true", "push-by-digest": "true",
	}}
	exported, err := o.run(ctx, b.client, byDigest, display)
	if err == nil && exported["containerimage.digest"] == "" {
		err = fmt.Errorf("build %s: buildkitd told no digest", o.Context)
	}
	return exported["containerimage.digest"], err
}
