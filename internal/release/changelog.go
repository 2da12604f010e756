package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"promote/internal/config"
	"promote/internal/git"
	"promote/internal/notes"
	"promote/semver"
)

// changelogName is the file that a bump writes into where it is there.
const changelogName = "CHANGELOG.md"

// changelogEdits are the change of the service's changelog, if it keeps one. A prerelease leaves it alone:
// the final version tells of all that led to it.
func changelogEdits(ctx context.Context, r *Release) (semver.Edits, error) {
	path := changelogPath(r.Service)
	if path == "" || !r.Version.Stable() {
		return nil, nil
	}
	before, err := os.ReadFile(filepath.Join(r.Service.project.Config.Dir, path))
	if errors.Is(err, fs.ErrNotExist) && r.Service.Changelog == "" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: the changelog of %s can't be read: %w", r.Service.Place, r.Service.Name, err)
	}
	file := notes.ReadChangelog(before)
	section := notes.Section{Version: r.Version, Tag: r.GitTag, Date: time.Now().UTC().Format(time.DateOnly)}
	if !file.Written() && !file.Has(r.Version) {
		if section.Groups, err = changesForUsers(ctx, r.Service); err != nil {
			return nil, err
		}
	}
	after, err := file.Insert(section)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if string(after) == string(before) {
		return nil, nil
	}
	return semver.Edits{{Path: path, Before: before, After: after}}, nil
}

// changelogPath is the file that the service keeps; empty for none. A file of several services tells of versions
// without saying whose, so they have to be linked.
func changelogPath(s *Service) string {
	switch s.Changelog {
	case config.ChangelogNone:
		return ""
	case "":
		if sharesFolder(s) {
			return ""
		}
		return filepath.Join(s.Path, changelogName)
	}
	return s.Changelog
}

// sharesFolder reports whether a service that is not linked to this one lies in the same folder.
func sharesFolder(s *Service) bool {
	linked := s.project.Config.LinkedTo(s.Service)
	return slices.ContainsFunc(s.project.Config.Services, func(other *config.Service) bool {
		return !slices.Contains(linked, other) && filepath.Clean(other.Path) == filepath.Clean(s.Path)
	})
}

// changesForUsers are those since the last stable version that users care for: of this service, and of those
// that have the same changelog.
func changesForUsers(ctx context.Context, s *Service) ([]notes.Group, error) {
	var commits []git.Commit
	for _, configured := range s.project.Config.LinkedTo(s.Service) {
		other := s.project.Service(configured)
		if changelogPath(other) != changelogPath(s) {
			continue
		}
		h, err := other.readHistory(ctx)
		if err != nil {
			return nil, err
		}
		commits = append(commits, h.commits...)
	}
	forge, err := s.project.findForge(ctx)
	return notes.ForUsers(notes.Groups(eachOnce(commits), forge)), err
}
