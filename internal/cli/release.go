package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/sync/errgroup"

	"promote/internal/config"
	"promote/internal/git"
	"promote/internal/promotion"
	"promote/registry"
	"promote/semver"
)

// trailerBump marks the commit of a bump, so that a bump that was interrupted goes on instead of
// taking the next number.
const trailerBump = "Promote-Bump"

// release is a version of a service on its way to the registry.
type release struct {
	*program
	cfg      *config.Config
	service  *config.Service
	repo     *git.Repo
	tags     tags
	known    *past // once it was read
	registry *registry.Client
	from     semver.Version // that the service is on
	version  semver.Version
	tag      string // of the image
	gitTag   string
}

// release opens the repository for a service of the configuration.
func (p *program) release(ctx context.Context, cfg *config.Config, service *config.Service) (*release, error) {
	repo, err := git.Open(ctx, cfg.Dir)
	if err != nil {
		return nil, err
	}
	return p.releaseIn(repo, tagsOf(ctx, repo), cfg, service), nil
}

func (p *program) releaseIn(repo *git.Repo, tags tags, cfg *config.Config, service *config.Service) *release {
	return &release{program: p, cfg: cfg, service: service, repo: repo, tags: tags, registry: p.registry()}
}

// oneService is the named service, or the only one there is.
func oneService(c *cli.Context, cfg *config.Config, name string) (*config.Service, error) {
	if name != "" {
		return cfg.Service(name)
	}
	if len(cfg.Services) == 1 {
		return cfg.Services[0], nil
	}
	var names []string
	for _, s := range cfg.Services {
		names = append(names, s.Name)
	}
	return nil, wrongArguments(c, "which service? there are %s", strings.Join(names, ", "))
}

// setVersion gives the release its number, and checks the names that follow from it.
func (r *release) setVersion(v semver.Version) error {
	r.version, r.tag, r.gitTag = v, r.service.Tag.Format(v), r.service.GitTag.Format(v)
	return semver.ValidTag(r.tag)
}

// current is the version that the service is on: that of its files, or the newest that HEAD contains.
func (r *release) current(ctx context.Context) (semver.Version, error) {
	if !r.service.Version.Git {
		return r.service.Version.Files.Read(r.cfg.Dir)
	}
	p, err := r.past(ctx)
	if err != nil {
		return semver.Version{}, err
	}
	return p.last().version, nil
}

// clean refuses a tree with changes: what is built must be what the commit says.
func (r *release) clean(ctx context.Context) error {
	dirty, err := r.repo.Dirty(ctx)
	if err != nil || len(dirty) == 0 {
		return err
	}
	const shown = 5
	list := strings.Join(dirty[:min(shown, len(dirty))], ", ")
	if len(dirty) > shown {
		list += fmt.Sprintf(" and %d more", len(dirty)-shown)
	}
	return &usage{text: "the working tree has changes: " + list, hint: "git stash --include-untracked, or git commit"}
}

// takenError is a version that stands for something else already.
type takenError struct {
	what    string
	version semver.Version
	hint    string
	refused bool // it was asked for by name: another number would not be what is wanted
}

func (e *takenError) Error() string { return fmt.Sprintf("%s is taken: %s", e.version, e.what) }

// Hint names what to do instead.
func (e *takenError) Hint() string { return e.hint }

// batch are versions of several services that are made together.
type batch []*release

// String names them: the version alone where there is one service only.
func (list batch) String() string {
	if len(list[0].cfg.Services) == 1 {
		return list[0].version.String()
	}
	var names []string
	for _, r := range list {
		names = append(names, r.service.Name+" "+r.version.String())
	}
	return strings.Join(names, ", ")
}

// atOnce is how many questions are put to remotes at a time.
const atOnce = 8

// free makes sure that nothing stands in the way of new versions, before anything is changed: tags
// here, in the remote and in the registry, and the rights to push to both. All are asked side by side.
func (list batch) free(ctx context.Context, publish bool) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return list.freeInGit(ctx, publish) })
	group.Go(func() error { return list.each(ctx, (*release).freeInRegistry) })
	if publish {
		group.Go(func() error { return list.each(ctx, (*release).deliverable) })
	}
	return group.Wait()
}

// each puts a question about every release, several at a time.
func (list batch) each(ctx context.Context, ask func(*release, context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for _, r := range list {
		group.Go(func() error { return ask(r, ctx) })
	}
	return group.Wait()
}

// freeInGit looks at the tags first: that a number is taken tells more than that the branch is behind.
func (list batch) freeInGit(ctx context.Context, push bool) error {
	if err := list.each(ctx, (*release).freeInGit); err != nil || !push {
		return err
	}
	return list[0].pushable(ctx)
}

// deliverable makes sure that there is something to build, and a right to push it.
func (r *release) deliverable(ctx context.Context) error {
	if err := r.buildable(); err != nil {
		return err
	}
	return r.registry.Writable(ctx, r.service.Image)
}

// buildable makes sure that there is something to build before a number is taken.
func (r *release) buildable() error {
	if r.service.Build == nil {
		return &usage{text: r.service.Name + " has no build: in promote.yaml, so its image can't be built", hint: "add build: . to it, or bump with --no-publish"}
	}
	o := r.buildOptions()
	path := o.Dockerfile
	if !filepath.IsAbs(path) {
		path = filepath.Join(o.Context, path)
	}
	if _, err := os.Stat(path); err != nil {
		return &usage{text: fmt.Sprintf("%s can't be built: %v", r.service.Name, err), hint: "say where the Dockerfile is under build: in promote.yaml"}
	}
	return nil
}

func (r *release) freeInGit(ctx context.Context) error {
	taken := &takenError{what: "the git tag " + r.gitTag + " exists", version: r.version, hint: "promote bump patch, after git fetch --tags"}
	if _, exists, err := r.repo.Tag(ctx, r.gitTag); err != nil || exists {
		return errors.Join(err, when(exists, taken))
	}
	branch, err := r.remoteBranch(ctx)
	if err != nil || branch == "" {
		return err
	}
	_, exists, err := r.repo.RemoteTag(ctx, r.gitTag)
	return errors.Join(err, when(exists, taken))
}

// pushable makes sure that the branch can be pushed.
func (r *release) pushable(ctx context.Context) error {
	branch, err := r.remoteBranch(ctx)
	if err != nil || branch == "" {
		return err
	}
	return r.repo.CanPush(ctx, branch)
}

// when is the error if the condition holds. (A typed nil in an error would not be nil.)
func when(condition bool, err error) error {
	if condition {
		return err
	}
	return nil
}

func (r *release) freeInRegistry(ctx context.Context) error {
	digest, err := r.registry.Digest(ctx, r.service.Image, r.tag)
	if errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return &takenError{
		what:    fmt.Sprintf("%s:%s is published as %s", r.service.Image, r.tag, promotion.Short(digest)),
		version: r.version, hint: "promote versions " + r.service.Name,
	}
}

// remoteBranch is the branch that is pushed; empty where there is no remote, or no branch.
func (r *release) remoteBranch(ctx context.Context) (string, error) {
	url, err := r.repo.RemoteURL(ctx)
	if err != nil || url == "" {
		return "", err
	}
	return r.repo.Branch(ctx)
}

// write puts the versions into their files and changelogs, and commits them as one. Where nothing but
// git tags hold a version, there is nothing to commit.
func (list batch) write(ctx context.Context) error {
	dir, repo := list[0].cfg.Dir, list[0].repo
	var done semver.Edits
	var said []string
	for _, r := range list {
		edits, err := r.edits(ctx)
		if err != nil {
			return errors.Join(err, revert(done, dir))
		}
		if err := edits.Apply(dir); err != nil {
			return errors.Join(err, revert(done, dir))
		}
		done = append(done, edits...)
		said = append(said, fmt.Sprintf("%s %s → %s in %s", r.service.Name, r.from, r.version, strings.Join(pathsOf(edits), ", ")))
	}
	if len(done) == 0 {
		return nil
	}
	if _, err := repo.Commit(ctx, list.subject(), list.trailers(), pathsOf(done)...); err != nil {
		return errors.Join(err, revert(done, dir))
	}
	list[0].screen.Say("%s, committed", strings.Join(said, "; "))
	return nil
}

// edits are the changes of one service's files, by what stands in them now: several services may have
// one file.
func (r *release) edits(ctx context.Context) (edits semver.Edits, err error) {
	if !r.service.Version.Git {
		if edits, err = r.service.Version.Files.Edit(r.cfg.Dir, r.version); err != nil {
			return nil, err
		}
	}
	changelog, err := r.changelog(ctx)
	return append(edits, changelog...), err
}

func (list batch) trailers() (trailers []git.Trailer) {
	for _, r := range list {
		trailers = append(trailers, git.Trailer{Key: trailerBump, Value: r.service.Name + " " + r.version.String()})
	}
	return trailers
}

func pathsOf(edits semver.Edits) (paths []string) {
	for _, e := range edits {
		if !slices.Contains(paths, e.Path) {
			paths = append(paths, e.Path)
		}
	}
	return paths
}

// revert puts files back as they were, the last change first: one file may have been changed twice.
func revert(edits semver.Edits, dir string) error {
	var failures []error
	for _, e := range slices.Backward(edits) {
		failures = append(failures, semver.Edits{e}.Back().Apply(dir))
	}
	return errors.Join(failures...)
}

// shownServices is how many services the subject of a commit names.
const shownServices = 3

func (list batch) subject() string {
	if len(list) > shownServices {
		return fmt.Sprintf("Release %s and %d others", list[:1], len(list)-1)
	}
	return "Release " + list.String()
}

// headBump are the versions that the commit at HEAD bumped services to.
func headBump(ctx context.Context, repo *git.Repo) (map[string]semver.Version, error) {
	log, err := repo.Messages(ctx, "HEAD~1", "HEAD")
	if errors.Is(err, git.ErrUnknownRevision) {
		return nil, nil // a first commit has no parent, and is no bump
	}
	if err != nil || len(log) == 0 {
		return nil, err
	}
	return bumpedBy(log[0]), nil
}

// begun are the releases of the bump at HEAD, if one of them is asked for and one of them was not
// finished: the bump was interrupted.
func (p *program) begun(ctx context.Context, cfg *config.Config, units []batch) (list batch, err error) {
	one := units[0][0]
	versions, err := headBump(ctx, one.repo)
	if err != nil || !slices.ContainsFunc(slices.Concat(units...), func(r *release) bool { return !versions[r.service.Name].IsZero() }) {
		return nil, err
	}
	unfinished := false
	for _, s := range cfg.Services {
		if versions[s.Name].IsZero() {
			continue
		}
		r := p.releaseIn(one.repo, one.tags, cfg, s)
		done, err := r.finished(ctx, versions[s.Name])
		if err != nil {
			return nil, err
		}
		unfinished = unfinished || !done
		list = append(list, r)
	}
	if !unfinished {
		return nil, nil
	}
	return list, nil
}

// finished reports whether a version was tagged and its image pushed. The tag comes first, so it alone
// does not tell.
func (r *release) finished(ctx context.Context, v semver.Version) (bool, error) {
	if err := r.setVersion(v); err != nil {
		return false, err
	}
	if _, tagged, err := r.repo.Tag(ctx, r.gitTag); err != nil || !tagged {
		return false, err
	}
	_, err := r.registry.Digest(ctx, r.service.Image, r.tag)
	if errors.Is(err, registry.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
