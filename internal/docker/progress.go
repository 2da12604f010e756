package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/distribution/reference"
	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/jsonmessage"

	"promote/registry"
)

// Progress is where one layer of a push or pull has got to.
type Progress struct {
	ID      string `json:"id"`                // short id of the layer
	Status  string `json:"status"`            // in the engine's words: Pushing, Layer already exists, …
	Current int64  `json:"current,omitempty"` // bytes; 0 where the engine gives none
	Total   int64  `json:"total,omitempty"`   // bytes; 0 where the engine gives none
	Done    bool   `json:"done,omitempty"`    // nothing more will happen to this layer
}

// ErrNoSpace says that the engine's disk is full.
var ErrNoSpace = errors.New("no space left on the engine's disk")

type message = jsonmessage.JSONMessage

// finished are the last words about a layer.
var finished = []string{"Pushed", "Layer already exists", "Mounted from", "Pull complete", "Already exists"}

// follow reads what the engine says during a push or pull, to its end. Every message is seen, and those
// about a layer go to progress, which may be nil. An error in the stream is the call's error: the HTTP
// status was 200 by then.
func follow(stream io.Reader, subject string, progress func(Progress), seen func(message)) error {
	decoder := json.NewDecoder(stream)
	for {
		var m message
		switch err := decoder.Decode(&m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case m.Error != nil:
			return refusal(subject, m.Error.Message)
		}
		seen(m)
		if progress != nil && isLayer(m) {
			progress(layer(m))
		}
	}
}

// isLayer leaves out the messages whose id is the tag, which head a pull.
func isLayer(m message) bool {
	return m.ID != "" && !strings.HasPrefix(m.Status, "Pulling from ")
}

func layer(m message) Progress {
	p := Progress{ID: m.ID, Status: m.Status}
	if m.Progress != nil {
		p.Current, p.Total = m.Progress.Current, m.Progress.Total
	}
	for _, last := range finished {
		p.Done = p.Done || strings.HasPrefix(m.Status, last)
	}
	return p
}

// failed gives every way in which a push or pull can end its kind. An engine may refuse with an HTTP
// status or in the stream, and 20.10 and 29 differ in which.
func (e *Engine) failed(ctx context.Context, subject string, err error) error {
	var known *registry.UnavailableError
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", subject, ctx.Err())
	case client.IsErrConnectionFailed(err):
		return fmt.Errorf("%s: %w", subject, e.explain(err))
	case errors.As(err, &known), errors.Is(err, registry.ErrNotFound), errors.Is(err, ErrNoSpace):
		return err
	}
	return refusal(subject, err.Error())
}

// refusals are the words with which engines pass on what a registry or the disk refused; there are no
// codes. The first that fits is taken.
var refusals = []struct {
	words string
	make  func(subject, message string) error
}{
	{"no space left on device", is(ErrNoSpace)},
	{"does not exist locally", is(registry.ErrNotFound)},
	{"no such image", is(registry.ErrNotFound)},
	{"toomanyrequests", limited},
	{"too many requests", limited},
	{"pull access denied", unauthorized}, // Docker Hub says so of what does not exist, too
	{"requested access to the resource is denied", unauthorized},
	{"unauthorized", unauthorized},
	{"authentication required", unauthorized},
	{"no basic auth credentials", unauthorized},
	{"denied", unauthorized},
	{"forbidden", unauthorized},
	{"manifest unknown", is(registry.ErrNotFound)},
	{"name unknown", is(registry.ErrNotFound)},
	{"not found", is(registry.ErrNotFound)},
}

// refusal gives what an engine says of a registry the kinds that package registry has.
func refusal(subject, message string) error {
	message = strings.TrimPrefix(strings.Join(strings.Fields(message), " "), "Error response from daemon: ")
	lower := strings.ToLower(message)
	for _, r := range refusals {
		if strings.Contains(lower, r.words) {
			return r.make(subject, message)
		}
	}
	return unavailable(subject, message, 0, errors.New(message))
}

func is(kind error) func(subject, message string) error {
	return func(subject, message string) error { return fmt.Errorf("%s: %w: %s", subject, kind, message) }
}

func limited(subject, message string) error {
	return unavailable(subject, message, http.StatusTooManyRequests, nil)
}

func unauthorized(subject, message string) error {
	return unavailable(subject, message, http.StatusUnauthorized, registry.ErrUnauthorized)
}

func unavailable(subject, message string, status int, cause error) error {
	return &registry.UnavailableError{
		Reference: subject, Registry: registryOf(subject), Status: status, Reason: message, Err: cause,
	}
}

// registryOf finds the registry in "push ghcr.io/aegee/core:v1.4.2".
func registryOf(subject string) string {
	_, image, _ := strings.Cut(subject, " ")
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return image
	}
	if domain := reference.Domain(named); domain != "docker.io" {
		return domain
	}
	return "index.docker.io" // as package registry calls it
}
