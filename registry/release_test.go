package registry

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/random"

	"promote/semver"
)

var built = time.Date(2026, 11, 21, 6, 12, 3, 0, time.UTC)

func TestReleaseOfImage(t *testing.T) {
	s, c := newServer(t), client()
	digest := s.push(t, "v1.4.2", image(t, map[string]string{
		LabelVersion: "1.4.1", LabelRevision: "abc", LabelSource: "https://example.org/core",
	}))
	want := Release{
		Repository: s.core(), Tag: "v1.4.2", Digest: digest, Version: semver.MustParse("v1.4.2"),
		Revision: "abc", Source: "https://example.org/core", Created: built, Platforms: []string{"linux/amd64"},
	}
	var got Release
	var err error
	requests := s.during(func() { got, err = c.Release(t.Context(), s.core(), "v1.4.2") })
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if count(requests, "GET /v2/core/") != 2 {
		t.Errorf("asked %q, want manifest and configuration", requests)
	}
	want.Tag, want.Version = "", semver.MustParse("v1.4.1") // nothing but the label tells it
	if got, err = c.Release(t.Context(), s.core(), digest); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("by digest: %+v, %v", got, err)
	}
}

func TestReleaseOfIndex(t *testing.T) {
	s, c := newServer(t), client()
	digest := s.push(t, "latest", index(t,
		map[string]string{LabelVersion: "v1.4.2", LabelCreated: "2020-01-02T03:04:05Z"},
		map[string]string{LabelVersion: "v9.9.9", LabelRevision: "abc"},
		"linux/arm64/v8", "linux/amd64"))
	want := Release{
		Repository: s.core(), Tag: "latest", Digest: digest, Version: semver.MustParse("v1.4.2"), Revision: "abc",
		Created: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), Platforms: []string{"linux/amd64", "linux/arm64/v8"},
	}
	if got, err := c.Release(t.Context(), s.core(), "latest"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestReleaseWithoutFacts(t *testing.T) {
	s, c := newServer(t), client()
	s.push(t, "jammy", image(t, map[string]string{LabelVersion: "22.04", LabelCreated: "yesterday"}))
	got, err := c.Release(t.Context(), s.core(), "jammy")
	if err != nil || !got.Version.IsZero() || !got.Created.IsZero() || got.Revision != "" {
		t.Errorf("got %+v, %v", got, err)
	}
	empty := s.push(t, "empty", index(t, nil, map[string]string{LabelVersion: "v1.0.0"}))
	if got, err = c.Release(t.Context(), s.core(), "empty"); err != nil || got.Digest != empty || got.Version.String() != "v1.0.0" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// History and plans hold releases: they come back as they were, and leave out what is not known.
func TestReleaseAsJSON(t *testing.T) {
	for _, r := range []Release{
		{Repository: "aegee/core", Tag: "v1.4.2", Digest: "sha256:1", Version: semver.MustParse("v1.4.2"), Created: built},
		{Repository: "aegee/core"},
	} {
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var back Release
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("%s came back as %+v, %v", text, back, err)
		}
		if r.Tag == "" && string(text) != `{"repository":"aegee/core"}` {
			t.Errorf("got %s", text)
		}
	}
}

func versions(list []TaggedVersion) string {
	var tags []string
	for _, v := range list {
		tags = append(tags, v.Tag+"="+v.Version.String())
	}
	return strings.Join(tags, " ")
}

func TestVersions(t *testing.T) {
	s, c := newServer(t), client()
	one := image(t, nil)
	for _, tag := range []string{"v1.10.0", "v1.9.0", "v2.0.0-rc.10", "v2.0.0-rc.9", "latest", "1.5", "0123abc", "core-v3.0.0", "3.0.0-alpine"} {
		s.push(t, tag, image(t, nil))
	}
	s.push(t, "1.4.2", one)
	s.push(t, "v1.4.2", one)
	tests := []struct{ template, want string }{
		{"v{version}", "v1.4.2=v1.4.2 v1.9.0=v1.9.0 v1.10.0=v1.10.0 v2.0.0-rc.9=v2.0.0-rc.9 v2.0.0-rc.10=v2.0.0-rc.10 3.0.0-alpine=v3.0.0-alpine"},
		{"core-v{version}", "core-v3.0.0=v3.0.0"},
		{"{version}-alpine", "3.0.0-alpine=v3.0.0"},
		{"x{version}", ""},
	}
	for _, test := range tests {
		template, err := semver.ParseTemplate(test.template)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Versions(t.Context(), s.core(), template)
		if err != nil || versions(got) != test.want {
			t.Errorf("%s: %s, %v", test.template, versions(got), err)
		}
	}
}

func TestVersionsAmbiguous(t *testing.T) {
	for _, tags := range [][2]string{{"v1.4.2", "1.4.2"}, {"v1.4.2_1", "v1.4.2_2"}} {
		t.Run(tags[0], func(t *testing.T) {
			s, c := newServer(t), client()
			for _, tag := range slices.Concat(tags[:], []string{"v1.0.0"}) {
				s.push(t, tag, image(t, nil))
			}
			_, err := c.Versions(t.Context(), s.core(), semver.Template{})
			var ambiguous *AmbiguousError
			if !errors.As(err, &ambiguous) || ambiguous.Tags != tags {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), ambiguous.Digests[0][:19]) || ambiguous.Hint() == "" {
				t.Errorf("message %q, hint %q", err, ambiguous.Hint())
			}
		})
	}
}

// Images that are made by other means than a build may name no platform.
func TestReleaseWithoutPlatform(t *testing.T) {
	s := newServer(t)
	made, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := s.push(t, "v1.0.0", made)
	if got, err := client().Release(t.Context(), s.core(), "v1.0.0"); err != nil || got.Digest != want || len(got.Platforms) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}
