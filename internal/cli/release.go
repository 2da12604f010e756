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
	registry *registry.Client
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
	return &release{program: p, cfg: cfg, service: service, repo: repo, registry: p.registry()}, nil
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

// current is the version that the service is on: that of its files, or the highest git tag.
func (r *release) current(ctx context.Context) (semver.Version, error) {
	if !r.service.Version.Git {
		return r.service.Version.Files.Read(r.cfg.Dir)
	}
	if shallow, err := r.repo.IsShallow(ctx); err != nil || shallow {
		return semver.Version{}, errors.Join(err, when(shallow, &usage{
			text: "this clone is shallow, so the tags that hold the version may be missing", hint: "git fetch --unshallow --tags",
		}))
	}
	tags, err := r.repo.Tags(ctx, "")
	if err != nil {
		return semver.Version{}, err
	}
	var highest semver.Version
	for _, tag := range tags {
		if v, ok := r.service.GitTag.Parse(tag); ok && highest.Less(v) {
			highest = v
		}
	}
	return highest, nil
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

// free makes sure that nothing stands in the way of a new version, before anything is changed: tags
// here, in the remote and in the registry, and the rights to push to both. All are asked side by side.
func (r *release) free(ctx context.Context, publish bool) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.freeInGit(ctx, publish) })
	group.Go(func() error { return r.freeInRegistry(ctx) })
	if publish {
		group.Go(r.buildable)
		group.Go(func() error { return r.registry.Writable(ctx, r.service.Image) })
	}
	return group.Wait()
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

func (r *release) freeInGit(ctx context.Context, push bool) error {
	taken := &takenError{what: "the git tag " + r.gitTag + " exists", version: r.version, hint: "promote bump patch, after git fetch --tags"}
	if _, exists, err := r.repo.Tag(ctx, r.gitTag); err != nil || exists {
		return errors.Join(err, when(exists, taken))
	}
	branch, err := r.remoteBranch(ctx)
	if err != nil || branch == "" {
		return err
	}
	if _, exists, err := r.repo.RemoteTag(ctx, r.gitTag); err != nil || exists {
		return errors.Join(err, when(exists, taken))
	}
	if !push {
		return nil
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

// write puts the version into its files and commits them.
func (r *release) write(ctx context.Context, from semver.Version) error {
	if r.service.Version.Git {
		return nil
	}
	edits, err := r.service.Version.Files.Edit(r.cfg.Dir, r.version)
	if err != nil {
		return err
	}
	if err := edits.Apply(r.cfg.Dir); err != nil {
		return err
	}
	var paths []string
	for _, e := range edits {
		paths = append(paths, e.Path)
	}
	_, err = r.repo.Commit(ctx, r.subject(), []git.Trailer{{Key: trailerBump, Value: r.service.Name + " " + r.version.String()}}, paths...)
	if err != nil {
		return errors.Join(err, edits.Back().Apply(r.cfg.Dir))
	}
	r.screen.Say("%s %s → %s in %s, committed", r.service.Name, from, r.version, strings.Join(paths, ", "))
	return nil
}

func (r *release) subject() string {
	if len(r.cfg.Services) == 1 {
		return "Release " + r.version.String()
	}
	return fmt.Sprintf("Release %s %s", r.service.Name, r.version)
}

// begun reports whether HEAD is the commit of a bump to its version that was interrupted before the
// version was tagged.
func (r *release) begun(ctx context.Context, current semver.Version) (bool, error) {
	log, err := r.repo.Log(ctx, "HEAD~1", "HEAD")
	if err != nil || len(log) == 0 {
		return false, nil // a first commit has no parent, and is no bump
	}
	mark := git.Trailer{Key: trailerBump, Value: r.service.Name + " " + current.String()}
	if !slices.Contains(log[0].Trailers, mark) {
		return false, nil
	}
	_, tagged, err := r.repo.Tag(ctx, r.service.GitTag.Format(current))
	return !tagged, err
}
