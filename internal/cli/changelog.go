package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"promote/internal/config"
	"promote/internal/git"
	"promote/internal/notes"
	"promote/semver"
)

// changelogName is the file that is kept where there is one.
const changelogName = "CHANGELOG.md"

// changelog is the change of the service's changelog, if it keeps one. A prerelease leaves it alone: the
// final version tells of all that led to it.
func (r *release) changelog(ctx context.Context) ([]semver.Edit, error) {
	path := r.changelogPath()
	if path == "" || !r.version.Stable() {
		return nil, nil
	}
	before, err := os.ReadFile(filepath.Join(r.cfg.Dir, path))
	if errors.Is(err, fs.ErrNotExist) && r.service.Changelog == "" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: the changelog of %s can't be read: %w", r.service.Place, r.service.Name, err)
	}
	file := notes.ReadChangelog(before)
	section := notes.Section{Version: r.version, Tag: r.gitTag, Date: time.Now().UTC().Format(time.DateOnly)}
	if !file.Written() && !file.Has(r.version) {
		if section.Groups, err = r.changes(ctx); err != nil {
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
	return []semver.Edit{{Path: path, Before: before, After: after}}, nil
}

// changelogPath is the file that is kept; empty for none. A file of several services tells of versions
// without saying whose, so they have to be linked.
func (r *release) changelogPath() string {
	switch r.service.Changelog {
	case config.ChangelogNone:
		return ""
	case "":
		if r.sharesPath() {
			return ""
		}
		return filepath.Join(r.service.Path, changelogName)
	}
	return r.service.Changelog
}

// sharesPath reports whether a service that is not linked to this one lies in the same folder.
func (r *release) sharesPath() bool {
	linked := map[*config.Service]bool{}
	for _, s := range r.cfg.LinkedTo(r.service) {
		linked[s] = true
	}
	for _, s := range r.cfg.Services {
		if !linked[s] && filepath.Clean(s.Path) == filepath.Clean(r.service.Path) {
			return true
		}
	}
	return false
}

// changes are those since the last stable version that are of interest to users: of this service, and of
// those that have the same changelog.
func (r *release) changes(ctx context.Context) ([]notes.Group, error) {
	var commits []git.Commit
	for _, s := range r.cfg.LinkedTo(r.service) {
		other := r.releaseIn(r.repo, r.tags, r.cfg, s)
		if s == r.service {
			other = r
		}
		if other.changelogPath() != r.changelogPath() {
			continue
		}
		p, err := other.past(ctx)
		if err != nil {
			return nil, err
		}
		commits = append(commits, p.commits...)
	}
	forge, err := r.forge(ctx)
	return notes.ForUsers(notes.Groups(distinct(commits), forge)), err
}

func (r *release) forge(ctx context.Context) (notes.Forge, error) {
	page, err := r.repo.SourceURL(ctx)
	return notes.ForgeOf(page), err
}
