package cli

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
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
      secrets: [{id: token, env: TOKEN}]
`

// moveTo has another buildkitd build.
func (w *workshop) moveTo(builder string) {
	w.write("promote.yaml", strings.NewReplacer("IMAGE", w.image, "BUILDER", builder).Replace(elsewhere))
	w.git("commit", "-q", "-a", "-m", "Build elsewhere")
}

// A buildkitd builds for two platforms, with a secret, with an attestation, and with its cache in the registry.
// What it pushed has no name before the number is claimed.
func TestBuilder(t *testing.T) {
	builder := bed.BuildKit(t)
	r := bed.Registry(t)
	w := newWorkshop(t, r.Addr(), "", "")
	r.Push(t, "base", "v1", nil, bed.ImageConfig{})
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
	if n := attestations(t, w.image+":"+version); n != 2 {
		t.Errorf("%d attestations, want one for each platform", n)
	}

	w.release()
	w.moveTo(bed.BuildKit(t)) // which has built nothing yet
	out := w.run(exitDone, "publish")
	if ran := regexp.MustCompile(`(?m)^#(\d+) \[.*made.*\] RUN`).FindStringSubmatch(out); ran == nil || !strings.Contains(out, "\n#"+ran[1]+" CACHED\n") {
		t.Errorf("the cache in the registry was not used:\n%s", out)
	}
}

// attestations counts the manifests of an index that are none of an image.
func attestations(t *testing.T, reference string) (n int) {
	t.Helper()
	ref, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(ref)
	if err != nil {
		t.Fatal(err)
	}
	content, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	return len(slices.DeleteFunc(content.Manifests, func(d v1.Descriptor) bool {
		return d.Annotations["vnd.docker.reference.type"] != "attestation-manifest"
	}))
}

func TestBuilderIsGone(t *testing.T) {
	bed.Need(t)
	w := newWorkshop(t, bed.Registry(t).Addr(), "", "")
	w.write("promote.yaml", "services:\n  core: {image: "+w.image+", version: version.txt, build: {builder: \"unix:///nowhere/buildkitd.sock\"}}\n")
	w.git("commit", "-q", "-a", "-m", "Build nowhere")
	out := w.run(exitFailed, "publish")
	if !strings.Contains(out, "error: no buildkitd at unix:///nowhere/buildkitd.sock") || !strings.Contains(out, "hint: is it running") {
		t.Errorf("publish:\n%s", out)
	}
}
