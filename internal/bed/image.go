package bed

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/client"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// ImageConfig is what an image's Dockerfile would say. All of it is optional; without Entrypoint
// and Cmd the image's containers need a command.
type ImageConfig struct {
	Entrypoint  []string
	Cmd         []string
	Env         map[string]string
	Labels      map[string]string
	Healthcheck *v1.HealthConfig // durations in nanoseconds, Test[0] is CMD or CMD-SHELL
	User        string
	WorkingDir  string
	Ports       []string // exposed, as in 8080/tcp
	Volumes     []string // paths
	StopSignal  string
}

// Image puts repository:tag into the engine: busybox with its commands, and files (path to content,
// all of them executable) in a layer of their own. The same arguments give the same digest.
func Image(t testing.TB, repository, tag string, files map[string]string, config ImageConfig) {
	t.Helper()
	engine := Engine(t)
	img, err := build(files, config)
	if err != nil {
		t.Fatalf("build %s:%s: %v", repository, tag, err)
	}
	if err := load(engine.client, repository+":"+tag, img); err != nil {
		t.Fatalf("load %s:%s: %v", repository, tag, err)
	}
}

// Push puts such an image straight into the registry as repository:tag, without an engine, and
// returns its digest. The repository comes without the registry's address.
func (r *RegistryHandle) Push(t testing.TB, repository, tag string, files map[string]string, config ImageConfig) string {
	t.Helper()
	img, err := build(files, config)
	if err != nil {
		t.Fatalf("build %s:%s: %v", repository, tag, err)
	}
	digest, err := r.write(repository+":"+tag, img)
	if err != nil {
		t.Fatalf("push %s:%s: %v", repository, tag, err)
	}
	return digest
}

func (r *RegistryHandle) write(reference string, img v1.Image) (string, error) {
	target, err := name.NewTag(r.addr+"/"+reference, name.Insecure)
	if err != nil {
		return "", err
	}
	transport, err := r.Transport()
	if err != nil {
		return "", err
	}
	if err := remote.Write(target, img, remote.WithAuth(r.auth), remote.WithTransport(transport)); err != nil {
		return "", err
	}
	digest, err := img.Digest()
	return digest.String(), err
}

func load(engine *client.Client, reference string, img v1.Image) error {
	tag, err := name.NewTag(reference)
	if err != nil {
		return err
	}
	output, input := io.Pipe()
	go func() { input.CloseWithError(tarball.Write(tag, img, input)) }()
	response, err := engine.ImageLoad(context.Background(), output)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body) // the image is there when the answer ends
	return err
}

func build(files map[string]string, config ImageConfig) (v1.Image, error) {
	if len(files) == 0 {
		return assemble(config)
	}
	own, err := layer(files, nil)
	if err != nil {
		return nil, err
	}
	return assemble(config, own)
}

// assemble makes an image of busybox and layers upon it.
func assemble(config ImageConfig, layers ...v1.Layer) (v1.Image, error) {
	base, err := busyboxLayer()
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(empty.Image, append([]v1.Layer{base}, layers...)...)
	if err != nil {
		return nil, err
	}
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config = config.config()
	return mutate.ConfigFile(img, file)
}

func (c ImageConfig) config() v1.Config {
	environment := []string{"PATH=/bin"}
	for _, key := range slices.Sorted(maps.Keys(c.Env)) {
		environment = append(environment, key+"="+c.Env[key])
	}
	return v1.Config{
		Entrypoint:   c.Entrypoint,
		Cmd:          c.Cmd,
		Env:          environment,
		Labels:       c.Labels,
		Healthcheck:  c.Healthcheck,
		User:         c.User,
		WorkingDir:   c.WorkingDir,
		ExposedPorts: set(c.Ports),
		Volumes:      set(c.Volumes),
		StopSignal:   c.StopSignal,
	}
}

func set(keys []string) map[string]struct{} {
	if len(keys) == 0 {
		return nil
	}
	result := map[string]struct{}{}
	for _, key := range keys {
		result[key] = struct{}{}
	}
	return result
}

// busyboxLayer is made once for all images of a test binary: engines and registries store it once.
var busyboxLayer = sync.OnceValues(func() (v1.Layer, error) {
	program, err := lookPath("busybox")
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	commands, err := exec.Command(program, "--list").Output()
	if err != nil {
		return nil, err
	}
	links := map[string]string{"usr/bin": "/bin"} // for scripts that begin with /usr/bin/env
	for command := range strings.FieldsSeq(string(commands)) {
		if command != "busybox" {
			links["bin/"+command] = "busybox"
		}
	}
	return layer(map[string]string{"bin/busybox": string(content)}, links)
})

// layer makes an image layer of executable files and symbolic links, the same bytes every time.
func layer(files, links map[string]string) (v1.Layer, error) {
	var content bytes.Buffer
	archive := tar.NewWriter(&content)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		header := tar.Header{Name: strings.TrimPrefix(path, "/"), Mode: 0o755, Size: int64(len(files[path]))}
		if err := archive.WriteHeader(&header); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(archive, files[path]); err != nil {
			return nil, err
		}
	}
	for _, path := range slices.Sorted(maps.Keys(links)) {
		header := tar.Header{Name: path, Typeflag: tar.TypeSymlink, Linkname: links[path], Mode: 0o777}
		if err := archive.WriteHeader(&header); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content.Bytes())), nil }
	// An image goes no further than this machine: compressing it takes longer than all the rest.
	return tarball.LayerFromOpener(open, tarball.WithCompressionLevel(gzip.NoCompression))
}
