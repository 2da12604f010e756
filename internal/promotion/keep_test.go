package promotion_test

import (
	"strings"
	"testing"
	"time"

	"promote/internal/promotion"
	"promote/registry"
)

// history makes the marks of a service from words: v1.0.0 ran and was verified, v1.0.0? ran unchecked,
// !v1.0.0 is bad, =v1.0.0 is held, =v1.0.0~ was held until a minute ago, - frees.
func history(words string) []promotion.Mark {
	var marks []promotion.Mark
	for word := range strings.FieldsSeq(words) {
		mark := promotion.Mark{Service: "core", Kind: promotion.Verified}
		switch {
		case word == "-":
			marks = append(marks, promotion.Mark{Service: "core", Kind: promotion.Freed})
			continue
		case word[0] == '!':
			mark.Kind, word = promotion.Bad, word[1:]
		case word[0] == '=':
			mark.Kind, word = promotion.Held, word[1:]
			if strings.HasSuffix(word, "~") {
				mark.Until, word = now.Add(-time.Minute), word[:len(word)-1]
			}
		case strings.HasSuffix(word, "?"):
			mark.Kind, word = promotion.Unchecked, word[:len(word)-1]
		}
		mark.Release = release("core", word)
		if mark.Kind == promotion.Verified || mark.Kind == promotion.Unchecked {
			marks = append(marks, promotion.Mark{Service: "core", Kind: promotion.Running, Release: mark.Release})
		}
		marks = append(marks, mark)
	}
	return marks
}

func TestKeep(t *testing.T) {
	for name, test := range map[string]struct{ history, want string }{
		"nothing":                     {"", ""},
		"the first":                   {"v1.0.0", "current v1.0.0"},
		"five":                        {"v1.0.0 v1.1.0 v1.2.0 v1.3.0 v1.4.0", "current v1.4.0, good v1.3.0, good v1.2.0, good v1.1.0"},
		"each counts once":            {"v1.0.0 v1.1.0 v1.2.0 v1.1.0 v1.2.0 v1.3.0", "current v1.3.0, good v1.2.0, good v1.1.0, good v1.0.0"},
		"unchecked is good":           {"v1.0.0? v1.1.0?", "current v1.1.0, good v1.0.0"},
		"bad is not":                  {"v1.0.0 v1.1.0 !v1.1.0 v1.2.0", "current v1.2.0, good v1.0.0"},
		"blocked and running":         {"v1.0.0 v1.1.0 !v1.1.0", "current v1.1.0, good v1.0.0"},
		"after a rollback":            {"v1.0.0 v1.1.0 v1.0.0 !v1.1.0 =v1.0.0", "current v1.0.0"},
		"pinned far back":             {"v1.0.0 v1.1.0 v1.2.0 v1.3.0 v1.4.0 v1.0.0 =v1.0.0", "current v1.0.0, good v1.4.0, good v1.3.0, good v1.2.0"},
		"held at another":             {"v1.0.0 v1.1.0 v1.2.0 v1.3.0 v1.4.0 =v1.0.0", "current v1.4.0, held v1.0.0, good v1.3.0, good v1.2.0, good v1.1.0"},
		"held at one that never ran":  {"v1.0.0 =v0.9.0", "current v1.0.0, held v0.9.0"},
		"no longer held":              {"v1.0.0 v1.1.0 v1.2.0 v1.3.0 v1.4.0 =v1.0.0 -", "current v1.4.0, good v1.3.0, good v1.2.0, good v1.1.0"},
		"held until a minute ago":     {"v1.0.0 v1.1.0 v1.2.0 v1.3.0 v1.4.0 =v1.0.0~", "current v1.4.0, good v1.3.0, good v1.2.0, good v1.1.0"},
		"a rollback never goes ahead": {"v1.0.0 v2.2.0 v2.1.0 v2.0.0 v1.5.0", "current v1.5.0, good v2.0.0, good v2.1.0, good v2.2.0, a rollback goes there v1.0.0"},
	} {
		var got []string
		for _, k := range promotion.Keep(history(test.history), now) {
			got = append(got, k.Why+" "+k.Release.Tag)
		}
		if joined := strings.Join(got, ", "); joined != test.want {
			t.Errorf("%s:\n got %s\nwant %s", name, joined, test.want)
		}
	}
}

// image is one as an engine lists it.
func image(names ...string) promotion.Image { return promotion.Image{ID: "sha256:1", Names: names} }

func TestJudge(t *testing.T) {
	old, kept := release("core", "v1.0.0"), release("core", "v1.1.0")
	at := func(r registry.Release) string { return r.Repository + "@" + r.Digest }
	stranger := at(release("core", "v9.9.9"))
	used := image("aegee/core:v1.0.0", at(old))
	used.User = "other-core-1"
	h := promotion.Holdings{
		Repositories: []string{"docker.io/aegee/core", "aegee/web"},
		Known:        []registry.Release{old, kept, {Repository: "aegee/core", Tag: "v0.9.0"}, release("web", "v1.0.0")},
		Kept:         []promotion.Kept{{Release: kept, Why: "current in prod"}, {Release: registry.Release{Repository: "aegee/core"}, Why: "good in prod"}},
		Doubts:       []promotion.Doubt{{Image: "aegee/web:v3.0.0", Why: "can't be read"}},
	}
	for name, test := range map[string]struct {
		image promotion.Image
		want  string
	}{
		"known and not kept":           {image("aegee/core:v1.0.0", at(old)), "goes"},
		"by its digest alone":          {image(at(old)), "goes"},
		"under another tag as well":    {image("aegee/core:v1.0.0", "aegee/core:1.0", at(old)), "goes"},
		"kept":                         {image("aegee/core:v1.1.0", at(kept)), "current in prod"},
		"kept, its tag was taken":      {image(at(kept)), "current in prod"},
		"has the tag of a kept one":    {image("aegee/core:v1.1.0", stranger), "current in prod"},
		"the implicit tag":             {image("aegee/core:latest", at(old)), "good in prod"},
		"used":                         {used, "other-core-1 is made from it"},
		"built here":                   {image("aegee/core:v0.9.0"), "it is in no history"},
		"pulled by hand":               {image("aegee/core:v9.9.9", stranger), "it is in no history"},
		"has a name elsewhere":         {image("aegee/core:v1.0.0", at(old), "ghcr.io/aegee/core:v1.0.0"), "it is also ghcr.io/aegee/core:v1.0.0"},
		"a history can't be read":      {image("aegee/web:v1.0.0", at(release("web", "v1.0.0"))), "can't be read"},
		"another repository":           {image("aegee/core-web:v1.0.0"), "is not mentioned"},
		"that repository elsewhere":    {image("ghcr.io/aegee/core@" + old.Digest), "is not mentioned"},
		"no name at all":               {image(), "is not mentioned"},
		"not a name":                   {image("<none>:<none>"), "is not mentioned"},
		"its digest, other repository": {image("aegee/web:v1.0.0", "aegee/web@"+old.Digest), "can't be read"},
	} {
		got := "is not mentioned"
		if fates := h.Judge([]promotion.Image{test.image}); len(fates) > 0 {
			if got = fates[0].Why; got == "" {
				got = "goes"
			}
		}
		if got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestJudgeSorts(t *testing.T) {
	h := promotion.Holdings{Repositories: []string{"aegee/core"}}
	digests := image("aegee/core@" + digest("v1.0.0"))
	fates := h.Judge([]promotion.Image{digests, image("aegee/core@"+digest("v2.0.0"), "aegee/core:v2.0.0"), image("aegee/core:v1.0.0")})
	var got []string
	for _, f := range fates {
		got = append(got, f.Label())
	}
	if want := "aegee/core:v1.0.0 aegee/core:v2.0.0 aegee/core@" + digest("v1.0.0"); strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
