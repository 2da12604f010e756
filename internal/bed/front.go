package bed

import (
	"embed"
	"io/fs"
	"os"
	"strconv"
	"testing"
)

// fronts has a folder for each way to have a proxy in front of a service.
//
//go:embed front
var fronts embed.FS

// Front is a project with a reverse proxy, service proxy, in front of the test service, service web,
// written as the proxy's users write theirs.
type Front struct {
	Name  string // one of Fronts
	Proxy string // image of the proxy: of the program that the name begins with
	Web   string // image of the test service
	Port  int    // where the proxy is published
}

// Fronts are the ways there are: a program of Proxy's, which may be followed by a hyphen and how it
// finds the service. Only one project with Traefik can be up on an engine: it sees all of them.
var Fronts = []string{
	"caddy",
	"haproxy-server", "haproxy-template",
	"nginx-resolver", "nginx-upstream",
	"traefik", "traefik-healthcheck",
}

// Files returns the project's files, path to content: compose.yaml and the proxy's configuration.
// The last lines of compose.yaml are the keys of web, so more of them can be appended to it.
func (f Front) Files(t testing.TB) map[string]string {
	t.Helper()
	folder := "front/" + f.Name
	entries, err := fs.ReadDir(fronts, folder)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		content, err := fs.ReadFile(fronts, folder+"/"+entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(content)
	}
	files["compose.yaml"] = os.Expand(files["compose.yaml"], f.variable)
	return files
}

// variable is the value of a ${NAME} in a compose.yaml: tools that read images shall find them there.
func (f Front) variable(name string) string {
	return map[string]string{"PROXY": f.Proxy, "WEB": f.Web, "PORT": strconv.Itoa(f.Port)}[name]
}
