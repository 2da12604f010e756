package docker

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/pkg/stdcopy"
)

// Follow hands on what a container says, line by line, until it ends, and returns its exit code.
func (e *Engine) Follow(ctx context.Context, id string, say func(string)) (code int, err error) {
	ended, failed := e.API.ContainerWait(ctx, id, container.WaitConditionNotRunning)
	stream, err := e.API.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Follow: true})
	if err != nil {
		return 0, err
	}
	reader, writer := io.Pipe()
	go func() {
		_, err := stdcopy.StdCopy(writer, writer, stream)
		writer.CloseWithError(err)
	}()
	Lines(reader, say)
	stream.Close()
	select {
	case status := <-ended:
		if status.Error != nil {
			return 0, fmt.Errorf("wait for %s: %s", id, status.Error.Message)
		}
		return int(status.StatusCode), nil
	case err := <-failed:
		return 0, err
	}
}

// longest is how much of one line is handed on; nobody reads further.
const longest = 4 << 10 // bytes

// Lines hands on a text line by line, to its end; of a line that is too long, in pieces.
func Lines(r io.Reader, say func(string)) {
	lines := bufio.NewReaderSize(r, longest)
	for {
		line, _, err := lines.ReadLine()
		if err != nil {
			return
		}
		say(string(line))
	}
}

// Labelled are the ids of the containers that have a label, running or not.
func (e *Engine) Labelled(ctx context.Context, key, value string) ([]string, error) {
	listed, err := e.API.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", key+"="+value))})
	var ids []string
	for _, c := range listed {
		ids = append(ids, c.ID)
	}
	return ids, err
}
