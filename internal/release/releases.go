package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"promote/internal/git"
	"promote/semver"
)

// Releases are versions of several services of a project that are made together; never empty.
type Releases []*Release

func (l Releases) project() *Project { return l[0].Service.project }

// String names them: the version alone where there is one service only.
func (l Releases) String() string {
	if l[0].Service.StandsAlone() {
		return l[0].Version.String()
	}
	var names []string
	for _, r := range l {
		names = append(names, r.Service.Name+" "+r.Version.String())
	}
	return strings.Join(names, ", ")
}

// RequireFree makes sure that nothing stands in the way of the versions, before anything is changed: tags
// here, in the remote and in the registry, and if they are to be published, the rights to push to both. All
// are asked side by side.
func (l Releases) RequireFree(ctx context.Context, publish bool) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.requireFreeTags(ctx, publish) })
	group.Go(func() error { return l.askEach(ctx, (*Release).requireFreeImage) })
	if publish {
		group.Go(func() error { return l.askEach(ctx, (*Release).requireDelivery) })
	}
	return group.Wait()
}

// requireFreeTags looks at the tags first: that a number is taken tells more than that the branch is behind.
func (l Releases) requireFreeTags(ctx context.Context, push bool) error {
	if err := l.askEach(ctx, (*Release).requireFreeTag); err != nil || !push {
		return err
	}
	return l.project().requirePush(ctx)
}

// questionsAtOnce is how many questions are put to remotes at a time.
const questionsAtOnce = 8

// askEach puts a question about every release, several at a time.
func (l Releases) askEach(ctx context.Context, ask func(*Release, context.Context) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(questionsAtOnce)
	for _, r := range l {
		group.Go(func() error { return ask(r, ctx) })
	}
	return group.Wait()
}

// Commit writes the versions into their files and changelogs, and commits them as one. Where nothing but
// git tags hold a version, there is nothing to commit.
func (l Releases) Commit(ctx context.Context) error {
	project := l.project()
	dir := project.Config.Dir
	done, said, err := l.writeFiles(ctx, dir)
	if err == nil && len(done) > 0 {
		_, err = project.repo.Commit(ctx, l.commitSubject(), l.commitTrailers(), editedPaths(done)...)
	}
	if err != nil {
		return errors.Join(err, revertEdits(done, dir))
	}
	if len(done) > 0 {
		project.tools.Progress.Say("%s, committed", strings.Join(said, "; "))
	}
	return nil
}

// writeFiles returns what it has written, also if it fails, and says what that was.
func (l Releases) writeFiles(ctx context.Context, dir string) (done semver.Edits, said []string, err error) {
	for _, r := range l {
		edits, err := r.edits(ctx)
		if err == nil {
			err = edits.Apply(dir)
		}
		if err != nil {
			return done, said, err
		}
		done = append(done, edits...)
		said = append(said, fmt.Sprintf("%s %s → %s in %s", r.Service.Name, r.From, r.Version, strings.Join(editedPaths(edits), ", ")))
	}
	return done, said, nil
}

// namedServices is how many services the subject of a commit names.
const namedServices = 3

func (l Releases) commitSubject() string {
	if len(l) > namedServices {
		return fmt.Sprintf("Release %s and %d others", l[:1], len(l)-1)
	}
	return "Release " + l.String()
}

func (l Releases) commitTrailers() (trailers []git.Trailer) {
	for _, r := range l {
		trailers = append(trailers, git.Trailer{Key: bumpTrailer, Value: r.Service.Name + " " + r.Version.String()})
	}
	return trailers
}

func editedPaths(edits semver.Edits) (paths []string) {
	for _, e := range edits {
		if !slices.Contains(paths, e.Path) {
			paths = append(paths, e.Path)
		}
	}
	return paths
}

// revertEdits puts files back as they were, the last change first: one file may have been changed twice.
func revertEdits(edits semver.Edits, dir string) error {
	var failures []error
	for _, e := range slices.Backward(edits) {
		failures = append(failures, semver.Edits{e}.Back().Apply(dir))
	}
	return errors.Join(failures...)
}

// Publish takes the versions at HEAD to the registry, and tells of each that is there. Every step looks at
// what is there first, so that it can be run again after any interruption.
//
// The numbers are claimed in git before an image is pushed: commit and tags arrive in the remote as one
// or not at all, so of two people who take the same number exactly one goes on to the registry, and
// the other leaves nothing behind. That the images build is known by then.
func (l Releases) Publish(ctx context.Context, tell func(Publication) error) error {
	head, err := l.project().repo.Head(ctx)
	if err != nil {
		return err
	}
	var publishers []*publisher
	for _, r := range l {
		p := newPublisher(r, head)
		if err := p.prepareImage(ctx); err != nil {
			return err
		}
		publishers = append(publishers, p)
	}
	branch, err := l.project().repo.Branch(ctx)
	if err != nil {
		return err
	}
	if err := l.claimVersions(ctx, head, branch); err != nil {
		return err
	}
	for _, p := range publishers {
		if err := p.deliverImage(ctx); err != nil {
			return err
		}
		if err := tell(p.publication); err != nil {
			return err
		}
	}
	return nil
}

// claimVersions tags a commit, and pushes the tags and a branch, if one is given, as one: either all arrive
// or none.
func (l Releases) claimVersions(ctx context.Context, rev, branch string) error {
	repo := l.project().repo
	refs, err := l.createTags(ctx, rev)
	if err != nil {
		return err
	}
	url, err := repo.RemoteURL(ctx)
	if err != nil || url == "" {
		return err
	}
	if branch != "" {
		refs = append(refs, "refs/heads/"+branch)
	}
	err = repo.Push(ctx, refs...)
	if errors.Is(err, git.ErrRejected) && !slices.ContainsFunc(l, func(r *Release) bool { return r.isClaimed(ctx, rev) }) {
		return l.giveUpVersions(ctx, rev, err)
	}
	return err
}

// createTags tags a commit as each of the releases that has no tag yet, and names all their tags.
func (l Releases) createTags(ctx context.Context, rev string) (refs []string, err error) {
	repo := l.project().repo
	for _, r := range l {
		_, exists, err := repo.Tag(ctx, r.GitTag)
		if err == nil && !exists {
			err = repo.CreateTag(ctx, r.GitTag, rev, Releases{r}.commitSubject())
		}
		if err != nil {
			return nil, err
		}
		refs = append(refs, tagPrefix+r.GitTag)
	}
	return refs, nil
}

// giveUpVersions takes back tags and commit of numbers that somebody else was faster to take.
func (l Releases) giveUpVersions(ctx context.Context, rev string, cause error) (err error) {
	repo, first := l.project().repo, l[0]
	for _, r := range l {
		err = errors.Join(err, repo.DeleteTag(ctx, r.GitTag))
	}
	tip, _ := repo.Head(ctx)
	if bumped, _ := bumpAtHead(ctx, repo); bumped[first.Service.Name] == first.Version && tip == rev && err == nil {
		err = repo.Undo(ctx, rev)
	}
	taken := &TakenError{
		What: "somebody else was faster to push", Version: first.Version,
		hint: "git pull --rebase, then promote bump again; the next free patch is " + first.Version.Bump(semver.Patch).String(),
	}
	return errors.Join(taken, cause, err)
}
