package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"promote/internal/git"
	"promote/semver"
)

// milestone is a version of a service in the history, and the revision that it was made from.
type milestone struct {
	version semver.Version
	rev     string // refs/tags/…, or the hash of a bump that is not tagged yet; empty for the beginning
}

const tagPrefix = "refs/tags/"

func (m milestone) tag() string { return strings.TrimPrefix(m.rev, tagPrefix) }

// past is what happened to a service since its last stable version, up to HEAD.
type past struct {
	milestones []milestone  // that version and those after it, lowest first
	commits    []git.Commit // since the last stable one, newest first
}

// last is the newest version; the zero milestone, if there is none.
func (p *past) last() milestone {
	if len(p.milestones) == 0 {
		return milestone{}
	}
	return p.milestones[len(p.milestones)-1]
}

// stable is the newest final version.
func (p *past) stable() milestone {
	for _, m := range slices.Backward(p.milestones) {
		if m.version.Stable() {
			return m
		}
	}
	return milestone{}
}

// from are a milestone and all that are higher.
func (p *past) from(first milestone) []milestone {
	return slices.DeleteFunc(slices.Clone(p.milestones), func(m milestone) bool { return m.version.Less(first.version) })
}

// prerelease is the newest prerelease of a version with the identifier, and its number.
func (p *past) prerelease(of semver.Version, identifier string) (newest milestone, number int) {
	for _, m := range p.milestones {
		if n, ok := m.version.PrereleaseNumber(identifier); ok && m.version.Final() == of {
			newest, number = m, n
		}
	}
	return newest, number
}

func (p *past) sort() {
	slices.SortStableFunc(p.milestones, func(a, b milestone) int { return a.version.Compare(b.version) })
}

// tags are those of a repository, read once for all services.
type tags struct {
	all   func() ([]string, error)
	whole func() error // an error for a shallow clone
}

func tagsOf(ctx context.Context, repo *git.Repo) tags {
	return tags{
		all:   sync.OnceValues(func() ([]string, error) { return repo.Tags(ctx, "") }),
		whole: sync.OnceValue(func() error { return whole(ctx, repo) }),
	}
}

// whole refuses a shallow clone: tags and commits are missing, and whatever followed from them would be
// wrong.
func whole(ctx context.Context, repo *git.Repo) error {
	shallow, err := repo.IsShallow(ctx)
	return errors.Join(err, when(shallow, &usage{
		text: "this clone is shallow, so tags and commits that hold the version are missing",
		hint: "git fetch --unshallow --tags; in GitHub Actions give actions/checkout fetch-depth: 0, in GitLab set GIT_DEPTH: 0",
	}))
}

// released is the past as tags of the service tell it.
func (r *release) released(tags []string) *past {
	p := &past{}
	for _, tag := range tags {
		if v, ok := r.service.GitTag.Parse(tag); ok {
			p.milestones = append(p.milestones, milestone{v, tagPrefix + tag})
		}
	}
	p.sort()
	return p
}

// past is what happened to the service, read once.
func (r *release) past(ctx context.Context) (p *past, err error) {
	if r.known == nil {
		r.known, err = r.readPast(ctx)
	}
	return r.known, err
}

// readPast finds the versions among the tags. A bump that is not tagged yet, since CI publishes it, is a
// version like any other.
func (r *release) readPast(ctx context.Context) (*past, error) {
	p, log, err := r.sinceStable(ctx)
	if err != nil {
		return nil, err
	}
	stable, last := p.stable(), p.last()
	bumps, err := r.bumps(ctx, stable.rev, log)
	if err != nil {
		return nil, err
	}
	for _, c := range bumps {
		if v := bumpedBy(c)[r.service.Name]; last.version.Less(v) {
			p.milestones = append(p.milestones, milestone{v, c.Hash})
		}
	}
	p.sort()
	if p.stable() != stable {
		if log, err = r.log(ctx, p.stable().rev, "HEAD"); err != nil {
			return nil, err
		}
	}
	p.commits = withoutBumps(log)
	return p, nil
}

// sinceStable finds the newest stable tag that HEAD contains, those after it, and the commits since. The
// guess is that HEAD contains the newest stable one of all; on a branch of older releases it does not.
func (r *release) sinceStable(ctx context.Context) (p *past, log []git.Commit, err error) {
	all, err := r.tags.all()
	if err != nil {
		return nil, nil, err
	}
	known := r.released(all)
	guess := known.stable()
	group, both := errgroup.WithContext(ctx)
	group.Go(r.tags.whole)
	group.Go(func() (err error) {
		log, err = r.log(both, guess.rev, "HEAD")
		return err
	})
	newer, rev := known.from(guess), ""
	group.Go(func() (err error) {
		if r.wholeTree() && len(newer) == 1 && !guess.version.IsZero() {
			rev, _, err = r.repo.Tag(both, guess.tag())
			return err
		}
		p, err = r.inHead(both, newer) // git takes as long for it as for the log, so both at a time
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	switch {
	case rev != "" && follows(log, rev):
		return &past{milestones: newer}, log, nil
	case rev != "":
		if p, err = r.inHead(ctx, newer); err != nil {
			return nil, nil, err
		}
	}
	if p.stable() == guess {
		return p, log, nil
	}
	if p, err = r.inHead(ctx, known.milestones); err != nil {
		return nil, nil, err
	}
	log, err = r.log(ctx, p.stable().rev, "HEAD")
	return p, log, err
}

// follows reports whether one of the commits is a child of the revision. Of all commits that HEAD has and
// the revision has not, one is, if HEAD contains the revision: git need not be asked for that.
func follows(log []git.Commit, rev string) bool {
	return slices.ContainsFunc(log, func(c git.Commit) bool { return slices.Contains(c.Parents, rev) })
}

// inHead are those of the milestones that HEAD contains.
func (r *release) inHead(ctx context.Context, of []milestone) (*past, error) {
	if len(of) == 0 {
		return &past{}, nil
	}
	var names []string
	for _, m := range of {
		names = append(names, m.tag())
	}
	tags, err := r.repo.TagsInHead(ctx, names...)
	return r.released(tags), err
}

// bumps are the commits since a revision in which that of a bump can be: those that touch the service,
// unless the version stands elsewhere, or in tags only.
func (r *release) bumps(ctx context.Context, from string, log []git.Commit) ([]git.Commit, error) {
	if r.wholeTree() || slices.ContainsFunc(r.service.Version.Files, r.inPath) {
		return log, nil
	}
	return r.repo.Messages(ctx, from, "HEAD")
}

// inPath reports whether a version file lies in the service's own path.
func (r *release) inPath(f semver.File) bool {
	inside, err := filepath.Rel(r.service.Path, f.Path)
	return err == nil && filepath.IsLocal(inside)
}

// log lists the commits between two revisions that touch the service.
func (r *release) log(ctx context.Context, from, to string) ([]git.Commit, error) {
	if r.wholeTree() {
		return r.repo.Messages(ctx, from, to) // git need not compare a single tree
	}
	return r.repo.Messages(ctx, from, to, r.service.Path)
}

// wholeTree reports whether every commit touches the service, since its path is the top of the repository.
func (r *release) wholeTree() bool {
	path, err := os.Stat(filepath.Join(r.cfg.Dir, r.service.Path))
	if err != nil {
		return false
	}
	root, err := os.Stat(r.repo.Root())
	return err == nil && os.SameFile(path, root)
}

// since are the commits that touch the service since a revision, but for those of bumps.
func (r *release) since(ctx context.Context, rev string) ([]git.Commit, error) {
	log, err := r.log(ctx, rev, "HEAD")
	return withoutBumps(log), err
}

// bumpedBy are the versions that a commit bumped services to. A bump that came through a merge request and
// was squashed there has its trailer anywhere in the message.
func bumpedBy(c git.Commit) (versions map[string]semver.Version) {
	if !strings.Contains(c.Body, trailerBump) {
		return nil
	}
	versions = map[string]semver.Version{}
	for line := range strings.Lines(c.Body) {
		if value, ok := strings.CutPrefix(line, trailerBump+": "); ok {
			name, number, _ := strings.Cut(strings.TrimSpace(value), " ")
			if v, err := semver.Parse(number); err == nil {
				versions[name] = v
			}
		}
	}
	return versions
}

func withoutBumps(log []git.Commit) []git.Commit {
	return slices.DeleteFunc(slices.Clone(log), isBump)
}

func isBump(c git.Commit) bool { return len(bumpedBy(c)) > 0 }

// distinct leaves every commit once, newest first: one may touch several services.
func distinct(commits []git.Commit) []git.Commit {
	seen := map[string]bool{}
	list := slices.DeleteFunc(slices.Clone(commits), func(c git.Commit) bool {
		known := seen[c.Hash]
		seen[c.Hash] = true
		return known
	})
	slices.SortStableFunc(list, func(a, b git.Commit) int { return b.Time.Compare(a.Time) })
	return list
}

// asked is the highest part that commits ask for, and the newest commit that does; 0 if none asks.
func asked(commits []git.Commit) (highest semver.Part, because *git.Commit) {
	for i, c := range commits {
		parsed, ok := semver.ParseCommit(c.Subject + "\n\n" + c.Body)
		if !ok {
			continue
		}
		if part, asks := parsed.Part(); asks && (highest == 0 || part < highest) {
			highest, because = part, &commits[i]
		}
	}
	return highest, because
}

// agrees makes sure that the version file says what the history says: what follows from the commits
// would be wrong otherwise.
func (r *release) agrees(current semver.Version, p *past) error {
	last := p.last()
	if last.version.IsZero() || last.version.Compare(current) == 0 {
		return nil
	}
	hint := fmt.Sprintf("promote publish %s, if %s is to be released as it is", r.service.Name, current)
	if current.Less(last.version) {
		hint = fmt.Sprintf("promote bump %s %s", r.service.Name, last.version.Bump(semver.Patch))
	}
	return &usage{
		text: fmt.Sprintf("%s says %s, the newest git tag here is %s", r.service.Version.Files[0].Path, current, r.service.GitTag.Format(last.version)),
		hint: hint,
	}
}
