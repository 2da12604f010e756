package cli

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"promote/internal/bed"
	"promote/registry"
)

// elsewhere is promote.yaml of a service that a buildkitd builds.
const elsewhere = `services:
  core:
    image: IMAGE
    version: version.txt
    build:
      builder: BUILDER
      platforms: [linux/amd64, linux/arm64]
      provenance: max
      cache: {from: "IMAGE:cache", to: "type=registry,ref=IMAGE:cache,mode=max"}
      sbom: SCANNER
      secrets: [{id: token, env: TOKEN}]
`

// scanner stands for a real one, whose image can't be had here: it does what BuildKit wants of them
// (buildkit, docs/attestations/sbom-protocol.md).
const scanner = `#!/bin/sh
echo '{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document", "predicate": {"name": "core"}}' \
	>"$BUILDKIT_SCAN_DESTINATION/core.spdx.json"
`

// moveTo has another buildkitd build.
func (w *workshop) moveTo(builder string) {
	w.write("promote.yaml", strings.NewReplacer("IMAGE", w.image, "BUILDER", builder, "SCANNER", strings.TrimSuffix(w.image, "core")+"scanner:v1").Replace(elsewhere))
	w.git("commit", "-q", "-a", "-m", "Build elsewhere")
}

// A buildkitd builds for two platforms, with a secret, with an attestation, and with its cache in the registry.
// What it pushed has no name before the number is claimed.
func TestBuilder(t *testing.T) {
	bed.Thorough(t)
	builder := bed.BuildKit(t)
	r := bed.Registry(t)
	w := newWorkshop(t, r.Addr(), "", "")
	r.Push(t, "base", "v1", nil, bed.ImageConfig{})
	r.Push(t, "scanner", "v1", map[string]string{"bin/scan": scanner}, bed.ImageConfig{Entrypoint: []string{"/bin/scan"}})
	w.write("Dockerfile", "FROM --platform=$BUILDPLATFORM "+r.Addr()+`/base:v1 AS made
RUN --mount=type=secret,id=token test "$(cat /run/secrets/token)" = s3cret && echo made >/made
FROM scratch
COPY --from=made /made /
COPY version.txt /
`)
	w.env = append(w.env, "TOKEN=s3cret")
	w.moveTo(builder)
	w.git("tag", "v1.5.1", "HEAD~1") // somebody else's
	w.git("push", "-q", "origin", "v1.5.1")
	w.git("tag", "-d", "v1.5.1")
	if out := w.run(exitFailed, "publish"); !strings.Contains(out, "somebody else was faster") {
		t.Errorf("the number was taken:\n%s", out)
	}
	client := registry.New()
	tags, err := client.Tags(t.Context(), w.image)
	if err != nil || !slices.Equal(tags, []string{"cache"}) {
		t.Errorf("tags of what was not published: %v, %v", tags, err)
	}
	version := w.release()
	w.published(version)
	found, err := client.Release(t.Context(), w.image, version)
	if err != nil || !slices.Equal(found.Platforms, []string{"linux/amd64", "linux/arm64"}) || found.Revision != w.git("rev-parse", "HEAD") {
		t.Errorf("published %+v, %v", found, err)
	}
	kinds := attestations(t, w.image+":"+version)
	if len(kinds) != 4 || !strings.HasPrefix(kinds[0], "https://slsa.dev/provenance/") || kinds[3] != "https://spdx.dev/Document" {
		t.Errorf("attestations %q, want two for each platform", kinds)
	}

	w.release()
	w.moveTo(bed.BuildKit(t)) // which has built nothing yet
	out := w.run(exitDone, "publish")
	if ran := regexp.MustCompile(`(?m)^#(\d+) \[.*made.*\] RUN`).FindStringSubmatch(out); ran == nil || !strings.Contains(out, "\n#"+ran[1]+" CACHED\n") {
		t.Errorf("the cache in the registry was not used:\n%s", out)
	}
}

// attestations lists the kinds of attestation in an index, sorted.
func attestations(t *testing.T, reference string) (kinds []string) {
	t.Helper()
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	ref, err := name.ParseReference(reference)
	check(err)
	index, err := remote.Index(ref)
	check(err)
	content, err := index.IndexManifest()
	check(err)
	for _, d := range content.Manifests {
		if d.Annotations["vnd.docker.reference.type"] != "attestation-manifest" {
			continue
		}
		image, err := index.Image(d.Digest)
		check(err)
		of, err := image.Manifest()
		check(err)
		for _, layer := range of.Layers {
			kinds = append(kinds, layer.Annotations["in-toto.io/predicate-type"])
		}
	}
	slices.Sort(kinds)
	return kinds
}

func TestBuilderIsGone(t *testing.T) {
	bed.Thorough(t)
	bed.Need(t)
	w := newWorkshop(t, bed.Registry(t).Addr(), "", "")
	w.write("promote.yaml", "services:\n  core: {image: "+w.image+", version: version.txt, build: {builder: \"unix:///nowhere/buildkitd.sock\"}}\n")
	w.git("commit", "-q", "-a", "-m", "Build nowhere")
	out := w.run(exitFailed, "publish")
	if !strings.Contains(out, "error: no buildkitd at unix:///nowhere/buildkitd.sock") || !strings.Contains(out, "hint: is it running") {
		t.Errorf("publish:\n%s", out)
	}
}
