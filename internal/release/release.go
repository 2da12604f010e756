package release

import (
	"context"
	"errors"
	"fmt"

	"promote/registry"
	"promote/semver"
)

// Release is a version of a service on its way to the registry.
type Release struct {
	Service *Service
	From    semver.Version // that the service was on; zero if it had none
	Version semver.Version
	Tag     string // of the image
	GitTag  string
}

// Reference is the image under its version.
func (r *Release) Reference() string { return r.Service.Image + ":" + r.Tag }

// edits are the changes of the service's files, by what stands in them now: several services may have one
// file.
func (r *Release) edits(ctx context.Context) (edits semver.Edits, err error) {
	if !r.Service.Version.Git {
		if edits, err = r.Service.Version.Files.Edit(r.Service.project.Config.Dir, r.Version); err != nil {
			return nil, err
		}
	}
	changelog, err := changelogEdits(ctx, r)
	return append(edits, changelog...), err
}

// requireFreeTag makes sure that nobody has the git tag, here or in the remote.
func (r *Release) requireFreeTag(ctx context.Context) error {
	project := r.Service.project
	taken := &TakenError{What: "the git tag " + r.GitTag + " exists", Version: r.Version, hint: "promote bump patch, after git fetch --tags"}
	if _, exists, err := project.repo.Tag(ctx, r.GitTag); err != nil || exists {
		return errors.Join(err, errorIf(exists, taken))
	}
	branch, err := project.pushedBranch(ctx)
	if err != nil || branch == "" {
		return err
	}
	_, exists, err := project.repo.RemoteTag(ctx, r.GitTag)
	return errors.Join(err, errorIf(exists, taken))
}

// requireFreeImage makes sure that no image has the version.
func (r *Release) requireFreeImage(ctx context.Context) error {
	digest, err := r.Service.project.tools.Registry.Digest(ctx, r.Service.Image, r.Tag)
	if errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return &TakenError{
		What:    fmt.Sprintf("%s is published as %s", r.Reference(), registry.ShortDigest(digest)),
		Version: r.Version, hint: "promote versions " + r.Service.Name,
	}
}

// requireDelivery makes sure that there is something to build, and a right to push it.
func (r *Release) requireDelivery(ctx context.Context) error {
	if err := requireDockerfile(r.Service); err != nil {
		return err
	}
	return r.Service.project.tools.Registry.Writable(ctx, r.Service.Image)
}

// requireOwnTag refuses a version whose git tag stands at another commit.
func (r *Release) requireOwnTag(ctx context.Context, commit string) error {
	rev, exists, err := r.Service.project.repo.Tag(ctx, r.GitTag)
	if err != nil || !exists || rev == commit {
		return err
	}
	return &TakenError{
		What:    fmt.Sprintf("the git tag %s is at %.12s, not at %.12s", r.GitTag, rev, commit),
		Version: r.Version, hint: "promote bump patch", Refused: true,
	}
}

// isPublished reports whether the version was tagged and its image pushed. The tag comes first, so it alone
// does not tell.
func (r *Release) isPublished(ctx context.Context) (bool, error) {
	if _, tagged, err := r.Service.project.repo.Tag(ctx, r.GitTag); err != nil || !tagged {
		return false, err
	}
	_, err := r.Service.project.tools.Registry.Digest(ctx, r.Service.Image, r.Tag)
	if errors.Is(err, registry.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// isClaimed reports whether the version is ours in the remote, or may be. A tag that is here alone is none:
// a claim may have been interrupted before it was pushed.
func (r *Release) isClaimed(ctx context.Context, rev string) bool {
	there, exists, err := r.Service.project.repo.RemoteTag(ctx, r.GitTag)
	return err != nil || exists && there == rev
}
