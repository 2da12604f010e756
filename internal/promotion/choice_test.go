package promotion_test

import (
	"errors"
	"strings"
	"testing"

	"promote/compose"
	"promote/internal/promotion"
	"promote/registry"
	"promote/semver"
)

// with changes a world where no helper of its own is worth it.
func (w *world) with(change func(*world)) *world {
	change(w)
	return w
}

// ranTag is a deployment of a tag that is not a version.
func (w *world) ranTag(name, tag, deployment string) *world {
	r := registry.Release{Repository: "aegee/" + name, Tag: tag, Digest: digest("v7.7." + tag[1:])}
	w.mark(promotion.Mark{Service: name, Kind: promotion.Running, Release: r, Deployment: deployment}).on(name, tag)
	w.service(name).Parts[0].Containers[0].Digest = r.Digest
	return w
}

// worker gives a service a second compose service.
func (w *world) worker(name string) *world {
	s := w.service(name)
	part := s.Parts[0]
	part.Compose.Name += "-worker"
	part.Compose.Place.Line += 100
	part.Compose.Place.Services = []string{part.Compose.Name}
	part.Containers = []promotion.Container{part.Containers[0]}
	part.Containers[0].ID += "-worker"
	s.Parts = append(s.Parts, part)
	return w
}

func (w *world) again() *world       { w.Again = true; return w }
func (w *world) acceptDrift() *world { w.AcceptDrift = true; return w }
func (w *world) downgrade() *world   { w.Downgrade = true; return w }

// accept has plain deploy choose from a range only.
func (w *world) accept(text string) *world {
	r, err := semver.ParseRange(text)
	if err != nil {
		panic(err)
	}
	w.Target.Accept = r
	return w
}

// TestChoice has the corners of choosing: holds that end or don't, what environments accept, drift.
func TestChoice(t *testing.T) {
	deploy := func(wants ...string) *world { return newWorld(promotion.Deploy, wants...) }
	pin := func(wants ...string) *world { return newWorld(promotion.Pin, wants...) }
	back := func(wants ...string) *world { return newWorld(promotion.Rollback, wants...) }
	published := func(w *world) *world { return w.publish("core", "v1.3.0").publish("core", "v1.5.0") }
	tests := map[string]struct {
		world *world
		want  string // moves; or "refused: " and what the refusal begins with
		exit  bool   // a refusal, as opposed to a mistake
	}{
		"named twice":                       {deploy("core", "core@v1.4.2"), "refused: core is named twice", false},
		"the order of naming":               {deploy("mailer@v1.5.0", "core@v1.5.0").publish("core", "v1.5.0").publish("mailer", "v1.5.0"), "core@v1.5.0 mailer@v1.5.0", false},
		"both are refused, both are told":   {deploy("core@v9.0.0", "mailer@v9.0.0"), "refused: core: v9.0.0 is not published as aegee/core; the newest is v1.4.2\nmailer: v9.0.0", false},
		"a lower version on purpose":        {published(deploy("core@v1.3.0")).downgrade(), "core@v1.3.0", false},
		"bad, on purpose":                   {published(deploy("core")).bad("core", "v1.5.0").again(), "core@v1.5.0", false},
		"bad, and blocked no more":          {published(deploy("core")).bad("core", "v1.5.0").with(cleared), "core@v1.5.0", false},
		"bad under another name":            {published(deploy("core@v1.5.0")).with(badDigest), "core@v1.5.0", false},
		"accept: a range":                   {published(deploy("core")).publish("core", "v2.0.0").accept("<2.0.0"), "core@v1.5.0", false},
		"accept: a prerelease":              {deploy("core").publish("core", "v2.0.0-rc.9").publish("core", "v2.0.0-rc.10").accept(">=1.0.0-0"), "core@v2.0.0-rc.10", false},
		"accept: nothing":                   {published(deploy("core")).accept(">=3.0.0"), "refused: core: no published version of aegee/core that prod accepts", true},
		"held, on purpose":                  {published(deploy("core")).held("core", "v1.4.2", "v1.5.0", true).again(), "core@v1.5.0", false},
		"held, the left one by name":        {published(deploy("core@v1.5.0")).held("core", "v1.4.2", "v1.5.0", false), "refused: core: held at v1.4.2", true},
		"held, --keep, a hotfix by name":    {deploy("core@v1.4.3").publish("core", "v1.4.3").held("core", "v1.4.2", "v1.5.0", true), "refused: core: held at v1.4.2", true},
		"held, what is held by name":        {published(deploy("core@v1.4.2")).held("core", "v1.4.2", "v1.5.0", true), "", false},
		"held ahead, nothing newer":         {deploy("core").held("core", "v1.4.2", "v1.3.0", false), "", false},
		"held ahead, something between":     {deploy("core@v1.4.0").publish("core", "v1.4.0").held("core", "v1.4.2", "v1.3.0", false), "refused: core: held at v1.4.2 since 2026-11-21 04:34 UTC by ada@laptop; ends when something newer than v1.4.2 is published", true},
		"pin what ran, without a registry":  {pin("core@v1.3.0").ran("core", "v1.3.0", "d1").ran("core", "v1.5.0", "d2").with(unpublished), "core@v1.3.0", false},
		"pin what nobody knows":             {pin("core@v9.0.0"), "refused: core: v9.0.0 is not published", false},
		"pin a bad one on purpose":          {published(pin("core@v1.3.0")).bad("core", "v1.3.0").again(), "core@v1.3.0", false},
		"pin a prerelease":                  {pin("core@v2.0.0-rc.1").publish("core", "v2.0.0-rc.1"), "core@v2.0.0-rc.1", false},
		"pin a tag that ran":                {pin("core@t1").ranTag("core", "t1", "d1").ran("core", "v1.5.0", "d2").with(unpublished), "core@t1", false},
		"pin through a hold":                {published(pin("core@v1.3.0")).held("core", "v1.4.2", "v1.5.0", true), "core@v1.3.0", false},
		"back through a hold":               {back("core").ran("core", "v1.5.0", "d1").held("core", "v1.5.0", "v1.4.2", true), "core@v1.4.2", false},
		"back over tags":                    {back("core").ranTag("core", "t1", "d1").ranTag("core", "t2", "d2"), "core@t1", false},
		"back with nothing deployed":        {back().with(noMarks), "refused: nothing was deployed to prod yet", true},
		"back from a first deployment":      {back("core").with(noMarks).ran("core", "v1.5.0", "d1"), "refused: core: nothing older than v1.5.0 was good in prod", true},
		"back, everything before is bad":    {back("core").ran("core", "v1.5.0", "d1").bad("core", "v1.4.2"), "refused: core: nothing older than v1.5.0", true},
		"back, one has nothing before":      {back().ran("core", "v1.5.0", "d1").with(newMailer), "core@v1.4.2", false},
		"back, workers go along":            {back("core").ran("core", "v1.5.0", "d1").worker("core"), "core@v1.4.2", false},
		"drift stops the rest, too":         {published(deploy()).on("mailer", "v1.0.0"), "refused: mailer: the file says v1.0.0, the history v1.4.2", true},
		"drift, accepted":                   {published(deploy("core")).on("core", "v1.4.0").acceptDrift(), "core@v1.5.0", false},
		"drift, accepted, back":             {back("core").ran("core", "v1.5.0", "d1").on("core", "v1.6.0").acceptDrift(), "core@v1.5.0", false},
		"drift of one half":                 {deploy("core").worker("core").with(halfPinned), "refused: core: core is on v1.4.2, core-worker on v1.0.0 in the files", true},
		"a problem of the file":             {deploy("core").with(problem), "refused: compose.yaml:3:5: service core: nested default", false},
		"upstream: rc is not for prod":      {deploy("core").upstream("v1.5.0", "v1.6.0-rc.1"), "core@v1.5.0", false},
		"upstream: rc by name":              {deploy("core@v1.6.0-rc.1").upstream("v1.5.0", "v1.6.0-rc.1"), "core@v1.6.0-rc.1", false},
		"upstream: rc only":                 {deploy("core").upstream("v1.6.0-rc.1"), "refused: core: nothing that prod accepts is verified and not bad in staging", true},
		"upstream: rc that prod accepts":    {deploy("core").upstream("v1.6.0-rc.1").accept(">=1.0.0-0"), "core@v1.6.0-rc.1", false},
		"upstream: bad there, by name":      {deploy("core@v1.5.0").upstream("v1.5.0", "bad v1.5.0"), "refused: core: v1.5.0 was not verified in staging", true},
		"upstream: bad here":                {deploy("core").upstream("v1.5.0").bad("core", "v1.5.0"), "refused: core: v1.5.0 is bad in prod", true},
		"upstream: older than here":         {deploy("core").upstream("v1.3.0"), "refused: core: v1.3.0 is older than v1.4.2", true},
		"upstream: ran, but not verified":   {deploy("core").upstream("v1.5.0").with(unverified), "refused: core: nothing is verified in staging yet", true},
		"upstream: the same is here":        {deploy("core").upstream("v1.4.2"), "", false},
		"files only: nothing has to run":    {deploy("core").with(func(w *world) { w.Target.Engine = promotion.EngineNone; w.service("core").Parts[0].Containers = nil }), "", false},
		"files only: a version that is new": {published(deploy("core")).with(func(w *world) { w.Target.Engine = promotion.EngineNone; w.service("core").Parts[0].Containers = nil }), "core@v1.5.0", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			plan, err := test.world.plan()
			got := moves(plan)
			if err != nil {
				got = "refused: " + err.Error()
			}
			if got != test.want && (err == nil || !strings.HasPrefix(got, test.want) || test.want == "") {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			var refusal *promotion.Refusal
			if errors.As(err, &refusal) != test.exit || test.exit && refusal.Hint() == "" {
				t.Errorf("a refusal with advice is wanted: %v; got %#v", test.exit, err)
			}
		})
	}
}

func cleared(w *world) {
	w.mark(promotion.Mark{Service: "core", Kind: promotion.Cleared, Release: release("core", "v1.5.0")})
}

// badDigest marks another release bad that has nothing in common with v1.5.0 but its tag's letters.
func badDigest(w *world) {
	w.mark(promotion.Mark{Service: "core", Kind: promotion.Bad, Release: registry.Release{Repository: "aegee/core", Tag: "1.5", Digest: digest("v3.3.3")}})
}
func unpublished(w *world) { w.Published = nil }
func noMarks(w *world) {
	for i := range w.State.Services {
		w.State.Services[i].Marks = nil
	}
}

// newMailer has mailer come with the deployment that core was moved in.
func newMailer(w *world) {
	w.service("mailer").Marks = nil
	w.ran("mailer", "v1.5.0", "d1")
}
func halfPinned(w *world) {
	part := &w.service("core").Parts[1]
	part.Compose.Pin.Tag, part.Compose.Image, part.Containers[0].Image = "v1.0.0", "aegee/core:v1.0.0", "aegee/core:v1.0.0"
}
func problem(w *world) {
	w.service("core").Problem = "compose.yaml:3:5: service core: nested default"
}
func unverified(w *world) {
	s := &w.Upstream.Services[0]
	s.Marks = s.Marks[:1]
}

// TestPinAhead: a pin holds against what was published before it, whatever the service was on.
func TestPinAhead(t *testing.T) {
	for name, w := range map[string]*world{
		"registry": newWorld(promotion.Pin, "core@v1.5.0").publish("core", "v1.5.0").publish("core", "v1.6.0"),
		"upstream": newWorld(promotion.Pin, "core@v1.5.0").publish("core", "v1.5.0").upstream("v1.5.0", "v1.6.0"),
	} {
		plan, err := w.plan()
		if err != nil {
			t.Fatal(err)
		}
		w.ran("core", "v1.5.0", "d1")
		w.mark(plan.Marks[len(plan.Marks)-1])
		w.Kind, w.Wanted = promotion.Deploy, []promotion.Want{{Service: "core"}}
		if plan, err = w.plan(); err == nil || !strings.Contains(err.Error(), "something newer than v1.6.0") {
			t.Errorf("%s: the pin didn't hold: %s %v", name, moves(plan), err)
		}
	}
}

// TestDigestOnly: a file that names images by digest is never left without one.
func TestDigestOnly(t *testing.T) {
	w := newWorld(promotion.Rollback, "core").ran("core", "v1.5.0", "d1")
	part := &w.service("core").Parts[0]
	part.Compose.Pin = compose.Pin{Digest: digest("v1.5.0")}
	part.Compose.Image = part.Compose.Pin.Join("aegee/core")
	part.Containers[0].Image = part.Compose.Image
	plan, err := w.plan()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := plan.Moves[0].Rolls[0].Changes[0].To, (compose.Pin{Digest: digest("v1.4.2")}); got != want {
		t.Errorf("it writes %v, want %v", got, want)
	}
	choices, err := promotion.Choose(w.Request)
	if err != nil {
		t.Fatal(err)
	}
	choices[0].Release.Digest = ""
	if plan, err := promotion.New(w.Request, choices); err == nil {
		t.Errorf("it writes %v", plan.Changes())
	}
}

// TestPins: how a release is written follows how the one before was, and what the environment asks.
func TestPins(t *testing.T) {
	proven := digest("v1.5.0")
	for name, test := range map[string]struct {
		now     compose.Pin
		digests bool
		want    compose.Pin
	}{
		"a tag":                {compose.Pin{Tag: "v1.4.2"}, false, compose.Pin{Tag: "v1.5.0"}},
		"no tag":               {compose.Pin{}, false, compose.Pin{Tag: "v1.5.0"}},
		"a tag and a digest":   {compose.Pin{Tag: "v1.4.2", Digest: digest("v1.4.2")}, false, compose.Pin{Tag: "v1.5.0", Digest: proven}},
		"digests are asked":    {compose.Pin{Tag: "v1.4.2"}, true, compose.Pin{Tag: "v1.5.0", Digest: proven}},
		"a digest alone stays": {compose.Pin{Digest: digest("v1.4.2")}, true, compose.Pin{Digest: proven}},
	} {
		w := newWorld(promotion.Deploy, "core").publish("core", "v1.5.0").acceptDrift()
		w.Target.Digests = test.digests
		w.service("core").Parts[0].Compose.Pin = test.now
		plan, err := w.plan()
		if err != nil {
			t.Fatal(err)
		}
		if got := plan.Moves[0].Rolls[0].Changes[0]; got.To != test.want || got.From != test.now {
			t.Errorf("%s: it writes %v for %v, want %v", name, got.To, got.From, test.want)
		}
	}
}

// TestLookups: only what isn't known already is asked of the registry; going back asks for nothing.
func TestLookups(t *testing.T) {
	for _, test := range []struct {
		world *world
		want  string
	}{
		{newWorld(promotion.Deploy), "core mailer"},
		{newWorld(promotion.Deploy, "mailer"), "mailer"},
		{newWorld(promotion.Deploy).upstream("v1.5.0"), ""},
		{newWorld(promotion.Pin, "core@v1.3.0"), "core"},
		{newWorld(promotion.Pin, "core@v1.4.2"), ""},
		{newWorld(promotion.Rollback), ""},
		{newWorld(promotion.Rollback, "core"), ""},
	} {
		if got := strings.Join(promotion.Lookups(test.world.Request), " "); got != test.want {
			t.Errorf("%s %v asks for %q, want %q", test.world.Kind, test.world.Wanted, got, test.want)
		}
	}
}
