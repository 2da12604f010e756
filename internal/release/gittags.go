package release

import (
	"context"
	"errors"
	"sync"

	"promote/internal/git"
	"promote/semver"
)

// gitTags are those of a repository, read once for all services.
type gitTags struct {
	list             func() ([]string, error)
	requireFullClone func() error
}

func readTagsOnce(ctx context.Context, repo *git.Repo) gitTags {
	return gitTags{
		list:             sync.OnceValues(func() ([]string, error) { return repo.Tags(ctx, "") }),
		requireFullClone: sync.OnceValue(func() error { return requireFullClone(ctx, repo) }),
	}
}

// requireFullClone refuses a shallow clone: tags and commits are missing, and whatever followed from them
// would be wrong.
func requireFullClone(ctx context.Context, repo *git.Repo) error {
	shallow, err := repo.IsShallow(ctx)
	return errors.Join(err, errorIf(shallow, &fixableError{
		text: "this clone is shallow, so tags and commits that hold the version are missing",
		hint: "git fetch --unshallow --tags; in GitHub Actions give actions/checkout fetch-depth: 0, in GitLab set GIT_DEPTH: 0",
	}))
}

// bumpAtHead are the versions that the commit at HEAD gave to services, by name.
func bumpAtHead(ctx context.Context, repo *git.Repo) (map[string]semver.Version, error) {
	log, err := repo.Messages(ctx, "HEAD~1", "HEAD")
	if errors.Is(err, git.ErrUnknownRevision) {
		return nil, nil // a first commit has no parent, and is no bump
	}
	if err != nil || len(log) == 0 {
		return nil, err
	}
	return bumpedVersions(log[0]), nil
}
