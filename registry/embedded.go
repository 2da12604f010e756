package registry

import (
	"log"
	"net/http"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Serve is a registry of one's own for demonstrations and tests, without authentication. Layers are
// kept in dir, tags in memory: it begins empty every time. Requests are written to logger.
func Serve(dir string, logger *log.Logger) http.Handler {
	return registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(dir)), registry.Logger(logger))
}
