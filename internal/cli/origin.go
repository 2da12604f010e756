package cli

import (
	"cmp"
	"context"
	"fmt"

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

// origins finds out what two releases were built from; unknown says why it can't.
func (d *deployment) origins(ctx context.Context, service string, from, to registry.Release) (o origins, unknown string, err error) {
	configured, err := d.cfg.Service(service)
	if err != nil {
		return o, "", err
	}
	o.path = configured.Path
	var errFrom, errTo, errRepo error
	o.from, errFrom = d.revision(ctx, from)
	o.to, errTo = d.revision(ctx, to)
	o.repo, errRepo = git.Open(ctx, d.cfg.Dir)
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

// revision is the commit that a release was built from.
func (d *deployment) revision(ctx context.Context, r registry.Release) (string, error) {
	if r.Revision != "" {
		return r.Revision, nil
	}
	found, err := d.registry.Release(ctx, r.Repository, cmp.Or(r.Digest, r.Tag))
	return found.Revision, err
}
