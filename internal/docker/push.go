package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/image"
)

// Push sends repository:tag to its registry and returns the digest that it has there. auth is a value
// for X-Registry-Auth (registry.Credentials.Header); empty is anonymous. progress may be nil.
//
// Push only the version. That latest points to it too is one manifest more in the registry
// (registry.Client.MoveLatest), not a second push.
func (e *Engine) Push(ctx context.Context, reference, auth string, progress func(Progress)) (digest string, err error) {
	subject := "push " + reference
	stream, err := e.API.ImagePush(ctx, reference, image.PushOptions{RegistryAuth: auth})
	if err != nil {
		return "", e.failed(ctx, subject, err)
	}
	defer stream.Close()
	err = follow(stream, subject, progress, func(m message) {
		if found := pushed(m); found != "" {
			digest = found
		}
	})
	if err != nil {
		return "", e.failed(ctx, subject, err)
	}
	if digest == "" {
		return "", fmt.Errorf("%s: the engine told no digest", subject)
	}
	return digest, nil
}

// pushed finds the digest in a message about a push: as data, or where an engine leaves that out, in
// the words "v1.4.2: digest: sha256:… size: 1234".
func pushed(m message) string {
	var result struct{ Digest string }
	if m.Aux != nil && json.Unmarshal(*m.Aux, &result) == nil && result.Digest != "" {
		return result.Digest
	}
	_, rest, _ := strings.Cut(m.Status, "digest: ")
	digest, _, _ := strings.Cut(rest, " ")
	return digest
}
