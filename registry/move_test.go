package registry

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"promote/semver"
)

func labelled(version string) map[string]string { return map[string]string{LabelVersion: version} }

func TestMoveLatest(t *testing.T) {
	tests := []struct {
		name   string
		others map[string]string // tag to the version in its label, pushed first
		latest string            // tag of those that latest points to
		move   string
		moved  bool
		from   string
	}{
		{"first release", nil, "", "v1.0.0", true, ""},
		{"higher", map[string]string{"v1.0.0": "v1.0.0"}, "v1.0.0", "v1.1.0", true, "v1.0.0"},
		{"hotfix of an older line", map[string]string{"v1.0.0": "v1.0.0", "v2.0.0": "v2.0.0"}, "v2.0.0", "v1.0.1", false, "v2.0.0"},
		{"prerelease", map[string]string{"v1.0.0": "v1.0.0"}, "v1.0.0", "v2.0.0-rc.1", false, ""},
		{"latest is a prerelease of it", map[string]string{"v2.0.0-rc.1": "v2.0.0-rc.1"}, "v2.0.0-rc.1", "v2.0.0", true, "v2.0.0-rc.1"},
		{"latest is a higher prerelease", map[string]string{"v3.0.0-rc.1": "v3.0.0-rc.1"}, "v3.0.0-rc.1", "v2.0.0", false, "v3.0.0-rc.1"},
		{"label inherited from the base image", map[string]string{"v1.0.0": "v20.11.0"}, "v1.0.0", "v1.1.0", true, ""},
		{"no label, highest", map[string]string{"v1.0.0": "", "v1.1.0": ""}, "v1.0.0", "v1.2.0", true, ""},
		{"no label, not the highest", map[string]string{"v1.0.0": "", "v2.0.0": ""}, "v2.0.0", "v1.1.0", false, ""},
		{"no label, only a prerelease is higher", map[string]string{"v1.0.0": "", "v2.0.0-rc.1": ""}, "v1.0.0", "v1.1.0", true, ""},
		{"tags written otherwise, higher", map[string]string{"core-1": "v1.0.0"}, "core-1", "v1.1.0", true, "v1.0.0"},
		{"tags written otherwise, lower", map[string]string{"core-1": "v2.0.0"}, "core-1", "v1.1.0", false, "v2.0.0"},
		{"without the v", map[string]string{"1.0.0": "1.0.0"}, "1.0.0", "v1.0.1", true, "v1.0.0"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, c := newServer(t), client()
			digests := map[string]string{}
			for tag, version := range test.others {
				digests[tag] = s.push(t, tag, image(t, labelled(version)))
			}
			if test.latest != "" {
				if err := c.Retag(t.Context(), s.core(), digests[test.latest], "latest"); err != nil {
					t.Fatal(err)
				}
			}
			v := semver.MustParse(test.move)
			tag := v.Tag()
			if _, otherwise := test.others["core-1"]; otherwise {
				tag = "core-2"
			}
			mine := s.push(t, tag, image(t, labelled(test.move)))
			moved, from, err := c.MoveLatest(t.Context(), s.core(), v, mine)
			if err != nil || moved != test.moved || from.Version.String() != test.from {
				t.Errorf("moved %v from %+v: %v", moved, from, err)
			}
			want := digests[test.latest]
			if test.moved {
				want = mine
			}
			if got, err := c.Digest(t.Context(), s.core(), "latest"); got != want {
				t.Errorf("latest is %q, want %q: %v", got, want, err)
			}
		})
	}
}

func TestMoveLatestAgain(t *testing.T) {
	s, c := newServer(t), client()
	digest := s.push(t, "v1.0.0", image(t, nil))
	v := semver.MustParse("v1.0.0")
	if moved, _, err := c.MoveLatest(t.Context(), s.core(), v, digest); err != nil || !moved {
		t.Fatalf("moved %v, %v", moved, err)
	}
	requests := s.during(func() {
		if moved, from, err := c.MoveLatest(t.Context(), s.core(), v, digest); err != nil || moved || from.Digest != digest {
			t.Errorf("moved %v from %+v, %v", moved, from, err)
		}
	})
	if want := []string{"HEAD /v2/core/manifests/latest"}; !slices.Equal(requests, want) {
		t.Errorf("asked %q", requests)
	}
}

// The tag of a line moves within it, whatever other lines there are.
func TestMoveTag(t *testing.T) {
	line := func(w semver.Version) bool { return strings.HasPrefix(w.Number(), "1.5.") }
	tests := []struct {
		name   string
		others map[string]string // tag to the version in its label, pushed first
		at     string            // where the tag points to
		move   string
		moved  bool
		from   string
	}{
		{"first of its line", map[string]string{"v2.0.0": "v2.0.0"}, "", "v1.5.0", true, ""},
		{"higher in its line", map[string]string{"v1.5.0": "v1.5.0", "v2.0.0": "v2.0.0"}, "v1.5.0", "v1.5.3", true, "v1.5.0"},
		{"lower in its line", map[string]string{"v1.5.3": "v1.5.3"}, "v1.5.3", "v1.5.1", false, "v1.5.3"},
		{"no label, another line is higher", map[string]string{"v1.5.0": "", "v2.0.0": ""}, "v1.5.0", "v1.5.1", true, ""},
		{"no label, its line is higher", map[string]string{"v1.5.0": "", "v1.5.9": ""}, "v1.5.9", "v1.5.1", false, ""},
		{"prerelease", map[string]string{"v1.5.0": "v1.5.0"}, "v1.5.0", "v1.5.1-rc.1", false, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, c := newServer(t), client()
			digests := map[string]string{}
			for tag, version := range test.others {
				digests[tag] = s.push(t, tag, image(t, labelled(version)))
			}
			if test.at != "" {
				if err := c.Retag(t.Context(), s.core(), digests[test.at], "1.5"); err != nil {
					t.Fatal(err)
				}
			}
			v := semver.MustParse(test.move)
			want := s.push(t, v.Tag(), image(t, labelled(test.move)))
			requests := s.during(func() {
				moved, from, err := c.MoveTag(t.Context(), s.core(), "1.5", v, want, line)
				if err != nil || moved != test.moved || from.Version.String() != test.from {
					t.Errorf("moved %v from %+v: %v", moved, from, err)
				}
			})
			if n := count(requests, "PUT "); n > 1 || count(requests, "POST ") > 0 {
				t.Errorf("asked %q", requests)
			}
			if !test.moved {
				want = digests[test.at]
			}
			if got, err := c.Digest(t.Context(), s.core(), "1.5"); got != want {
				t.Errorf("1.5 is %q, want %q: %v", got, want, err)
			}
		})
	}
}

func TestAddTag(t *testing.T) {
	s, c := newServer(t), client()
	first, second := s.push(t, "v1.0.0", image(t, nil)), s.push(t, "v1.0.1", image(t, nil))
	for _, want := range []bool{true, false} {
		if added, err := c.AddTag(t.Context(), s.core(), "c0ffee", first); err != nil || added != want {
			t.Errorf("added %v, %v", added, err)
		}
	}
	var taken *TakenError
	if _, err := c.AddTag(t.Context(), s.core(), "c0ffee", second); !errors.As(err, &taken) || taken.Digest != first {
		t.Errorf("another digest: %v", err)
	}
	if got, err := c.Digest(t.Context(), s.core(), "c0ffee"); got != first {
		t.Errorf("it is %s, %v", got, err)
	}
	if _, err := c.AddTag(t.Context(), s.core(), "beef", "sha256:"+strings.Repeat("0", 64)); !errors.Is(err, ErrNotFound) {
		t.Errorf("a digest that is not there: %v", err)
	}
}

// Where latest can't be read it must not be taken for missing.
func TestMoveLatestCouldNotTell(t *testing.T) {
	s, c := newServer(t), client()
	digest := s.push(t, "v1.0.0", image(t, nil))
	s.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v2/core/manifests/latest" && r.Method != http.MethodPut {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	})
	requests := s.during(func() {
		_, _, err := c.MoveLatest(t.Context(), s.core(), semver.MustParse("v1.0.0"), digest)
		var unavailable *UnavailableError
		if !errors.As(err, &unavailable) {
			t.Errorf("got %v", err)
		}
	})
	if count(requests, "PUT ") != 0 {
		t.Errorf("asked %q", requests)
	}
}
