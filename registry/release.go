package registry

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"promote/semver"
)

// Labels, and annotations, that tell where an image comes from (OCI image spec, annotations).
const (
	LabelVersion  = "org.opencontainers.image.version"
	LabelRevision = "org.opencontainers.image.revision"
	LabelSource   = "org.opencontainers.image.source"
	LabelCreated  = "org.opencontainers.image.created"
)

// Release is a published version of a service. Its identity is the digest; the version is its name.
type Release struct {
	Repository string         `json:"repository"`
	Tag        string         `json:"tag,omitempty"`       // it was asked for by; empty if by digest
	Digest     string         `json:"digest,omitempty"`    // of the index where there is one
	Version    semver.Version `json:"version,omitzero"`    // of the tag, else of the labels; zero if neither has one
	Revision   string         `json:"revision,omitempty"`  // commit it was built from
	Source     string         `json:"source,omitempty"`    // URL of the repository it was built from
	Created    time.Time      `json:"created,omitzero"`    // when it was built, as the build says
	Platforms  []string       `json:"platforms,omitempty"` // linux/amd64, linux/arm64/v8, …; sorted
}

// ShortDigest is a digest as people compare them: the algorithm and twelve digits.
func ShortDigest(digest string) string {
	const shown = len("sha256:") + 12
	return digest[:min(shown, len(digest))]
}

// Release reads what a tag or digest is: its manifest and its configuration, no layers. Labels count
// before annotations, and those of the image before those of the index.
func (c *Client) Release(ctx context.Context, repository, reference string) (Release, error) {
	ref, err := c.reference(repository, reference)
	if err != nil {
		return Release{}, err
	}
	end, err := c.endpoint(ref.Context().Registry)
	if err != nil {
		return Release{}, err
	}
	manifest, err := end.puller.Get(ctx, ref)
	if err != nil {
		return Release{}, explain(ctx, ref.Context().Registry, written(repository, reference), err)
	}
	platforms, facts, err := end.describe(ctx, ref.Context(), manifest)
	if err != nil {
		return Release{}, explain(ctx, ref.Context().Registry, written(repository, reference), err)
	}
	r := facts.release()
	r.Repository, r.Digest, r.Platforms = repository, manifest.Digest.String(), platforms
	if tag, ok := ref.(name.Tag); ok {
		r.Tag = tag.TagStr()
		if v, ok := semver.FromTag(r.Tag); ok {
			r.Version = v
		}
	}
	return r, nil
}

// describe reads the platforms, and the labels and annotations. Of an index it reads one image: the
// others are built from the same revision.
func (e *endpoint) describe(ctx context.Context, repo name.Repository, manifest *remote.Descriptor) ([]string, facts, error) {
	if !manifest.MediaType.IsIndex() {
		return imageFacts(manifest)
	}
	index, err := manifest.ImageIndex()
	if err != nil {
		return nil, facts{}, err
	}
	content, err := index.IndexManifest()
	if err != nil {
		return nil, facts{}, err
	}
	images := slices.DeleteFunc(content.Manifests, func(d v1.Descriptor) bool { return !runs(d) })
	var platforms []string
	for _, d := range images {
		platforms = append(platforms, d.Platform.String())
	}
	slices.Sort(platforms)
	if len(images) == 0 {
		return nil, facts{content.Annotations}, nil
	}
	image, err := e.puller.Get(ctx, repo.Digest(images[0].Digest.String()))
	if err != nil {
		return nil, facts{}, err
	}
	_, of, err := imageFacts(image)
	return platforms, append(of, content.Annotations), err
}

// runs leaves attestations out, which stand in an index as images for no platform.
func runs(d v1.Descriptor) bool {
	return d.MediaType.IsImage() && d.Platform != nil && d.Platform.OS != "unknown"
}

// imageFacts reads the configuration and the manifest of one image. One that names no platform runs
// anywhere, or nowhere.
func imageFacts(manifest *remote.Descriptor) (platforms []string, _ facts, _ error) {
	image, err := manifest.Image()
	if err != nil {
		return nil, nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, nil, err
	}
	content, err := image.Manifest()
	if err != nil {
		return nil, nil, err
	}
	built := map[string]string{}
	if !config.Created.IsZero() {
		built[LabelCreated] = config.Created.Format(time.RFC3339)
	}
	if platform := config.Platform(); platform != nil {
		platforms = []string{platform.String()}
	}
	return platforms, facts{config.Config.Labels, content.Annotations, built}, nil
}

// facts are labels and annotations; what an earlier one says counts.
type facts []map[string]string

func (f facts) find(label string) string {
	for _, labels := range f {
		if value := strings.TrimSpace(labels[label]); value != "" {
			return value
		}
	}
	return ""
}

func (f facts) release() Release {
	r := Release{Revision: f.find(LabelRevision), Source: f.find(LabelSource)}
	r.Version, _ = semver.Parse(f.find(LabelVersion)) // other people's images have anything there
	r.Created, _ = time.Parse(time.RFC3339, f.find(LabelCreated))
	return r
}

// TaggedVersion is a version with the tag that it has in a repository.
type TaggedVersion struct {
	Version semver.Version
	Tag     string
}

// Versions lists the versions in a repository whose tags are written by a template, from the lowest to
// the highest. Other tags are not versions. Two tags for one version (v1.4.2 and 1.4.2, or such that
// differ in build metadata only) count once if they point to the same digest and are an
// *AmbiguousError otherwise.
func (c *Client) Versions(ctx context.Context, repository string, t semver.Template) ([]TaggedVersion, error) {
	tags, err := c.Tags(ctx, repository)
	if err != nil {
		return nil, err
	}
	var all []TaggedVersion
	for _, tag := range tags {
		if v, ok := t.Parse(tag); ok {
			all = append(all, TaggedVersion{v, tag})
		}
	}
	// The tag that the template would write comes first among equals, and stays.
	slices.SortFunc(all, func(a, b TaggedVersion) int {
		return cmp.Or(a.Version.Compare(b.Version), prefer(t, a, b), strings.Compare(a.Tag, b.Tag))
	})
	return c.unite(ctx, repository, all)
}

func prefer(t semver.Template, a, b TaggedVersion) int {
	rank := func(v TaggedVersion) int {
		if t.Format(v.Version) == v.Tag {
			return 0
		}
		return 1
	}
	return rank(a) - rank(b)
}

// unite keeps the first of the tags that are one version, having made sure that they are.
func (c *Client) unite(ctx context.Context, repository string, sorted []TaggedVersion) ([]TaggedVersion, error) {
	var kept []TaggedVersion
	for _, v := range sorted {
		if len(kept) == 0 || kept[len(kept)-1].Version.Less(v.Version) {
			kept = append(kept, v)
			continue
		}
		if err := c.same(ctx, repository, kept[len(kept)-1], v); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

func (c *Client) same(ctx context.Context, repository string, a, b TaggedVersion) error {
	first, err := c.Digest(ctx, repository, a.Tag)
	if err != nil {
		return err
	}
	second, err := c.Digest(ctx, repository, b.Tag)
	if err != nil {
		return err
	}
	if first != second {
		return &AmbiguousError{Repository: repository, Tags: [2]string{a.Tag, b.Tag}, Digests: [2]string{first, second}}
	}
	return nil
}
