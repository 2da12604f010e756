package promotion_test

import (
	"errors"
	"strings"
	"testing"

	"promote/internal/promotion"
)

// TestVouching: staging's history is staging's word. Who can write it must not choose what runs in prod, and a tag
// that was moved since is looked at by a person.
func TestVouching(t *testing.T) {
	same, other := &promotion.Tagged{Digest: digest("v1.5.0")}, &promotion.Tagged{Digest: digest("v6.6.6")}
	for name, test := range map[string]struct {
		change func(*world)
		tagged *promotion.Tagged // nil: it is not asked
		says   string            // the refusal
		note   string
	}{
		"the registry says the same":  {tagged: same},
		"the registry says other":     {tagged: other, says: "core: staging verified v1.5.0 as " + digest("v1.5.0") + ", but in the registry its tag is " + digest("v6.6.6")},
		"the tag is gone":             {tagged: &promotion.Tagged{}, says: "core: staging verified v1.5.0 as " + digest("v1.5.0") + ", but in the registry its tag is not there"},
		"another tag by that version": {func(w *world) { w.mislabel("pr-17") }, same, "core: staging verified v1.5.0 as " + digest("v1.5.0") + ` by the tag "pr-17"`, ""},
		"no tag at all":               {func(w *world) { w.mislabel("") }, same, "core: staging verified v1.5.0 as " + digest("v1.5.0") + ` by the tag ""`, ""},
		"it ran here":                 {change: func(w *world) { w.ran("core", "v1.5.0", "d1").ran("core", "v1.4.9", "d2") }},
		"it is here":                  {change: func(w *world) { w.on("core", "v1.5.0").AcceptDrift = true }},
		"another one by that version ran here": {func(w *world) {
			w.ran("core", "v1.5.0", "d1").ran("core", "v1.4.9", "d2")
			w.service("core").Marks[2].Release.Digest = digest("v6.6.6")
		}, other, "core: staging verified v1.5.0", ""},
		"only a look":                     {func(w *world) { w.Look = true }, other, "", "a deployment would be refused: staging verified"},
		"only a look, and no registry":    {func(w *world) { w.Look = true }, &promotion.Tagged{Err: errors.New("timeout")}, "", "a deployment would be refused: staging verified"},
		"accepted":                        {change: func(w *world) { w.AcceptDigest = true }, note: "it is " + digest("v1.5.0") + ", as staging says"},
		"accepted, what the tag was, too": {change: func(w *world) { w.AcceptDigest = true; w.mislabel("pr-17") }, note: "it is " + digest("v1.5.0")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(promotion.Deploy, "core").upstream("v1.5.0")
			if test.change != nil {
				test.change(w)
			}
			choices, err := promotion.Choose(w.Request)
			if err != nil {
				t.Fatal(err)
			}
			if asked := w.Unvouched(choices[0]); asked != (test.tagged != nil) {
				t.Fatalf("the registry is asked: %v", asked)
			}
			choices[0].Tagged = test.tagged
			plan, err := promotion.New(w.Request, choices)
			refusal := (*promotion.Refusal)(nil)
			if test.says != "" {
				if !errors.As(err, &refusal) || refusal.Gate != "digest" || !strings.HasPrefix(err.Error(), test.says) || !strings.Contains(refusal.Advice, "core@") {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err != nil || test.note != "" && (len(plan.Notes) == 0 || !strings.HasPrefix(plan.Notes[0].Text, test.note)) {
				t.Fatalf("notes %v, %v", plan.Notes, err)
			}
			if len(plan.Moves) > 0 && plan.Moves[0].To.Digest != digest("v1.5.0") || plan.AcceptDigest != w.AcceptDigest {
				t.Errorf("plan %+v", plan)
			}
		})
	}
}

// mislabel has staging call its releases by another tag.
func (w *world) mislabel(tag string) {
	up, _ := w.Upstream.Service("core")
	for i := range up.Marks {
		up.Marks[i].Release.Tag = tag
	}
}
