package deploy

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"promote/internal/rollout"
)

// HostCollection is what was removed on one machine of an environment.
type HostCollection struct {
	Environment string `json:"environment"`
	Host        string `json:"host,omitempty"` // which of several
	rollout.Collection
}

// Collect removes what nothing needs any more, on all hosts of an environment at once; trial only looks what that
// would be.
func (c *Client) Collect(ctx context.Context, environment string, wait time.Duration, trial bool) ([]HostCollection, error) {
	environments, err := c.Connections.Open(c.Config, environment)
	if err != nil {
		return nil, err
	}
	id := NewID(time.Now())
	list := make([]HostCollection, len(environments))
	group, ctx := errgroup.WithContext(ctx)
	for i, env := range environments {
		group.Go(func() error {
			found, err := env.Side.Collect(ctx, id, wait, trial)
			list[i] = HostCollection{Environment: env.Name, Host: env.Host, Collection: found}
			return err
		})
	}
	return list, group.Wait()
}
