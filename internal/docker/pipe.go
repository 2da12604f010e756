package docker

import (
	"context"
	"io"
	"sync"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// Piped is a command that runs in a container, with its streams apart. Out and Err have to be read, both and at the
// same time, to their ends.
type Piped struct {
	Out, Err io.Reader
	stream   types.HijackedResponse
	close    func()
	inspect  func(context.Context) (container.ExecInspect, error)
}

// Pipe starts a command in a container. How it exits is for itself to say: an engine may still call it running when
// its streams have ended.
func (e *Engine) Pipe(ctx context.Context, id string, options ExecOptions) (*Piped, error) {
	options.AttachStdin, options.AttachStdout, options.AttachStderr = true, true, true
	created, err := e.API.ContainerExecCreate(ctx, id, options)
	if err != nil {
		return nil, e.explain(err)
	}
	stream, err := e.API.ContainerExecAttach(ctx, created.ID, container.ExecAttachOptions{})
	if err != nil {
		return nil, e.explain(err)
	}
	out, toOut := io.Pipe()
	errs, toErr := io.Pipe()
	go func() {
		_, err := stdcopy.StdCopy(toOut, toErr, stream.Reader)
		toOut.CloseWithError(err)
		toErr.CloseWithError(err)
	}()
	abandon := func() { // whoever reads no longer must not keep the copying waiting
		stream.Close()
		out.Close()
		errs.Close()
	}
	inspect := func(ctx context.Context) (container.ExecInspect, error) {
		return e.API.ContainerExecInspect(ctx, created.ID)
	}
	return &Piped{Out: out, Err: errs, stream: stream, close: sync.OnceFunc(abandon), inspect: inspect}, nil
}

// NotFound reports whether the engine started nothing, since the program is not there or can't be run. It is asked when
// the streams have ended: they may also have because the engine was lost, and the command goes on.
func (p *Piped) NotFound(ctx context.Context) (bool, error) {
	found, err := p.inspect(ctx)
	return !found.Running && (found.ExitCode == 126 || found.ExitCode == 127), err
}

// Write gives the command input.
func (p *Piped) Write(data []byte) (int, error) { return p.stream.Conn.Write(data) }

// CloseWrite ends the command's input.
func (p *Piped) CloseWrite() error { return p.stream.CloseWrite() }

// Close ends all streams. The command goes on, as far as it can without them.
func (p *Piped) Close() { p.close() }
