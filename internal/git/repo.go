// Package git reads and writes a checkout through the git program (2.30 or later): what is at HEAD,
// which files are dirty, tags here and in the remote, commits with trailers, and pushes that arrive
// as a whole or not at all.
//
// It uses the user's own configuration, credentials and hooks. It never asks on the terminal, never
// forces a push, and never takes a name or a path for an option or a pattern. What it does not name
// stays as it is: a commit takes its own paths only and leaves everything else staged or unstaged as it
// was, and so does taking it back.
//
// Paths that are given are relative to the directory of [Open], or absolute; paths that are returned
// are relative to [Repo.Root], with slashes. A git that fails is an [*Error] with git's own words.
package git

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var (
	// ErrNotRepository is a directory outside of any checkout; a bare repository is none either.
	ErrNotRepository = errors.New("not a git repository")
	// ErrNoCommits is a repository whose branch has no commit yet.
	ErrNoCommits = errors.New("the branch has no commit yet")
	// ErrUnknownRevision is a revision that is not in this repository.
	ErrUnknownRevision = errors.New("unknown revision")
)

// Repo is a checkout. It keeps no state beside its place, and may be used by several goroutines.
type Repo struct {
	dir  string // of Open: what relative paths are relative to
	root string
}

// Open finds the checkout that the directory lies in. It fails with [ErrNotRepository] where there is
// none.
func Open(ctx context.Context, dir string) (*Repo, error) {
	r := &Repo{dir: dir}
	root, err := r.line(ctx, "rev-parse", "--show-toplevel")
	if outside(err) {
		return nil, fmt.Errorf("%s: %w", dir, ErrNotRepository)
	}
	if err != nil {
		return nil, err
	}
	r.root = root
	return r, nil
}

var outsideWords = regexp.MustCompile(`not a git repository|must be run in a work tree`)

func outside(err error) bool {
	var e *Error
	return errors.As(err, &e) && outsideWords.MatchString(e.Stderr)
}

// Root is the top directory of the checkout.
func (r *Repo) Root() string { return r.root }

// top is the repository with paths relative to its root, as git returns them.
func (r *Repo) top() *Repo { return &Repo{dir: r.root, root: r.root} }

// Head is the hash of the commit that is checked out; [ErrNoCommits] if there is none.
func (r *Repo) Head(ctx context.Context) (string, error) {
	head, err := r.line(ctx, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if said(err, 1) {
		return "", fmt.Errorf("%s: %w", r.root, ErrNoCommits)
	}
	return head, err
}

// Branch is the name of the branch that is checked out, as main; empty if HEAD is detached, as CI
// services often leave it.
func (r *Repo) Branch(ctx context.Context) (string, error) {
	ref, err := r.line(ctx, "symbolic-ref", "--quiet", "HEAD")
	if said(err, 1) {
		return "", nil
	}
	return strings.TrimPrefix(ref, "refs/heads/"), err
}

// IsShallow reports whether the history was cut off when the repository was cloned.
func (r *Repo) IsShallow(ctx context.Context) (bool, error) {
	answer, err := r.line(ctx, "rev-parse", "--is-shallow-repository")
	return answer == "true", err
}

// Dirty lists the files that differ from HEAD, staged or not, and those that git does not know and is
// not told to ignore; below the paths, or all. Of a renamed file both names are listed.
func (r *Repo) Dirty(ctx context.Context, paths ...string) ([]string, error) {
	args := []string{"--no-optional-locks", "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames", "--"}
	out, err := r.git(ctx, append(args, literal(paths)...)...)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range fields(out) {
		files = append(files, entry[len("XY "):])
	}
	return files, nil
}

// User is who commits here, as "Name <email>"; empty where git has not been told.
func (r *Repo) User(ctx context.Context) string {
	ident, err := r.line(ctx, "var", "GIT_AUTHOR_IDENT")
	end := strings.LastIndex(ident, ">")
	if err != nil || end < 0 {
		return ""
	}
	return ident[:end+1]
}

// RevisionError is a revision that is not in this repository. It is [ErrUnknownRevision].
type RevisionError struct {
	Revision string
	Shallow  bool // the history was cut off, so it may be in the remote
}

func (e *RevisionError) Error() string {
	if e.Shallow {
		return "unknown revision " + e.Revision + ": the history is cut off (shallow clone)"
	}
	return "unknown revision " + e.Revision
}

// Unwrap makes it an ErrUnknownRevision.
func (e *RevisionError) Unwrap() error { return ErrUnknownRevision }

// Hint is the command that gets what may be missing.
func (e *RevisionError) Hint() string {
	if e.Shallow {
		return "git fetch --unshallow --tags"
	}
	return "git fetch --tags"
}

// resolve is the hash of the commit that a revision stands for.
func (r *Repo) resolve(ctx context.Context, revision string) (string, error) {
	hash, err := r.line(ctx, "rev-parse", "--verify", "--quiet", "--end-of-options", revision+"^{commit}")
	var failed *Error
	if !errors.As(err, &failed) {
		return hash, err
	}
	shallow, err := r.IsShallow(ctx)
	if err != nil {
		return "", err
	}
	return "", &RevisionError{Revision: revision, Shallow: shallow}
}

// Revision is the hash of the commit that a name stands for: HEAD, a branch, a tag, or a shorter hash. It
// is a [*RevisionError] where there is none.
func (r *Repo) Revision(ctx context.Context, name string) (string, error) {
	return r.resolve(ctx, name)
}
