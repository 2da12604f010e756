package deploy

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"promote/internal/git"
	"promote/internal/promotion"
	"promote/registry"
)

// origins are the commits that two releases of a service were built from, and the repository that has them.
type origins struct {
	repo     *git.Repo
	path     string // of the service, for git
	from, to string
}

// findOrigins finds out what two releases were built from; unknown says why it can't.
func (c *Client) findOrigins(ctx context.Context, service string, from, to registry.Release) (o origins, unknown string, err error) {
	configured, err := c.Config.Service(service)
	if err != nil {
		return o, "", err
	}
	o.path = configured.Path
	var errFrom, errTo, errRepo error
	o.from, errFrom = c.revisionOf(ctx, from)
	o.to, errTo = c.revisionOf(ctx, to)
	o.repo, errRepo = git.Open(ctx, c.Config.Dir)
	const silent = "the image of %s does not say which commit it was built from"
	switch {
	case ctx.Err() != nil:
		return o, "", ctx.Err()
	case errRepo != nil:
		unknown = "there is no git repository here"
	case errFrom != nil || o.from == "":
		unknown = fmt.Sprintf(silent, promotion.Label(from))
	case errTo != nil || o.to == "":
		unknown = fmt.Sprintf(silent, promotion.Label(to))
	}
	return o, unknown, nil
}

// revisionOf is the commit that a release was built from.
func (c *Client) revisionOf(ctx context.Context, r registry.Release) (string, error) {
	if r.Revision != "" {
		return r.Revision, nil
	}
	found, err := c.Registry.Release(ctx, r.Repository, cmp.Or(r.Digest, r.Tag))
	return found.Revision, err
}

// compareFiles finds out which files differ between what a service is on and what was chosen, where a task asks.
// What can't be found out is no error: the task runs then.
func (h *HostDeployment) compareFiles(ctx context.Context, choices []promotion.Choice) error {
	h.Request.Files = map[string]promotion.Files{}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	for _, c := range choices {
		asks := slices.ContainsFunc(c.Service.Tasks, func(t promotion.Task) bool { return len(t.Changed) > 0 })
		if c.Skip != "" || !asks {
			continue
		}
		group.Go(func() error {
			files, err := h.changedFiles(ctx, c)
			mu.Lock()
			defer mu.Unlock()
			h.Request.Files[c.Service.Name] = files
			return err
		})
	}
	return group.Wait()
}

func (h *HostDeployment) changedFiles(ctx context.Context, c promotion.Choice) (promotion.Files, error) {
	present := c.State.Present(c.Service.Tag)
	if present.Digest == "" && !c.State.Up() && h.Env.Target.Engine != promotion.EngineNone {
		return promotion.Files{}, nil // the file names a release that never ran there
	}
	o, unknown, err := h.findOrigins(ctx, c.Service.Name, present, c.Release)
	if err != nil || unknown != "" {
		return promotion.Files{}, err
	}
	changed, err := o.repo.ChangedFiles(ctx, o.from, o.to, o.path)
	if err != nil {
		return promotion.Files{}, ctx.Err() // such as a revision that is not here
	}
	prefix, err := filepath.Rel(o.repo.Root(), filepath.Join(h.Config.Dir, o.path))
	if err != nil || !filepath.IsLocal(prefix) {
		return promotion.Files{}, nil // reached through a link
	}
	files := promotion.Files{Known: true}
	for _, file := range changed {
		files.Changed = append(files.Changed, strings.TrimPrefix(file, filepath.ToSlash(prefix)+"/"))
	}
	return files, nil
}
