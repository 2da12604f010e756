package release

import (
	"context"
	"errors"
	"fmt"

	"promote/internal/config"
	"promote/internal/git"
	"promote/registry"
	"promote/semver"
)

// ExternalImage is an image that something else built and pushed, and that is to become a version.
type ExternalImage struct {
	Release  *Release
	Digest   string
	Revision string // that it was built from; empty without git

	tools  Tools
	branch string // that is pushed along; empty where another commit than its tip was meant
}

// FindExternal is an image in the repository of one of the project's services, by its digest.
func (p *Project) FindExternal(service *config.Service, v semver.Version, digest string) (*ExternalImage, error) {
	r, err := p.Service(service).NewRelease(semver.Version{}, v)
	return &ExternalImage{Release: r, Digest: digest, tools: p.tools}, err
}

// LocateCommit finds the commit that it was built from: HEAD, if no revision is given. Where there is no
// repository there is none.
func (e *ExternalImage) LocateCommit(ctx context.Context, revision string) error {
	project := e.Release.Service.project
	err := project.openRepository(ctx)
	if errors.Is(err, git.ErrNotRepository) && revision == "" {
		return nil
	}
	if err != nil {
		return err
	}
	if revision != "" {
		e.Revision, err = project.repo.Revision(ctx, revision)
		return err
	}
	if e.Revision, err = project.repo.Head(ctx); err != nil {
		return err
	}
	e.branch, err = project.repo.Branch(ctx)
	return err
}

// Examine makes sure that the image is there and that the version is nobody else's, before anything is
// changed.
func (e *ExternalImage) Examine(ctx context.Context) error {
	image := e.Release.Service.Image
	there, err := e.tools.Registry.Release(ctx, image, e.Digest)
	if errors.Is(err, registry.ErrNotFound) {
		return &fixableError{text: err.Error(), hint: "push it to " + image + " first, under any tag"}
	}
	if err != nil {
		return err
	}
	if there.Revision != "" && e.Revision != "" && there.Revision != e.Revision {
		e.tools.Progress.Say("the image says that it was built from %.12s, and is recorded as %.12s", there.Revision, e.Revision)
	}
	digest, err := e.tools.Registry.Digest(ctx, image, e.Release.Tag)
	if err == nil && digest != e.Digest {
		return e.takenBy(digest)
	}
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	if e.Revision == "" {
		return nil
	}
	return e.Release.requireOwnTag(ctx, e.Revision)
}

// takenBy is the error of a version that stands for another image.
func (e *ExternalImage) takenBy(digest string) error {
	return &TakenError{
		What:    fmt.Sprintf("%s is %s, not %s", e.Release.Reference(), registry.ShortDigest(digest), registry.ShortDigest(e.Digest)),
		Version: e.Release.Version, hint: "promote versions " + e.Release.Service.Name, Refused: true,
	}
}

// Record claims the version in git, as publishing does, then writes its tag.
func (e *ExternalImage) Record(ctx context.Context) (Publication, error) {
	publication := e.Publication()
	if e.Revision != "" {
		if err := (Releases{e.Release}).claimVersions(ctx, e.Revision, e.branch); err != nil {
			return publication, err
		}
	}
	added, err := e.tools.Registry.AddTag(ctx, e.Release.Service.Image, e.Release.Tag, e.Digest)
	var taken *registry.TakenError
	if errors.As(err, &taken) {
		return publication, e.takenBy(taken.Digest)
	}
	if err != nil {
		return publication, err
	}
	if !added {
		e.tools.Progress.Say("%s is this image already", e.Release.Reference())
	}
	publication.New = added
	return publication, moveTags(ctx, &publication)
}

// Publication is what recording would make of the image. Without git it has no tag there.
func (e *ExternalImage) Publication() Publication {
	p := newPublication(e.Release, e.Revision)
	p.Digest = e.Digest
	if e.Revision == "" {
		p.GitTag = ""
	}
	return p
}
