package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/urfave/cli/v2"
)

// demoWebCommand is the service that the demo deploys: this program once more, since there may be
// nothing else on the machine to make an image of.
func (p *program) demoWebCommand() *cli.Command {
	return &cli.Command{
		Name: "web", Hidden: true, Usage: "the service of the demo",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "health", Usage: "be its health check"}},
		Action: func(c *cli.Context) error {
			if c.Bool("health") {
				return checkHealth(c.Context)
			}
			return p.serveWeb(c.Context)
		},
	}
}

const webAddress = ":8080"

// serveWeb answers the version of package.json; settings.json may say that it is broken.
func (p *program) serveWeb(ctx context.Context) error {
	var about struct{ Version string }
	var settings struct {
		Greeting string
		Broken   bool
	}
	if err := errors.Join(readJSON("/package.json", &about), readJSON("/settings.json", &settings)); err != nil {
		return err
	}
	fmt.Fprintf(p.err, "web %s listens on %s\n", about.Version, webAddress)
	var complain sync.Once
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, settings.Greeting, about.Version) })
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		if settings.Broken {
			complain.Do(func() { fmt.Fprintln(p.err, "not healthy: settings.json says broken") })
			http.Error(w, "broken", http.StatusServiceUnavailable)
		}
	})
	server := &http.Server{Addr: webAddress, Handler: mux}
	stop := context.AfterFunc(ctx, func() { server.Shutdown(context.WithoutCancel(ctx)) })
	defer stop()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func readJSON(path string, v any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

func checkHealth(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1"+webAddress+"/health", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("health: %s", response.Status)
	}
	return nil
}
