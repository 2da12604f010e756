package cli

import (
	"context"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
)

// removeContainers removes the containers of the compose projects whose name is the prefix, or begins with it
// and a dash.
func removeContainers(t *testing.T, api *client.Client, prefix string) {
	list, err := api.ContainerList(context.Background(), container.ListOptions{All: true})
	if err != nil {
		t.Error(err)
	}
	for _, c := range list {
		if strings.HasPrefix(c.Labels["com.docker.compose.project"]+"-", prefix+"-") {
			if err := api.ContainerRemove(context.Background(), c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true}); err != nil {
				t.Error(err)
			}
		}
	}
}
