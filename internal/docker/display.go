package docker

import (
	"context"
	"fmt"
	"io"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"
)

// Display shows a build's progress until the channel is closed.
type Display func(ctx context.Context, statuses chan *client.SolveStatus) error

// NewDisplay shows builds as `docker build --progress` does: auto (tty if out is a terminal), tty,
// plain, rawjson or quiet. Another mode, and tty without a terminal, are errors.
func NewDisplay(out io.Writer, mode string) (Display, error) {
	shown, err := progressui.NewDisplay(out, progressui.DisplayMode(mode))
	if err != nil {
		return nil, fmt.Errorf("build progress: %w", err)
	}
	return func(ctx context.Context, statuses chan *client.SolveStatus) error {
		_, err := shown.UpdateFrom(ctx, statuses)
		return err
	}, nil
}
