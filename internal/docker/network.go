package docker

import (
	"context"
	"slices"

	"github.com/docker/docker/api/types/network"
)

// Unname takes all names but the container's own from it, in all of its networks. The engine has no way to do
// that but to take it out of them and put it in again, which ends its connections.
func (e *Engine) Unname(ctx context.Context, id string) error {
	return e.reconnect(ctx, id, func(string, []string) ([]string, bool) { return nil, true })
}

// Name gives a container the names that names says for each network, where it lacks one, by the same way.
func (e *Engine) Name(ctx context.Context, id string, names func(network string) []string) error {
	return e.reconnect(ctx, id, func(network string, has []string) ([]string, bool) {
		want := names(network)
		lacks := slices.ContainsFunc(want, func(name string) bool { return !slices.Contains(has, name) })
		return want, lacks
	})
}

func (e *Engine) reconnect(ctx context.Context, id string, change func(network string, has []string) (aliases []string, changes bool)) error {
	d, err := e.API.ContainerInspect(ctx, id)
	if err != nil {
		return err
	}
	for name, endpoint := range d.NetworkSettings.Networks {
		aliases, changes := change(name, endpoint.Aliases)
		if !changes {
			continue
		}
		if err := e.API.NetworkDisconnect(ctx, name, id, true); err != nil {
			return err
		}
		again := &network.EndpointSettings{Aliases: aliases, Links: endpoint.Links, DriverOpts: endpoint.DriverOpts, IPAMConfig: endpoint.IPAMConfig, GwPriority: endpoint.GwPriority}
		if err := e.API.NetworkConnect(ctx, name, id, again); err != nil {
			return err
		}
	}
	return nil
}

// Processes are the ids of a container's processes.
func (e *Engine) Processes(ctx context.Context, id string) ([]string, error) {
	top, err := e.API.ContainerTop(ctx, id, []string{"-eo", "pid"})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, row := range top.Processes {
		ids = append(ids, row[0])
	}
	return ids, nil
}
