package cli

import (
	"encoding/json"
	"io"
	"path/filepath"
	"slices"

	"github.com/docker/cli/cli-plugins/metadata"
	"github.com/docker/cli/cli-plugins/socket"
)

// pluginWord is the command that docker gets: `docker promote`.
const pluginWord = "promote"

// isPlugin reports whether it was started under the name that docker looks for in its cli-plugins.
func isPlugin(args []string) bool { return filepath.Base(args[0]) == metadata.NamePrefix+pluginWord }

// asPlugin turns what docker runs for `docker promote deploy prod`, which is `docker-promote promote
// deploy prod` with docker's own options in front, into promote's own arguments. Such an option would
// choose another engine or login for docker, of which promote knows nothing: it is refused.
func (p *program) asPlugin(args []string) ([]string, error) {
	at := slices.Index(args, pluginWord)
	switch {
	case at < 0:
		return args, nil // by that name, but not by docker
	case at > 1 && args[1] != "help":
		return nil, &usage{text: "docker's own options do nothing here: " + args[1], hint: "set DOCKER_HOST or DOCKER_CONFIG, or give the environment a host: in promote.yaml"}
	}
	socket.ConnectAndWait(p.signals.received) // off a terminal docker keeps a SIGTERM to itself, and closes this
	return slices.Delete(slices.Clone(args), at, at+1), nil
}

// describePlugin answers docker's question what the plugin is.
func describePlugin(out io.Writer) error {
	return json.NewEncoder(out).Encode(metadata.Metadata{
		SchemaVersion: "0.1.0", Vendor: "promote", Version: shownVersion(),
		ShortDescription: "Move releases of Compose services from one environment to the next, and back",
	})
}
