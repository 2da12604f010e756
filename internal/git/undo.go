package git

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ErrMoved is a commit that can't be taken back, since something was built on it.
var ErrMoved = errors.New("can't be taken back")

// Undo takes back the last commit: the branch is where it was, and so are the files of the commit. All
// other files stay as they are, in the index and on disk. It fails with [ErrMoved], and changes nothing,
// if the commit is not HEAD, is a merge, or if one of its files was changed since.
func (r *Repo) Undo(ctx context.Context, rev string) error {
	rev, err := r.resolve(ctx, rev)
	if err != nil {
		return err
	}
	parent, err := r.undoable(ctx, rev)
	if err != nil {
		return err
	}
	files, err := r.changed(ctx, parent, rev)
	if err != nil {
		return err
	}
	if err := r.untouched(ctx, rev, files); err != nil {
		return err
	}
	if err := r.moveBack(ctx, rev, parent); err != nil {
		return err
	}
	if err := r.restore(context.WithoutCancel(ctx), parent, files); err != nil {
		return fmt.Errorf("the branch is back at %.12s, but not the files %s: %w", parent, strings.Join(files, ", "), err)
	}
	return nil
}

// undoable is the parent of HEAD, empty if it has none.
func (r *Repo) undoable(ctx context.Context, rev string) (parent string, err error) {
	head, err := r.Head(ctx)
	if err != nil {
		return "", err
	}
	if head != rev {
		return "", fmt.Errorf("commit %.12s %w: HEAD is at %.12s", rev, ErrMoved, head)
	}
	line, err := r.line(ctx, "rev-list", "--parents", "--max-count=1", rev)
	if err != nil {
		return "", err
	}
	switch parents := strings.Fields(line)[1:]; len(parents) {
	case 0:
		return "", nil
	case 1:
		return parents[0], nil
	}
	return "", fmt.Errorf("commit %.12s %w: it is a merge", rev, ErrMoved)
}

// untouched makes sure that putting the files back loses nobody's work.
func (r *Repo) untouched(ctx context.Context, rev string, files []string) error {
	if len(files) == 0 {
		return nil
	}
	dirty, err := r.top().Dirty(ctx, files...)
	if err != nil || len(dirty) == 0 {
		return err
	}
	return fmt.Errorf("commit %.12s %w: changed since: %s", rev, ErrMoved, strings.Join(dirty, ", "))
}

// moveBack moves the branch, if it is still where it was looked at.
func (r *Repo) moveBack(ctx context.Context, rev, parent string) error {
	args := []string{"update-ref", "-m", "promote: take back", "HEAD", parent, rev}
	if parent == "" {
		args = []string{"update-ref", "-m", "promote: take back", "-d", "HEAD", rev}
	}
	_, err := r.git(ctx, args...)
	return err
}

// restore puts files back to what they are in a revision, in the index and on disk.
func (r *Repo) restore(ctx context.Context, rev string, files []string) error {
	if len(files) == 0 {
		return nil
	}
	source, err := r.tree(ctx, rev)
	if err != nil {
		return err
	}
	_, err = r.top().gitInput(ctx, strings.Join(literal(files), "\x00"), "restore", "--source="+source,
		"--staged", "--worktree", "--pathspec-from-file=-", "--pathspec-file-nul")
	return err
}
