package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/docker/docker/api/types/container"
)

// Addresses are those that a container can be reached at from the engine's machine, in the order of its
// networks' names: its own, those of the container whose network it shares, or 127.0.0.1 on the host's
// network. A container without any, as on no network, is an error.
func (e *Engine) Addresses(ctx context.Context, id string) ([]string, error) {
	d, err := e.API.ContainerInspect(ctx, id)
	if err != nil {
		return nil, e.explain(err)
	}
	if other := d.HostConfig.NetworkMode.ConnectedContainer(); other != "" {
		if d, err = e.API.ContainerInspect(ctx, other); err != nil {
			return nil, e.explain(err)
		}
	}
	return addresses(d)
}

func addresses(d container.InspectResponse) ([]string, error) {
	if d.HostConfig.NetworkMode.IsHost() {
		return []string{"127.0.0.1"}, nil
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(d.NetworkSettings.Networks)) {
		n := d.NetworkSettings.Networks[name]
		for _, address := range []string{n.IPAddress, n.GlobalIPv6Address} {
			if address != "" {
				list = append(list, address)
			}
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("it has no address: its network mode is %q, and it is %s", d.HostConfig.NetworkMode, d.State.Status)
	}
	return list, nil
}
