package docker

import (
	"fmt"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
)

func TestAddresses(t *testing.T) {
	type networks = map[string]*network.EndpointSettings
	for _, test := range []struct {
		mode     container.NetworkMode
		networks networks
		want     string
	}{
		{"host", networks{"host": {}}, "[127.0.0.1] <nil>"},
		{"shop", networks{"shop": {IPAddress: "10.0.0.2"}, "back": {IPAddress: "10.0.1.2", GlobalIPv6Address: "fd00::2"}}, "[10.0.1.2 fd00::2 10.0.0.2] <nil>"},
		{"shop", networks{"shop": {}}, `[] it has no address: its network mode is "shop", and it is running`},
		{"none", networks{"none": {}}, `[] it has no address: its network mode is "none", and it is running`},
	} {
		list, err := addresses(container.InspectResponse{
			ContainerJSONBase: &container.ContainerJSONBase{
				HostConfig: &container.HostConfig{NetworkMode: test.mode}, State: &container.State{Status: "running"},
			},
			NetworkSettings: &container.NetworkSettings{Networks: test.networks},
		})
		if got := fmt.Sprint(list, " ", err); got != test.want {
			t.Errorf("%s: got %s, want %s", test.mode, got, test.want)
		}
	}
}
