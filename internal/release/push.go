package release

import (
	"context"
	"time"

	"promote/internal/docker"
)

// pushImage has the engine push the image as its version. The digest is what the registry says it is.
func (p *publisher) pushImage(ctx context.Context) (string, error) {
	r := p.release
	engine, err := p.tools.Engine(ctx)
	if err != nil {
		return "", err
	}
	defer engine.Close()
	credentials, err := p.tools.Registry.Credentials(ctx, r.Service.Image)
	if err != nil {
		return "", err
	}
	update, done := p.tools.Progress.ShowPush(r.Reference())
	defer done()
	pushed, err := p.uploadLayers(ctx, engine, credentials.Header(), update)
	if err != nil {
		return "", err
	}
	there, err := p.tools.Registry.Digest(ctx, r.Service.Image, r.Tag)
	if err == nil && there != pushed {
		err = p.overtakenBy(there, pushed)
	}
	return there, err
}

// uploadLayers has the engine push, and stops it when it gets nowhere: an engine waits for ever.
func (p *publisher) uploadLayers(ctx context.Context, engine *docker.Engine, auth string, update func(docker.Progress)) (string, error) {
	image, limit := p.release.Reference(), p.release.Service.project.Config.Registry.ProgressDeadline
	stalled := &docker.StalledError{Doing: "push " + image, Limit: limit}
	pushing, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	silence := time.AfterFunc(limit, func() { stop(stalled) })
	defer silence.Stop()
	digest, err := engine.Push(pushing, image, auth, func(layer docker.Progress) {
		silence.Reset(limit)
		update(layer)
	})
	if err != nil && context.Cause(pushing) == stalled {
		return "", stalled
	}
	return digest, err
}
