package git

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Tag is the commit that a tag of this repository points to, and whether the tag exists. A tag of
// something else than a commit is an error.
func (r *Repo) Tag(ctx context.Context, name string) (rev string, ok bool, err error) {
	_, err = r.git(ctx, "show-ref", "--verify", "--quiet", "--", "refs/tags/"+name)
	if said(err, 1) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	rev, err = r.resolve(ctx, "refs/tags/"+name)
	if err != nil {
		return "", false, fmt.Errorf("tag %s points to no commit: %w", name, err)
	}
	return rev, true, nil
}

// RemoteTag is what a tag of the remote points to, and whether the tag exists there. The repository
// need not have it. Without a remote no tag exists; one that does not answer is a [*RemoteError].
func (r *Repo) RemoteTag(ctx context.Context, name string) (rev string, ok bool, err error) {
	remote, err := r.remote(ctx)
	if err != nil || remote == "" {
		return "", false, err
	}
	ref := "refs/tags/" + name
	peeled := ref + "^{}" // the line of an annotated tag's commit, after that of the tag itself
	out, err := r.git(ctx, "ls-remote", "--", remote, ref, peeled)
	if err != nil {
		return "", false, remoteError(remote, "", err)
	}
	for line := range strings.Lines(out) {
		hash, found, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if found == ref || found == peeled {
			rev, ok = hash, true
		}
	}
	return rev, ok, nil
}

// Tags lists the tags of this repository whose names begin with the prefix, in the order of their names.
func (r *Repo) Tags(ctx context.Context, prefix string) ([]string, error) {
	tags, err := r.tags(ctx, "refs/tags/")
	return slices.DeleteFunc(tags, func(tag string) bool { return !strings.HasPrefix(tag, prefix) }), err
}

// TagsInHead lists which of these tags HEAD contains, in the order of their names; without any, which of
// all: that of many old tags takes git as long as the whole history. A repository without commits has none.
func (r *Repo) TagsInHead(ctx context.Context, tags ...string) ([]string, error) {
	head, err := r.Head(ctx)
	if errors.Is(err, ErrNoCommits) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	args := []string{"--merged=" + head}
	for _, tag := range tags {
		args = append(args, "refs/tags/"+tag)
	}
	if len(tags) == 0 {
		args = append(args, "refs/tags/")
	}
	return r.tags(ctx, args...)
}

func (r *Repo) tags(ctx context.Context, args ...string) (tags []string, err error) {
	out, err := r.git(ctx, append([]string{"for-each-ref", "--format=%(refname)"}, args...)...)
	for line := range strings.Lines(out) {
		tags = append(tags, strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "refs/tags/"))
	}
	return tags, err
}

// CreateTag makes an annotated tag of a revision. It fails if the tag exists.
func (r *Repo) CreateTag(ctx context.Context, name, rev, message string) error {
	_, err := r.gitInput(ctx, message, "tag", "--annotate", "--cleanup=whitespace", "--file=-", "--", name, rev)
	return err
}

// DeleteTag removes a tag from this repository; it fails if there is none. The remote's stays.
func (r *Repo) DeleteTag(ctx context.Context, name string) error {
	_, err := r.git(ctx, "tag", "--delete", "--", name)
	return err
}
