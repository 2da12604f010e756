package docker_test

import (
	"archive/tar"
	"errors"
	"io"
	"slices"
	"testing"

	"promote/internal/docker"
)

// names are the paths in a tar archive, sorted.
func names(t *testing.T, archive io.Reader) []string {
	t.Helper()
	var list []string
	for r := tar.NewReader(archive); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			slices.Sort(list)
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, header.Name)
	}
}

func TestImageKnown(t *testing.T) {
	image := docker.Image{Digests: []string{"core@sha256:1", "ghcr.io/aegee/core@sha256:2"}}
	tests := []struct {
		repository, digest string
		want               bool
	}{
		{"core", "sha256:1", true},
		{"docker.io/library/core", "sha256:1", true},
		{"core", "sha256:2", false},
		{"ghcr.io/aegee/core", "sha256:2", true},
		{"ghcr.io/aegee/core", "sha256:1", false},
		{"aegee/core", "sha256:2", false},
	}
	for _, test := range tests {
		if got := image.Known(test.repository, test.digest); got != test.want {
			t.Errorf("%s@%s: %v", test.repository, test.digest, got)
		}
	}
}

func TestImageMissing(t *testing.T) {
	if _, found, err := connect(t).Image(t.Context(), "missing:v1"); found || err != nil {
		t.Errorf("found %v, error %v", found, err)
	}
}
