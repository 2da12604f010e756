package registry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"os"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"promote/registry"
	"promote/semver"
)

// publish starts a registry on the loopback and pushes an empty image under tags; it returns the name of
// the repository.
func publish(tags ...string) (repository string, stop func()) {
	dir, _ := os.MkdirTemp("", "example")
	server := httptest.NewServer(registry.Serve(dir, log.New(io.Discard, "", 0)))
	repository = server.Listener.Addr().String() + "/core"
	for _, tag := range tags {
		target, _ := name.NewTag(repository + ":" + tag)
		if err := remote.Write(target, empty.Image); err != nil {
			log.Fatal(err)
		}
	}
	return repository, func() { server.Close(); os.RemoveAll(dir) }
}

func ExampleClient_Versions() {
	repository, stop := publish("v1.4.2", "v1.10.0", "1.10", "latest")
	defer stop()

	versions, err := registry.New().Versions(context.Background(), repository, semver.Template{})
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range versions {
		fmt.Println(v.Version)
	}
	// Output:
	// v1.4.2
	// v1.10.0
}

func ExampleClient_MoveLatest() {
	ctx := context.Background()
	repository, stop := publish("v1.4.2")
	defer stop()

	client := registry.New()
	digest, err := client.Digest(ctx, repository, "v1.4.2")
	if err != nil {
		log.Fatal(err)
	}
	moved, _, err := client.MoveLatest(ctx, repository, semver.MustParse("v1.4.2"), digest)
	fmt.Println(moved, err)
	moved, _, err = client.MoveLatest(ctx, repository, semver.MustParse("v1.5.0-rc.1"), digest)
	fmt.Println(moved, err)
	// Output:
	// true <nil>
	// false <nil>
}

// What a registry did not answer must not be taken for something that is not there.
func ExampleUnavailableError() {
	repository, stop := publish("v1.4.2")
	client := registry.New()

	_, err := client.Digest(context.Background(), repository, "v9.9.9")
	fmt.Println(errors.Is(err, registry.ErrNotFound))

	stop()
	_, err = client.Digest(context.Background(), repository, "v1.4.2")
	var unavailable *registry.UnavailableError
	fmt.Println(errors.Is(err, registry.ErrNotFound), errors.As(err, &unavailable))
	// Output:
	// true
	// false true
}

func ExampleCredentials() {
	credentials := registry.Credentials{Registry: "ghcr.io", Username: "ada", Password: "s3cret"}
	fmt.Println(credentials)
	fmt.Printf("%+v\n", credentials)
	// Output:
	// redacted credentials at ghcr.io
	// redacted credentials at ghcr.io
}
