package config

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "2h": 2 * time.Hour, "2h30m": 150 * time.Minute, "2d": 48 * time.Hour,
		"1d12h": 36 * time.Hour, "100ms": 100 * time.Millisecond, "0d5s": 5 * time.Second, "10000d": 240_000 * time.Hour,
		"": 0, "0": 0, "0s": 0, "0d": 0, "-1h": 0, "2": 0, "d": 0, "2d-1h": 0, "-2d": 0, "1h2d": 0, "2 d": 0, "2w": 0,
		"10001d": 0, "99999999999999999999d": 0, "2500000h": 0, "10000d2400h": 242_400 * time.Hour,
	} {
		if got, err := parseDuration(s); got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: got %v, %v; want %v", s, got, err, want)
		}
	}
}

func TestParseRepository(t *testing.T) {
	for image, want := range map[string]string{
		"aegee/core":                      "",
		"core":                            "",
		"localhost:5000/core":             "",
		"ghcr.io/aegee/my-core_x.y":       "",
		"core:1.4":                        "write the repository without a tag: core",
		"localhost:5000/core:v1.4.2":      "write the repository without a tag: localhost:5000/core",
		"aegee/core@sha256:abc":           "write the repository without a tag: aegee/core",
		"aegee/core:v1@sha256:abc":        "write the repository without a tag: aegee/core",
		"Aegee/core":                      `"Aegee/core" is not an image repository: lower case, as in registry.example.org/team/core`,
		"https://registry.example.org/me": `"https://registry.example.org/me" is not an image repository: lower case, as in registry.example.org/team/core`,
	} {
		got, err := parseRepository(image)
		switch {
		case want == "" && (err != nil || got != image):
			t.Errorf("%s: got %s, %v", image, got, err)
		case want != "" && (err == nil || err.Error() != want):
			t.Errorf("%s: got %v, want %s", image, err, want)
		}
	}
}

func TestParseTags(t *testing.T) {
	for s, good := range map[string][2]bool{
		"v{version}": {true, true}, "{version}": {true, true}, "core-{version}-alpine": {true, true},
		"core/v{version}": {false, true}, "-{version}": {false, false}, ".{version}": {false, false}, "a/.{version}": {false, false},
		"{version}.": {true, false}, "{version}.lock": {true, false}, "a..{version}": {true, false}, "a b{version}": {false, false},
		"a//{version}": {false, false}, "{version}/": {false, false}, "a:{version}": {false, false}, "a[{version}": {false, false},
		"v": {false, false}, "{version}{version}": {false, false},
	} {
		_, image := parseImageTag(s)
		_, git := parseGitTag(s)
		if (image == nil) != good[0] || (git == nil) != good[1] {
			t.Errorf("%s: image tag %v, git tag %v", s, image, git)
		}
	}
}

func TestParseHost(t *testing.T) {
	for s, good := range map[string]bool{
		"ssh://staging": true, "ssh://deploy@staging.example.org": true, "ssh://deploy@10.0.0.1:2222": true, "ssh://[::1]:22": true, "ssh://a/": true,
		"staging": false, "deploy@staging": false, "ssh:staging": false, "ssh://": false, "ssh://me@": false, "http://staging": false,
		"ssh://me:secret@staging": false, "ssh://staging/srv": false, "ssh://staging?x": false, "ssh://-oProxyCommand=x": false, "ssh://-oProxyCommand=x@host": false, "ssh://[-oProxyCommand=x]": false,
	} {
		if _, err := parseHost(s); (err == nil) != good {
			t.Errorf("%s: got %v", s, err)
		}
	}
}

func TestExpand(t *testing.T) {
	lookup := variables("A", "a", "EMPTY", "", "DOLLAR", "$$${A}")
	for value, want := range map[string]string{
		"": "", "plain": "plain", "${A}": "a", "x${A}${A}y": "xaay", "${EMPTY}": "", "$$": "$", "$${A}": "${A}", "$$${A}": "$a",
		"$A": "$A", "(.*)$": "(.*)$", "$": "$", "${DOLLAR}": "$$${A}",
	} {
		if got, errs := expand(value, lookup); got != want || errs != nil {
			t.Errorf("%s: got %s, %v", value, got, errs)
		}
	}
	for value, count := range map[string]int{"${B}": 1, "${B}${C}": 2, "${}": 1, "${": 1, "${A:-x}": 1, "${A": 1, "${1}": 1} {
		if got, errs := expand(value, lookup); len(errs) != count {
			t.Errorf("%s: got %s, %v", value, got, errs)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"image", "version", "build", "path", "tag", "git_tag"}
	for name, want := range map[string]string{
		"imgae": "image", "images": "image", "verison": "version", "buidl": "build", "gittag": "git_tag", "tags": "tag",
		"webhook": "", "x": "", "": "", "pa": "path",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
