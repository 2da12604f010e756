package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"promote/internal/config"
	"promote/internal/git"
	"promote/semver"
)

// Service is a service of promote.yaml with its history in git.
type Service struct {
	*config.Service
	project *Project
	history *versionHistory // nil before it was read
}

// StandsAlone reports whether promote.yaml has no other service: a version alone tells whose it is then.
func (s *Service) StandsAlone() bool { return len(s.project.Config.Services) == 1 }

// CurrentVersion is the version that the service is on: that of its files, or where only tags hold it, the
// newest that HEAD contains. It is zero where there is none yet.
func (s *Service) CurrentVersion(ctx context.Context) (semver.Version, error) {
	if !s.Version.Git {
		return s.Version.Files.Read(s.project.Config.Dir)
	}
	h, err := s.readHistory(ctx)
	if err != nil {
		return semver.Version{}, err
	}
	return h.newest().version, nil
}

// CurrentRelease is the version that the service is on, to be published.
func (s *Service) CurrentRelease(ctx context.Context) (*Release, error) {
	current, err := s.CurrentVersion(ctx)
	if err != nil {
		return nil, err
	}
	if current.IsZero() {
		return nil, &fixableError{text: s.Name + " has no version yet", hint: "promote bump " + s.Name + " v0.1.0"}
	}
	return s.NewRelease(current, current)
}

// NewRelease is a version of the service that is to be released, after the version that it is on. The
// names that follow from it are checked.
func (s *Service) NewRelease(from, v semver.Version) (*Release, error) {
	r := &Release{Service: s, From: from, Version: v, Tag: s.Tag.Format(v), GitTag: s.GitTag.Format(v)}
	return r, semver.ValidTag(r.Tag)
}

// readHistory reads it at most once.
func (s *Service) readHistory(ctx context.Context) (h *versionHistory, err error) {
	if s.history == nil {
		s.history, err = s.findVersions(ctx)
	}
	return s.history, err
}

// findVersions finds the versions among the tags. A bump that is not tagged yet, since CI publishes it, is a
// version like any other.
func (s *Service) findVersions(ctx context.Context) (*versionHistory, error) {
	h, log, err := s.historySinceStable(ctx)
	if err != nil {
		return nil, err
	}
	stable, newest := h.newestStable(), h.newest()
	candidates, err := s.bumpCandidates(ctx, stable.rev, log)
	if err != nil {
		return nil, err
	}
	for _, c := range candidates {
		if v := bumpedVersions(c)[s.Name]; newest.version.Less(v) {
			h.versions = append(h.versions, taggedVersion{v, c.Hash})
		}
	}
	h.sortVersions()
	if h.newestStable() != stable {
		if log, err = s.listCommits(ctx, h.newestStable().rev, "HEAD"); err != nil {
			return nil, err
		}
	}
	h.commits = withoutBumps(log)
	return h, nil
}

// historySinceStable finds the newest stable tag that HEAD contains, those after it, and the commits since.
// The guess is that HEAD contains the newest stable one of all; on a branch of older releases it does not.
func (s *Service) historySinceStable(ctx context.Context) (h *versionHistory, log []git.Commit, err error) {
	tags, err := s.project.tags.list()
	if err != nil {
		return nil, nil, err
	}
	all := parseTags(s.GitTag, tags)
	guess := all.newestStable()
	h, log, err = s.tryStable(ctx, guess, all.sinceVersion(guess))
	if err != nil || h.newestStable() == guess {
		return h, log, err
	}
	if h, err = s.versionsInHead(ctx, all.versions); err != nil {
		return nil, nil, err
	}
	log, err = s.listCommits(ctx, h.newestStable().rev, "HEAD")
	return h, log, err
}

// tryStable reads the commits since the guessed version, and which of the versions from there on HEAD
// contains. git takes as long for one as for the other, so both are asked at a time.
func (s *Service) tryStable(ctx context.Context, guess taggedVersion, newer []taggedVersion) (h *versionHistory, log []git.Commit, err error) {
	group, both := errgroup.WithContext(ctx)
	group.Go(s.project.tags.requireFullClone)
	group.Go(func() (err error) {
		log, err = s.listCommits(both, guess.rev, "HEAD")
		return err
	})
	rev := ""
	group.Go(func() (err error) {
		if s.ownsWholeTree() && len(newer) == 1 && !guess.version.IsZero() {
			rev, _, err = s.project.repo.Tag(both, guess.tagName())
			return err
		}
		h, err = s.versionsInHead(both, newer)
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	if rev != "" && followsRevision(log, rev) {
		return &versionHistory{versions: newer}, log, nil
	}
	if h == nil {
		h, err = s.versionsInHead(ctx, newer)
	}
	return h, log, err
}

// versionsInHead are those of the versions that HEAD contains.
func (s *Service) versionsInHead(ctx context.Context, versions []taggedVersion) (*versionHistory, error) {
	if len(versions) == 0 {
		return &versionHistory{}, nil
	}
	var names []string
	for _, t := range versions {
		names = append(names, t.tagName())
	}
	tags, err := s.project.repo.TagsInHead(ctx, names...)
	return parseTags(s.GitTag, tags), err
}

// bumpCandidates are the commits since a revision among which those of bumps are: the ones that touch the
// service, unless its version stands elsewhere, or in tags only.
func (s *Service) bumpCandidates(ctx context.Context, from string, log []git.Commit) ([]git.Commit, error) {
	if s.ownsWholeTree() || slices.ContainsFunc(s.Version.Files, s.ownsFile) {
		return log, nil
	}
	return s.project.repo.Messages(ctx, from, "HEAD")
}

// ownsFile reports whether a version file lies in the service's own path.
func (s *Service) ownsFile(f semver.File) bool {
	inside, err := filepath.Rel(s.Path, f.Path)
	return err == nil && filepath.IsLocal(inside)
}

// listCommits lists the commits between two revisions that touch the service.
func (s *Service) listCommits(ctx context.Context, from, to string) ([]git.Commit, error) {
	if s.ownsWholeTree() {
		return s.project.repo.Messages(ctx, from, to) // git need not compare a single tree
	}
	return s.project.repo.Messages(ctx, from, to, s.Path)
}

// ownsWholeTree reports whether every commit touches the service, since its path is the top of the repository.
func (s *Service) ownsWholeTree() bool {
	path, err := os.Stat(filepath.Join(s.project.Config.Dir, s.Path))
	if err != nil {
		return false
	}
	root, err := os.Stat(s.project.repo.Root())
	return err == nil && os.SameFile(path, root)
}

// commitsSince are the commits that touch the service since a revision, without those of bumps.
func (s *Service) commitsSince(ctx context.Context, rev string) ([]git.Commit, error) {
	log, err := s.listCommits(ctx, rev, "HEAD")
	return withoutBumps(log), err
}

// hasChanged reports whether commits touch the service since a revision, or since its last version, if no
// revision is given.
func (s *Service) hasChanged(ctx context.Context, rev string) (bool, error) {
	if rev != "" {
		if err := s.project.tags.requireFullClone(); err != nil {
			return false, err // a shallow clone knows too few commits
		}
	} else {
		h, err := s.readHistory(ctx)
		if err != nil {
			return false, err
		}
		rev = h.newest().rev
	}
	commits, err := s.commitsSince(ctx, rev)
	return err == nil && len(commits) > 0, err
}

// requireAgreement makes sure that the version file says what the history says: what follows from the
// commits would be wrong otherwise.
func (s *Service) requireAgreement(current semver.Version, h *versionHistory) error {
	newest := h.newest().version
	if newest.IsZero() || newest.Compare(current) == 0 {
		return nil
	}
	hint := fmt.Sprintf("promote publish %s, if %s is to be released as it is", s.Name, current)
	if current.Less(newest) {
		hint = fmt.Sprintf("promote bump %s %s", s.Name, newest.Bump(semver.Patch))
	}
	return &fixableError{
		text: fmt.Sprintf("%s says %s, the newest git tag here is %s", s.Version.Files[0].Path, current, s.GitTag.Format(newest)),
		hint: hint,
	}
}
