package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"promote/internal/docker"
	"promote/internal/git"
	"promote/internal/promotion"
	"promote/registry"
	"promote/semver"
)

func (p *program) publishCommand() *cli.Command {
	return p.command(entry{
		name: "publish", args: "[SERVICE]", usage: "build and push the version that the repository is on, tag it, move latest; can be run again",
		examples: []string{"promote publish             in CI, after the merge of a bump", "promote publish core --json"},
		flags:    []cli.Flag{dryRunFlag},
		run: func(ctx context.Context, c *cli.Context) error {
			cfg, err := p.load(c)
			if err != nil {
				return err
			}
			service, err := oneService(c, cfg, c.Args().First())
			if err != nil {
				return err
			}
			r, err := p.release(ctx, cfg, service)
			if err != nil {
				return err
			}
			if err := r.clean(ctx); err != nil {
				return err
			}
			current, err := r.current(ctx)
			if err != nil {
				return err
			}
			if current.IsZero() {
				return &usage{text: service.Name + " has no version yet", hint: "promote bump " + service.Name + " v0.1.0"}
			}
			if c.Bool("dry-run") {
				r.from = current
				return errors.Join(r.setVersion(current), p.answerBump(batch{r}, true))
			}
			return r.publish(ctx, current)
		},
	})
}

// publication is the answer of bump and publish.
type publication struct {
	Schema   int    `json:"schema"`
	Service  string `json:"service"`
	Version  string `json:"version"`
	Image    string `json:"image"`
	Digest   string `json:"digest"`
	Revision string `json:"revision"`
	GitTag   string `json:"git_tag"`
	Latest   bool   `json:"latest"` // it was moved here, or was here
	New      bool   `json:"new"`    // false: it was published before
	// Tags are the further ones of promote.yaml that point here.
	Tags []string `json:"tags,omitempty"`
}

// publish takes the version at HEAD to the registry.
func (r *release) publish(ctx context.Context, v semver.Version) error {
	if err := r.setVersion(v); err != nil {
		return err
	}
	return batch{r}.publish(ctx)
}

// publish takes the versions at HEAD to the registry. Every step looks at what is there first, so that
// it can be run again after any interruption.
//
// The numbers are claimed in git before an image is pushed: commit and tags arrive in the remote as one
// or not at all, so of two people who take the same number exactly one goes on to the registry, and
// the other leaves nothing behind. That the images build is known by then.
func (list batch) publish(ctx context.Context) error {
	head, err := list[0].repo.Head(ctx)
	if err != nil {
		return err
	}
	answers := make([]publication, len(list))
	for i, r := range list {
		if answers[i], err = r.prepare(ctx, head); err != nil {
			return err
		}
	}
	branch, err := list[0].repo.Branch(ctx)
	if err != nil {
		return err
	}
	if err := list.claim(ctx, head, branch); err != nil {
		return err
	}
	for i, r := range list {
		if err := r.deliver(ctx, answers[i]); err != nil {
			return err
		}
	}
	return nil
}

// prepare builds the image, unless it is published already.
func (r *release) prepare(ctx context.Context, head string) (answer publication, err error) {
	answer = publication{
		Schema: promotion.Schema, Service: r.service.Name, Version: r.version.String(),
		Image: r.service.Image + ":" + r.tag, Revision: head, GitTag: r.gitTag,
	}
	if err := r.tagMine(ctx, head); err != nil {
		return answer, err
	}
	if answer.Digest, err = r.existing(ctx, head); err != nil || answer.Digest != "" {
		return answer, err
	}
	answer.New = true
	answer.Digest, err = r.make(ctx, head)
	return answer, err
}

// deliver gives the image its version in the registry, if it is new, and moves the other tags.
func (r *release) deliver(ctx context.Context, answer publication) (err error) {
	switch {
	case answer.New && answer.Digest == "":
		answer.Digest, err = r.push(ctx)
	case answer.New:
		err = r.addTag(ctx, answer.Digest)
	}
	if err != nil {
		return err
	}
	return r.finish(ctx, answer)
}

// finish moves the other tags to a version that is in the registry.
func (r *release) finish(ctx context.Context, answer publication) (err error) {
	if answer.Latest, err = r.latest(ctx, answer.Digest); err != nil {
		return err
	}
	if answer.Tags, err = r.further(ctx, answer.Revision, answer.Digest); err != nil {
		return err
	}
	return r.answerPublished(answer)
}

// make builds the image. A builder pushes it without a name, so its digest is known; one that an engine
// built has none before it is pushed.
func (r *release) make(ctx context.Context, head string) (digest string, err error) {
	if err := r.deliverable(ctx); err != nil {
		return "", err
	}
	if r.service.Build.Builder != "" {
		return r.byBuilder(ctx, head)
	}
	return "", r.byEngine(ctx, head)
}

// tagMine refuses a version whose git tag stands at another commit.
func (r *release) tagMine(ctx context.Context, head string) error {
	rev, exists, err := r.repo.Tag(ctx, r.gitTag)
	if err != nil || !exists || rev == head {
		return err
	}
	return &takenError{
		what:    fmt.Sprintf("the git tag %s is at %.12s, not at %.12s", r.gitTag, rev, head),
		version: r.version, hint: "promote bump patch", refused: true,
	}
}

// existing is the digest of the version if it was published from this revision already. A version that
// was published from another one is never overwritten.
func (r *release) existing(ctx context.Context, head string) (string, error) {
	there, err := r.registry.Release(ctx, r.service.Image, r.tag)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	case there.Revision != head:
		taken := &takenError{
			what:    fmt.Sprintf("%s:%s was published from revision %.12s", r.service.Image, r.tag, orUnknown(there.Revision)),
			version: r.version, hint: "promote bump patch", refused: true,
		}
		if there.Revision == "" {
			taken.hint = fmt.Sprintf("promote bump patch, or if this revision is what it was built from: promote record %s %s --digest %s", r.service.Name, r.version, there.Digest)
		}
		return "", taken
	}
	r.screen.Say("%s:%s is published already, from this revision", r.service.Image, r.tag)
	return there.Digest, nil
}

func orUnknown(revision string) string {
	if revision == "" {
		return "(unlabelled)"
	}
	return revision
}

// push pushes the image as its version. The digest is what the registry says it is.
func (r *release) push(ctx context.Context) (string, error) {
	engine, err := r.engine(ctx)
	if err != nil {
		return "", err
	}
	defer engine.Close()
	credentials, err := r.registry.Credentials(ctx, r.service.Image)
	if err != nil {
		return "", err
	}
	layers := r.screen.Layers("push " + r.reference())
	defer layers.Close()
	pushed, err := r.upload(ctx, engine, credentials.Header(), layers.Update)
	if err != nil {
		return "", err
	}
	there, err := r.registry.Digest(ctx, r.service.Image, r.tag)
	if err == nil && there != pushed {
		err = r.overtaken(there, pushed)
	}
	return there, err
}

// upload has the engine push, and stops it when it gets nowhere: an engine waits for ever.
func (r *release) upload(ctx context.Context, engine *docker.Engine, auth string, show func(docker.Progress)) (string, error) {
	limit := r.cfg.Registry.ProgressDeadline
	stalled := &docker.StalledError{Doing: "push " + r.reference(), Limit: limit}
	pushing, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	silence := time.AfterFunc(limit, func() { stop(stalled) })
	defer silence.Stop()
	digest, err := engine.Push(pushing, r.reference(), auth, func(p docker.Progress) {
		silence.Reset(limit)
		show(p)
	})
	if err != nil && context.Cause(pushing) == stalled {
		return "", stalled
	}
	return digest, err
}

// reference is the image under its version.
func (r *release) reference() string { return r.service.Image + ":" + r.tag }

func (r *release) labels(ctx context.Context, head string) (map[string]string, error) {
	source, err := r.repo.SourceURL(ctx)
	labels := map[string]string{
		"org.opencontainers.image.version":  r.version.Number(),
		"org.opencontainers.image.revision": head,
		"org.opencontainers.image.created":  time.Now().UTC().Format(time.RFC3339),
	}
	if source != "" {
		labels["org.opencontainers.image.source"] = source
	}
	return labels, err
}

// claim tags a commit, and pushes the tags and a branch, if one is given, as one: either all arrive or
// none.
func (list batch) claim(ctx context.Context, rev, branch string) error {
	repo := list[0].repo
	var refs []string
	for _, r := range list {
		_, exists, err := repo.Tag(ctx, r.gitTag)
		if err == nil && !exists {
			err = repo.CreateTag(ctx, r.gitTag, rev, batch{r}.subject())
		}
		if err != nil {
			return err
		}
		refs = append(refs, "refs/tags/"+r.gitTag)
	}
	url, err := repo.RemoteURL(ctx)
	if err != nil || url == "" {
		return err
	}
	if branch != "" {
		refs = append(refs, "refs/heads/"+branch)
	}
	err = repo.Push(ctx, refs...)
	if errors.Is(err, git.ErrRejected) && !slices.ContainsFunc(list, func(r *release) bool { return r.claimed(ctx, rev) }) {
		return list.lost(ctx, rev, err)
	}
	return err
}

// claimed reports whether the version is ours in the remote, or may be. A tag that is here alone is none:
// a claim may have been interrupted before it was pushed.
func (r *release) claimed(ctx context.Context, rev string) bool {
	there, exists, err := r.repo.RemoteTag(ctx, r.gitTag)
	return err != nil || exists && there == rev
}

// lost takes back tags and commit of numbers that somebody else was faster to take.
func (list batch) lost(ctx context.Context, rev string, cause error) (err error) {
	r := list[0]
	for _, one := range list {
		err = errors.Join(err, r.repo.DeleteTag(ctx, one.gitTag))
	}
	tip, _ := r.repo.Head(ctx)
	if bumped, _ := headBump(ctx, r.repo); bumped[r.service.Name] == r.version && tip == rev && err == nil {
		err = r.repo.Undo(ctx, rev)
	}
	taken := &takenError{
		what: "somebody else was faster to push", version: r.version,
		hint: "git pull --rebase, then promote bump again; the next free patch is " + r.version.Bump(semver.Patch).String(),
	}
	return errors.Join(taken, cause, err)
}

func (r *release) answerPublished(a publication) error {
	r.reportPublished(a)
	if r.screen.JSON {
		return r.screen.Object(a)
	}
	var names []string
	if a.Latest {
		names = append(names, latestTag)
	}
	besides := strings.Join(append(names, a.Tags...), ", ")
	if besides != "" {
		besides = " and " + besides
	}
	r.screen.Answer("%s%s  %s", a.Image, besides, promotion.Short(a.Digest))
	return nil
}
