package release

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"promote/registry"
)

// Publication is a release that is in the registry.
type Publication struct {
	Release  *Release `json:"-"`
	Service  string   `json:"service"`
	Version  string   `json:"version"`
	Image    string   `json:"image"`
	Digest   string   `json:"digest"`
	Revision string   `json:"revision"`
	GitTag   string   `json:"git_tag"`
	Latest   bool     `json:"latest"` // it was moved here, or was here
	New      bool     `json:"new"`    // false: it was published before
	// Tags are the further ones of promote.yaml that point here.
	Tags []string `json:"tags,omitempty"`
}

func newPublication(r *Release, revision string) Publication {
	return Publication{
		Release: r, Service: r.Service.Name, Version: r.Version.String(), Image: r.Reference(), Revision: revision, GitTag: r.GitTag,
	}
}

// publisher builds the image of one release, and takes it to the registry.
type publisher struct {
	release     *Release
	tools       Tools
	publication Publication // as far as it is known
}

func newPublisher(r *Release, head string) *publisher {
	return &publisher{release: r, tools: r.Service.project.tools, publication: newPublication(r, head)}
}

// prepareImage builds the image, unless it is published already.
func (p *publisher) prepareImage(ctx context.Context) (err error) {
	if err := p.release.requireOwnTag(ctx, p.publication.Revision); err != nil {
		return err
	}
	if p.publication.Digest, err = p.findPublished(ctx); err != nil || p.publication.Digest != "" {
		return err
	}
	p.publication.New = true
	p.publication.Digest, err = p.makeImage(ctx)
	return err
}

// findPublished is the digest of the version if it was published from this revision already. A version that
// was published from another one is never overwritten.
func (p *publisher) findPublished(ctx context.Context) (string, error) {
	r := p.release
	there, err := p.tools.Registry.Release(ctx, r.Service.Image, r.Tag)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	case there.Revision != p.publication.Revision:
		return "", r.takenByImage(there)
	}
	p.tools.Progress.Say("%s is published already, from this revision", r.Reference())
	return there.Digest, nil
}

// takenByImage says which image has the version, and offers to record one that says nothing of its revision.
func (r *Release) takenByImage(there registry.Release) error {
	taken := &TakenError{
		What:    fmt.Sprintf("%s was published from revision %.12s", r.Reference(), cmp.Or(there.Revision, "(unlabelled)")),
		Version: r.Version, hint: "promote bump patch", Refused: true,
	}
	if there.Revision == "" {
		taken.hint = fmt.Sprintf("promote bump patch, or if this revision is what it was built from: promote record %s %s --digest %s", r.Service.Name, r.Version, there.Digest)
	}
	return taken
}

// makeImage builds the image. A builder pushes it without a name, so its digest is known; one that an engine
// built has none before it is pushed.
func (p *publisher) makeImage(ctx context.Context) (digest string, err error) {
	if err := p.release.requireDelivery(ctx); err != nil {
		return "", err
	}
	if p.release.Service.Build.Builder != "" {
		return p.buildElsewhere(ctx)
	}
	return "", p.buildInEngine(ctx)
}

// deliverImage gives the image its version in the registry, if it is new, and moves the other tags.
func (p *publisher) deliverImage(ctx context.Context) (err error) {
	switch {
	case p.publication.New && p.publication.Digest == "":
		p.publication.Digest, err = p.pushImage(ctx)
	case p.publication.New:
		err = p.nameImage(ctx)
	}
	if err != nil {
		return err
	}
	return moveTags(ctx, &p.publication)
}

// nameImage gives an image that a builder pushed its version.
func (p *publisher) nameImage(ctx context.Context) error {
	_, err := p.tools.Registry.AddTag(ctx, p.release.Service.Image, p.release.Tag, p.publication.Digest)
	var taken *registry.TakenError
	if errors.As(err, &taken) {
		return p.overtakenBy(taken.Digest, p.publication.Digest)
	}
	return err
}

// overtakenBy is the error of a version that somebody pushed without asking git.
func (p *publisher) overtakenBy(theirs, ours string) error {
	return &TakenError{
		What: fmt.Sprintf("somebody else pushed %s while we did: it is %s, ours was %s",
			p.release.Reference(), registry.ShortDigest(theirs), registry.ShortDigest(ours)),
		Version: p.release.Version, hint: "promote bump patch", Refused: true,
	}
}
