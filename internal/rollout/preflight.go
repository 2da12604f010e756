package rollout

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"promote/internal/promotion"
)

// preflight finds out beforehand what would fail later. It touches nothing.
func (r *run) preflight(ctx context.Context) error {
	edit, err := r.project.Edit(r.Plan.Changes()...)
	if err != nil {
		return err
	}
	for _, f := range edit.Files() {
		if err := writable(f.Path); err != nil {
			return err
		}
		if err := r.roomy(filepath.Dir(f.Path)); err != nil {
			return err
		}
	}
	if r.Target.Engine == promotion.EngineNone {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.accepted(ctx) })
	group.Go(func() error {
		root, here, err := r.Engine.Root(ctx)
		if err != nil || !here {
			return err
		}
		return r.roomy(root)
	})
	return group.Wait()
}

// accepted has docker read the files.
func (r *run) accepted(ctx context.Context) error {
	if r.Target.Engine != promotion.EngineSwarm {
		return r.compose.Check(ctx)
	}
	overlay, err := r.project.Overlay(r.planned())
	if err != nil {
		return err
	}
	return r.stack.Check(ctx, overlay)
}

// writable makes sure that a file can be replaced: by a temporary file beside it, and a rename. It asks
// the kernel instead of trying, so that a kill leaves nothing behind.
func writable(path string) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if err := unix.Faccessat(unix.AT_FDCWD, filepath.Dir(path), unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return fmt.Errorf("%s can't be rewritten: %w", path, err)
	}
	return keepable(path)
}

// keepable makes sure that a new file can be given the owner and the group of the one it replaces.
func keepable(path string) error {
	var s unix.Stat_t
	if err := unix.Stat(path, &s); err != nil || os.Geteuid() == 0 {
		return nil // one that isn't there has no owner to keep
	}
	groups, err := os.Getgroups()
	if err != nil {
		return err
	}
	if int(s.Uid) != os.Geteuid() || int(s.Gid) != os.Getegid() && !slices.Contains(groups, int(s.Gid)) {
		return &ownerError{path}
	}
	return nil
}

// ownerError is a file whose owner or group a new one can't be given by this user.
type ownerError struct{ path string }

func (e *ownerError) Error() string {
	return e.path + " can't be rewritten: it belongs to another user, or to a group that this one is not in"
}

// Hint makes it the user's own.
func (e *ownerError) Hint() string { return "sudo chown $USER: " + e.path }
