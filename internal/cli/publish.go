package cli

import (
	"context"
	"errors"
	"fmt"
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
				return errors.Join(r.setVersion(current), p.answerBump(r, current, true))
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
}

// publish takes the version at HEAD to the registry. Every step looks at what is there first, so that
// it can be run again after any interruption.
//
// The number is claimed in git before the image is pushed: commit and tag arrive in the remote as one
// or not at all, so of two people who take the same number exactly one goes on to the registry, and
// the other leaves nothing behind. That the image builds is known by then.
func (r *release) publish(ctx context.Context, v semver.Version) error {
	if err := r.setVersion(v); err != nil {
		return err
	}
	head, err := r.repo.Head(ctx)
	if err != nil {
		return err
	}
	answer := publication{
		Schema: promotion.Schema, Service: r.service.Name, Version: v.String(),
		Image: r.service.Image + ":" + r.tag, Revision: head, GitTag: r.gitTag,
	}
	if err := r.tagMine(ctx, head); err != nil {
		return err
	}
	if answer.Digest, err = r.existing(ctx, head); err != nil {
		return err
	}
	if answer.Digest == "" {
		answer.New = true
		answer.Digest, err = r.make(ctx, head)
	} else {
		err = r.claim(ctx, head)
	}
	if err != nil {
		return err
	}
	if answer.Latest, err = r.latest(ctx, answer.Digest); err != nil {
		return err
	}
	return r.answerPublished(answer)
}

// make builds the image, claims the version, and pushes.
func (r *release) make(ctx context.Context, head string) (digest string, err error) {
	if err := r.buildable(); err != nil {
		return "", err
	}
	engine, err := r.engine(ctx)
	if err != nil {
		return "", err
	}
	defer engine.Close()
	if err := r.build(ctx, engine, head); err != nil {
		return "", err
	}
	if err := r.claim(ctx, head); err != nil {
		return "", err
	}
	return r.push(ctx, engine)
}

// tagMine refuses a version whose git tag stands at another commit.
func (r *release) tagMine(ctx context.Context, head string) error {
	rev, exists, err := r.repo.Tag(ctx, r.gitTag)
	if err != nil || !exists || rev == head {
		return err
	}
	return &takenError{what: fmt.Sprintf("the git tag %s is at %.12s, not at %.12s", r.gitTag, rev, head), version: r.version, hint: "promote bump patch"}
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
		return "", &takenError{
			what:    fmt.Sprintf("%s:%s was published from revision %.12s", r.service.Image, r.tag, orUnknown(there.Revision)),
			version: r.version, hint: "promote bump patch",
		}
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
func (r *release) push(ctx context.Context, engine *docker.Engine) (string, error) {
	credentials, err := r.registry.Credentials(ctx, r.service.Image)
	if err != nil {
		return "", err
	}
	layers := r.screen.Layers("push " + r.reference())
	defer layers.Close()
	if _, err := engine.Push(ctx, r.reference(), credentials.Header(), layers.Update); err != nil {
		return "", err
	}
	return r.registry.Digest(ctx, r.service.Image, r.tag)
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

// claim tags the commit, and pushes branch and tag as one: either both arrive or none.
func (r *release) claim(ctx context.Context, head string) error {
	_, exists, err := r.repo.Tag(ctx, r.gitTag)
	if err != nil {
		return err
	}
	if !exists {
		if err := r.repo.CreateTag(ctx, r.gitTag, head, r.subject()); err != nil {
			return err
		}
	}
	url, err := r.repo.RemoteURL(ctx)
	if err != nil || url == "" {
		return err
	}
	refs := []string{"refs/tags/" + r.gitTag}
	if branch, err := r.repo.Branch(ctx); err != nil {
		return err
	} else if branch != "" {
		refs = append(refs, "refs/heads/"+branch)
	}
	err = r.repo.Push(ctx, refs...)
	if errors.Is(err, git.ErrRejected) && !exists {
		return r.lost(ctx, head, err)
	}
	return err
}

// lost takes back tag and commit of a number that somebody else was faster to take.
func (r *release) lost(ctx context.Context, head string, cause error) error {
	err := r.repo.DeleteTag(ctx, r.gitTag)
	if begun, _ := r.begun(ctx, r.version); begun && err == nil {
		err = r.repo.Undo(ctx, head)
	}
	taken := &takenError{
		what: "somebody else was faster to push", version: r.version,
		hint: "git pull --rebase, then promote bump again; the next free patch is " + r.version.Bump(semver.Patch).String(),
	}
	return errors.Join(taken, cause, err)
}

// latest moves the tag latest, which costs one manifest, if this is the highest stable version.
func (r *release) latest(ctx context.Context, digest string) (bool, error) {
	moved, from, err := r.registry.MoveLatest(ctx, r.service.Image, r.version, digest)
	if err == nil && !moved && r.version.Stable() && from.Digest != digest {
		r.screen.Say("latest stays at %s, which is newer", promotion.Label(from))
	}
	return moved || from.Digest == digest, err
}

func (r *release) answerPublished(a publication) error {
	r.reportPublished(a)
	if r.screen.JSON {
		return r.screen.Object(a)
	}
	latest := ""
	if a.Latest {
		latest = " and latest"
	}
	r.screen.Answer("%s%s  %s", a.Image, latest, promotion.Short(a.Digest))
	return nil
}
