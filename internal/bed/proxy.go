package bed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// proxies are the images of reverse proxies: files beside the program, and what the program's own
// image on the public registry says, so that configurations fit that were written for those.
var proxies = map[string]struct {
	files  map[string]string
	config ImageConfig
}{
	"caddy": {config: ImageConfig{
		Cmd: []string{"caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"},
		Env: map[string]string{"XDG_CONFIG_HOME": "/config", "XDG_DATA_HOME": "/data"},
	}},
	"nginx": {
		files: map[string]string{
			"etc/nginx/nginx.conf":   nginxConfig,
			"run/.keep":              "",
			"var/lib/nginx/.keep":    "",
			"var/log/nginx/.keep":    "",
			"etc/nginx/conf.d/.keep": "",
		},
		config: ImageConfig{Cmd: []string{"nginx", "-g", "daemon off;"}, StopSignal: "SIGQUIT"},
	},
	"haproxy": {config: ImageConfig{
		Cmd:        []string{"haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"},
		StopSignal: "SIGUSR1",
	}},
	"traefik": {config: ImageConfig{Entrypoint: []string{"traefik"}}},
}

// nginxConfig leaves the rest to files in conf.d. Folders of the bed's images are open to root only.
const nginxConfig = `
user root;
error_log /dev/stderr notice;
events {}
http {
	access_log /dev/stdout;
	include /etc/nginx/conf.d/*.conf;
}
`

// Proxy returns the files and the configuration of an image of a real reverse proxy, for Image and
// Push: "caddy", "nginx" or "haproxy" as the distribution has them, or "traefik". The proxies read
// /etc/caddy/Caddyfile, /etc/nginx/conf.d/*.conf, /usr/local/etc/haproxy/haproxy.cfg and their
// command's flags. The test skips, as in Need, where the program is not installed.
//
//	files, config := bed.Proxy(t, "caddy")
//	bed.Image(t, "caddy", "v2.6.2", files, config)
func Proxy(t testing.TB, name string) (files map[string]string, config ImageConfig) {
	t.Helper()
	Need(t)
	proxy, ok := proxies[name]
	if !ok {
		t.Fatalf("no proxy %q, there are %q", name, slices.Sorted(maps.Keys(proxies)))
	}
	program, err := proxyProgram(name)
	if err != nil {
		skip(t, err)
	}
	files, err = programFiles(program)
	if err != nil {
		t.Fatalf("image of %s: %v", name, err)
	}
	maps.Copy(files, proxy.files)
	return files, proxy.config
}

// proxyProgram finds a program, of a proxy most often: scripts/setup installs it, or make setup builds it.
func proxyProgram(name string) (string, error) {
	if file, err := lookPath(name); err == nil {
		return file, nil
	}
	module, err := moduleRoot()
	if err != nil {
		return "", err
	}
	file, err := exec.LookPath(filepath.Join(module, ".cache", "bin", name))
	if err != nil {
		return "", fmt.Errorf("%s is not installed (make setup installs it)", name)
	}
	return file, nil
}

// programFiles are those that a program of this machine needs in an image: itself in /bin, its
// shared libraries where they are here, and users to look up.
func programFiles(program string) (map[string]string, error) {
	libraries, err := sharedLibraries(program)
	if err != nil {
		return nil, err
	}
	sources := map[string]string{"bin/" + filepath.Base(program): program}
	for _, library := range libraries {
		sources[library] = library
	}
	files := map[string]string{
		"etc/passwd": "root:x:0:0:root:/:/bin/sh\n",
		"etc/group":  "root:x:0:\n",
	}
	for target, source := range sources {
		content, err := os.ReadFile(source)
		if err != nil {
			return nil, err
		}
		files[target] = string(content)
	}
	return files, nil
}

// sharedLibraries returns the paths of the libraries that a program is linked to, and of the loader
// that finds them: none if it is linked statically.
func sharedLibraries(program string) ([]string, error) {
	output, err := exec.Command("ldd", program).CombinedOutput()
	if bytes.Contains(output, []byte("not a dynamic executable")) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ldd %s: %w: %s", program, err, output)
	}
	var paths []string
	for lines := bufio.NewScanner(bytes.NewReader(output)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if strings.HasSuffix(line, "not found") {
			return nil, errors.New(line)
		}
		if _, file, ok := strings.Cut(line, "/"); ok { // without one it is in the kernel
			file, _, _ = strings.Cut(file, " ")
			paths = append(paths, "/"+file)
		}
	}
	return paths, nil
}
