package promotion_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"promote/compose"
	"promote/internal/promotion"
	"promote/registry"
	"promote/semver"
)

var now = time.Date(2026, 11, 21, 6, 12, 3, 0, time.UTC)

// digest is the one of a version in these tests.
func digest(version string) string {
	return "sha256:" + strings.Repeat(strings.NewReplacer("v", "", ".", "").Replace(version), 64)[:64]
}

func release(service, version string) registry.Release {
	return registry.Release{Repository: "aegee/" + service, Tag: version, Version: semver.MustParse(version), Digest: digest(version)}
}

// world is an environment, prod, of core and mailer, as a test wants it.
type world struct{ promotion.Request }

// newWorld has both services on v1.4.2, deployed, verified and up, and v1.4.2 published.
func newWorld(kind promotion.Kind, wants ...string) *world {
	w := &world{promotion.Request{
		Kind: kind, ID: "20261121-061203-k7f", By: "ada@laptop",
		Target: promotion.Target{
			Environment: "prod", Project: "/srv/shop", Engine: promotion.EngineCompose,
			Rollout: promotion.Rollout{Strategy: promotion.Auto},
		},
		State:     promotion.State{Environment: "prod", Project: "shop", Now: now},
		Published: map[string][]registry.TaggedVersion{},
	}}
	for i, name := range []string{"core", "mailer"} {
		w.Target.Services = append(w.Target.Services, promotion.Service{Name: name, Image: "aegee/" + name, Runs: []string{name}})
		w.State.Services = append(w.State.Services, promotion.ServiceState{
			Service: name, Image: "aegee/" + name,
			Parts: []promotion.Part{{Compose: compose.Service{
				Name: name, Repository: "aegee/" + name, Replicas: 1,
				Place: compose.Place{File: "/srv/shop/compose.yaml", Line: 3 + 4*i, Column: 12, Services: []string{name}},
			}}},
		})
		w.ran(name, "v1.4.2", "d0").publish(name, "v1.4.2").on(name, "v1.4.2")
	}
	for _, text := range wants {
		want, err := promotion.ParseWant(text)
		if err != nil {
			panic(err)
		}
		w.Wanted = append(w.Wanted, want)
	}
	return w
}

func (w *world) service(name string) *promotion.ServiceState {
	i := slices.IndexFunc(w.State.Services, func(s promotion.ServiceState) bool { return s.Service == name })
	return &w.State.Services[i]
}

// on has the file and a healthy container say a version.
func (w *world) on(name, version string) *world {
	part := &w.service(name).Parts[0]
	part.Compose.Pin = compose.Pin{Tag: version}
	part.Compose.Image = part.Compose.Pin.Join("aegee/" + name)
	part.Containers = []promotion.Container{{ID: name + "-" + version, Name: "shop-" + name + "-1", Image: part.Compose.Image, Digest: digest(version), State: "running", Health: "healthy"}}
	return w
}

func (w *world) mark(m promotion.Mark) *world {
	s := w.service(m.Service)
	m.By, m.At = "ada@laptop", now.Add(time.Duration(len(s.Marks)-100)*time.Minute)
	s.Marks = append(s.Marks, m)
	return w
}

// ran is a deployment that ended well.
func (w *world) ran(name, version, deployment string) *world {
	w.mark(promotion.Mark{Service: name, Kind: promotion.Running, Release: release(name, version), Deployment: deployment})
	w.mark(promotion.Mark{Service: name, Kind: promotion.Verified, Release: release(name, version), Deployment: deployment})
	return w.on(name, version)
}

func (w *world) bad(name, version string) *world {
	return w.mark(promotion.Mark{Service: name, Kind: promotion.Bad, Release: release(name, version), Reason: "login 500"})
}

func (w *world) held(name, at, left string, keep bool) *world {
	return w.mark(promotion.Mark{Service: name, Kind: promotion.Held, Release: release(name, at), Left: release(name, left), Keep: keep})
}

func (w *world) publish(name, version string) *world {
	w.Published[name] = append(w.Published[name], registry.TaggedVersion{Version: semver.MustParse(version), Tag: version})
	return w
}

// plan is what the client does: choose, resolve digests, make the plan.
func (w *world) plan() (promotion.Plan, error) {
	choices, err := promotion.Choose(w.Request)
	if err != nil {
		return promotion.Plan{}, err
	}
	for i, c := range choices {
		if c.Skip == "" && c.Release.Digest == "" {
			choices[i].Release.Digest = digest(c.Release.Tag)
		}
		choices[i].Tagged = &promotion.Tagged{Digest: choices[i].Release.Digest}
	}
	return promotion.New(w.Request, choices)
}

// planned wants a plan with these moves, or a refusal that begins so.
func (w *world) planned(t *testing.T, want string) (plan promotion.Plan, refused bool) {
	t.Helper()
	plan, err := w.plan()
	if err != nil {
		if want == "" || !strings.HasPrefix(err.Error(), want) {
			t.Fatalf("refused: %v\nwant %s", err, want)
		}
		return plan, true
	}
	if got := moves(plan); got != want {
		t.Errorf("it moves %q, want %q", got, want)
	}
	return plan, false
}

// TestPlan: each row is a case of what is where, and what somebody asks for.
func TestPlan(t *testing.T) {
	tests := map[string]struct {
		world   *world
		want    string // moves, as service@version; or what a refusal begins with
		skipped string
	}{
		"nothing to do":                    {world: newWorld(promotion.Deploy), want: ""},
		"the newest":                       {world: newWorld(promotion.Deploy).publish("core", "v1.5.0").publish("core", "v1.4.9"), want: "core@v1.5.0"},
		"never a prerelease":               {world: newWorld(promotion.Deploy).publish("core", "v2.0.0-rc.1"), want: ""},
		"a prerelease by name":             {world: newWorld(promotion.Deploy, "core@v2.0.0-rc.1").publish("core", "v2.0.0-rc.1"), want: "core@v2.0.0-rc.1"},
		"only what is named":               {world: newWorld(promotion.Deploy, "core").publish("core", "v1.5.0").publish("mailer", "v1.5.0"), want: "core@v1.5.0"},
		"not published":                    {world: newWorld(promotion.Deploy, "core@v9.0.0"), want: "core: v9.0.0 is not published as aegee/core"},
		"unknown service":                  {world: newWorld(promotion.Deploy, "cor"), want: `no service "cor" in prod; there are core, mailer`},
		"a lower version":                  {world: newWorld(promotion.Deploy, "core@v1.3.0").publish("core", "v1.3.0"), want: "core: v1.3.0 is older than v1.4.2"},
		"bad":                              {world: newWorld(promotion.Deploy, "core").publish("core", "v1.5.0").bad("core", "v1.5.0"), want: "core: v1.5.0 is bad in prod since 2026-11-21"},
		"bad, not named":                   {world: newWorld(promotion.Deploy).publish("core", "v1.5.0").bad("core", "v1.5.0").publish("mailer", "v1.5.0"), want: "mailer@v1.5.0", skipped: "core"},
		"all are refused":                  {world: newWorld(promotion.Deploy).publish("core", "v1.5.0").bad("core", "v1.5.0").publish("mailer", "v1.5.0").bad("mailer", "v1.5.0"), want: "core: v1.5.0 is bad"},
		"held":                             {world: newWorld(promotion.Deploy, "core").publish("core", "v1.5.0").held("core", "v1.4.2", "v1.5.0", false), want: "core: held at v1.4.2 since 2026-11-21"},
		"held, not named":                  {world: newWorld(promotion.Deploy).publish("core", "v1.5.0").held("core", "v1.4.2", "v1.5.0", false).publish("mailer", "v1.5.0"), want: "mailer@v1.5.0", skipped: "core"},
		"a hotfix ends the hold":           {world: newWorld(promotion.Deploy, "core").publish("core", "v1.5.1").held("core", "v1.4.2", "v1.5.0", false), want: "core@v1.5.1"},
		"a hotfix doesn't end --keep":      {world: newWorld(promotion.Deploy, "core").publish("core", "v1.5.1").held("core", "v1.4.2", "v1.5.0", true), want: "core: held at v1.4.2"},
		"an older hotfix by name":          {world: newWorld(promotion.Deploy, "core@v1.4.3").publish("core", "v1.4.3").held("core", "v1.4.2", "v1.5.0", false), want: "core@v1.4.3"},
		"pin":                              {world: newWorld(promotion.Pin, "core@v1.3.0").publish("core", "v1.3.0"), want: "core@v1.3.0"},
		"pin to a tag that is no version":  {world: newWorld(promotion.Pin, "core@abc123"), want: "core@abc123"},
		"pin to what?":                     {world: newWorld(promotion.Pin, "core"), want: "core: pin to which version?"},
		"pin to a bad one":                 {world: newWorld(promotion.Pin, "core@v1.3.0").publish("core", "v1.3.0").bad("core", "v1.3.0"), want: "core: v1.3.0 is bad in prod"},
		"rollback":                         {world: newWorld(promotion.Rollback, "core").ran("core", "v1.5.0", "d1"), want: "core@v1.4.2"},
		"rollback over a bad one":          {world: newWorld(promotion.Rollback, "core").ran("core", "v1.5.0", "d1").ran("core", "v1.6.0", "d2").bad("core", "v1.5.0"), want: "core@v1.4.2"},
		"rolled back twice":                {world: newWorld(promotion.Rollback, "core").ran("core", "v1.5.0", "d1").ran("core", "v1.6.0", "d2").bad("core", "v1.6.0").ran("core", "v1.5.0", "d3"), want: "core@v1.4.2"},
		"rollback never goes forward":      {world: newWorld(promotion.Rollback, "core").ran("core", "v1.5.0", "d1").ran("core", "v1.4.2", "d2"), want: "core: nothing older than v1.4.2 was good in prod"},
		"nothing good before":              {world: newWorld(promotion.Rollback, "core"), want: "core: nothing older than v1.4.2 was good in prod"},
		"the whole environment":            {world: newWorld(promotion.Rollback).ran("core", "v1.5.0", "d1").ran("mailer", "v1.5.0", "d1"), want: "core@v1.4.2 mailer@v1.4.2"},
		"only what was deployed last":      {world: newWorld(promotion.Rollback).ran("core", "v1.5.0", "d1").ran("mailer", "v1.5.0", "d2"), want: "mailer@v1.4.2"},
		"drift of the file":                {world: newWorld(promotion.Deploy).publish("core", "v1.5.0").on("core", "v1.0.0"), want: "core: the file says v1.0.0, the history v1.4.2"},
		"a digest that nobody deployed":    {world: newWorld(promotion.Deploy, "core").other("core"), want: "core: container shop-core-1 runs aegee/core:v1.4.2 as sha256:999999999999"},
		"a container of another version":   {world: newWorld(promotion.Deploy, "core").strange("core"), want: "core: container shop-core-1 runs aegee/core:v0, the file says aegee/core:v1.4.2"},
		"down, on the right version":       {world: newWorld(promotion.Deploy, "core").down("core"), want: "core@v1.4.2"},
		"not in the files":                 {world: newWorld(promotion.Deploy, "core").absent("core"), want: "core: the compose files of prod don't run it"},
		"the place decides another, too":   {world: newWorld(promotion.Deploy, "core").publish("core", "v1.5.0").shared(), want: "core: /srv/shop/compose.yaml:3 also decides the version of mailer"},
		"upstream: nothing there":          {world: newWorld(promotion.Deploy, "core").upstream(), want: "core: nothing is verified in staging yet"},
		"upstream: what it verified":       {world: newWorld(promotion.Deploy, "core").upstream("v1.5.0"), want: "core@v1.5.0"},
		"upstream: the last not bad":       {world: newWorld(promotion.Deploy, "core").upstream("v1.5.0", "v1.6.0", "bad v1.6.0"), want: "core@v1.5.0"},
		"upstream: by name, not there":     {world: newWorld(promotion.Deploy, "core@v1.7.0").upstream("v1.5.0").publish("core", "v1.7.0"), want: "core: v1.7.0 was not verified in staging"},
		"upstream: pin goes all the same":  {world: newWorld(promotion.Pin, "core@v1.3.0").upstream("v1.5.0").publish("core", "v1.3.0"), want: "core@v1.3.0"},
		"upstream: rollback needs nothing": {world: newWorld(promotion.Rollback, "core").upstream().ran("core", "v1.5.0", "d1"), want: "core@v1.4.2"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			plan, refused := test.world.planned(t, test.want)
			if refused {
				return
			}
			var skipped []string
			for _, s := range plan.Skipped {
				skipped = append(skipped, s.Service)
			}
			if strings.Join(skipped, " ") != test.skipped {
				t.Errorf("left out: %v, want %s", skipped, test.skipped)
			}
		})
	}
}

func moves(p promotion.Plan) string {
	var list []string
	for _, m := range p.Moves {
		list = append(list, m.Service+"@"+m.To.Tag)
	}
	return strings.Join(list, " ")
}

func (w *world) other(name string) *world {
	w.service(name).Parts[0].Containers[0].Digest = digest("v9.9.9")
	return w
}

func (w *world) strange(name string) *world {
	w.service(name).Parts[0].Containers[0].Image = "aegee/" + name + ":v0"
	return w
}

func (w *world) down(name string) *world {
	c := &w.service(name).Parts[0].Containers[0]
	c.State, c.ExitCode = "exited", 1
	return w
}

func (w *world) absent(name string) *world {
	w.service(name).Absent = true
	return w
}

func (w *world) shared() *world {
	w.service("core").Parts[0].Compose.Place.Services = []string{"core", "mailer"}
	return w
}

// upstream adds a staging that verified these versions of core, and marked some bad.
func (w *world) upstream(versions ...string) *world {
	up := newWorld(promotion.Deploy)
	up.State.Environment = "staging"
	up.service("core").Marks = nil
	for _, version := range versions {
		if bad, found := strings.CutPrefix(version, "bad "); found {
			up.bad("core", bad)
			continue
		}
		up.ran("core", version, "u-"+version)
	}
	w.Upstream = &up.State
	return w
}

// TestUpstreamDigest: production gets what staging proved, whatever the tag says today.
func TestUpstreamDigest(t *testing.T) {
	w := newWorld(promotion.Deploy, "core").upstream("v1.5.0")
	proven := "sha256:" + strings.Repeat("c", 64)
	for i := range w.Upstream.Services[0].Marks {
		w.Upstream.Services[0].Marks[i].Release.Digest = proven
	}
	plan, err := w.plan()
	if err != nil {
		t.Fatal(err)
	}
	if got := plan.Moves[0].To.Digest; got != proven {
		t.Errorf("it takes %s", got)
	}
}

// TestMarks: what the history will say is decided with the plan.
func TestMarks(t *testing.T) {
	kinds := func(w *world) string {
		plan, err := w.plan()
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, m := range plan.Marks {
			list = append(list, string(m.Kind)+" "+promotion.Label(m.Release))
		}
		return strings.Join(list, ", ")
	}
	again := newWorld(promotion.Deploy, "core").publish("core", "v1.5.0").bad("core", "v1.5.0")
	again.Again = true
	first := newWorld(promotion.Deploy, "core").publish("core", "v1.5.0")
	first.service("core").Marks = nil
	for want, w := range map[string]*world{
		"running v1.5.0":                          newWorld(promotion.Deploy, "core").publish("core", "v1.5.0"),
		"running v1.4.2, running v1.5.0":          first,
		"running v1.5.0, cleared v1.5.0":          again,
		"running v1.5.1, freed v1.5.1":            newWorld(promotion.Deploy, "core").publish("core", "v1.5.1").held("core", "v1.4.2", "v1.5.0", false),
		"running v1.4.2, bad v1.5.0, held v1.4.2": newWorld(promotion.Rollback, "core").ran("core", "v1.5.0", "d1"),
		"running v1.3.0, held v1.3.0":             newWorld(promotion.Pin, "core@v1.3.0").publish("core", "v1.3.0"),
		"held v1.4.2":                             newWorld(promotion.Pin, "core@v1.4.2"),
		"":                                        newWorld(promotion.Deploy),
	} {
		if got := kinds(w); got != want {
			t.Errorf("marks are %q, want %q", got, want)
		}
	}
}

// TestStrategy: two copies where the compose file allows them, and the reason where it doesn't.
func TestStrategy(t *testing.T) {
	for want, change := range map[string]func(*compose.Service){
		"start-first: no request lost":                                                        func(*compose.Service) {},
		"recreate: gap while it restarts, because port 80/tcp is published":                   func(s *compose.Service) { s.Ports = []string{"80/tcp"} },
		"recreate: gap while it restarts, because container_name is set":                      func(s *compose.Service) { s.ContainerName = "core" },
		"recreate: gap while it restarts, because it has a static address":                    func(s *compose.Service) { s.StaticAddress = true },
		"recreate: gap while it restarts, because it is on the host's network":                func(s *compose.Service) { s.NetworkMode = "host" },
		"recreate: gap while it restarts, because it shares a namespace with another service": func(s *compose.Service) { s.SharedNamespace = true },
		"recreate: gap while it restarts, because update_config says stop-first":              func(s *compose.Service) { s.Update.Order = "stop-first" },
		"recreate: gap while it restarts, because it writes to /data":                         func(s *compose.Service) { s.WritableVolumes = []string{"/data"} },
		"recreate: gap while it restarts, because it writes to /a, /b":                        func(s *compose.Service) { s.WritableVolumes = []string{"/a", "/b"} },
		"recreate: gap while it restarts, because port 80, 443 is published":                  func(s *compose.Service) { s.Ports = []string{"80", "443"} },
	} {
		w := newWorld(promotion.Deploy, "core").publish("core", "v1.5.0")
		change(&w.service("core").Parts[0].Compose)
		plan, err := w.plan()
		if err != nil {
			t.Fatal(err)
		}
		roll := plan.Moves[0].Rolls[0]
		if got := roll.Strategy + ": " + roll.Why; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	for name, set := range map[string]func(*world, *promotion.Part){
		"recreate: nothing runs yet": func(_ *world, p *promotion.Part) { p.Containers = nil },
		"recreate: gap while it restarts, because the configuration says recreate":            func(w *world, _ *promotion.Part) { w.Target.Rollout.Strategy = promotion.Recreate },
		"recreate: gap while it restarts, because it shares a namespace with another service": func(_ *world, p *promotion.Part) { p.Compose.NetworkMode = "service:vpn" },
		"start-first: no request lost": func(w *world, p *promotion.Part) {
			w.Target.Rollout.Strategy = promotion.StartFirst
			p.Compose.Replicas, p.Compose.WritableVolumes = 2, []string{"/data"} // several write there already
		},
	} {
		w := newWorld(promotion.Deploy, "core").publish("core", "v1.5.0")
		set(w, &w.service("core").Parts[0])
		plan, err := w.plan()
		if err != nil {
			t.Fatal(err)
		}
		if roll := plan.Moves[0].Rolls[0]; roll.Strategy+": "+roll.Why != name {
			t.Errorf("got  %s: %s\nwant %s", roll.Strategy, roll.Why, name)
		}
	}
	w := newWorld(promotion.Deploy, "core").publish("core", "v1.5.0")
	w.Target.Rollout.Strategy = promotion.StartFirst
	w.service("core").Parts[0].Compose.Ports = []string{"80/tcp"}
	var refusal *promotion.Refusal
	if _, err := w.plan(); !errors.As(err, &refusal) || !strings.Contains(refusal.Reason, "impossible, because port 80/tcp") {
		t.Errorf("an impossible start-first: %v", err)
	}
}

// TestOrder: after: holds forward, and turned around on the way back; a circle is an error.
func TestOrder(t *testing.T) {
	w := newWorld(promotion.Deploy).publish("core", "v1.5.0").publish("mailer", "v1.5.0")
	w.Target.Services[0].After = []string{"mailer"}
	if plan, err := w.plan(); err != nil || moves(plan) != "mailer@v1.5.0 core@v1.5.0" {
		t.Errorf("%s %v", moves(plan), err)
	}
	w.Target.Services[1].After = []string{"core"}
	if _, err := w.plan(); err == nil || !strings.Contains(err.Error(), "wait for each other") {
		t.Errorf("a circle: %v", err)
	}
}

// TestWaves: what does not wait for each other is of one wave, after: and depends_on make the next.
func TestWaves(t *testing.T) {
	waves := func(w *world) string {
		plan, err := w.plan()
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for _, step := range plan.Steps {
			if step.Kind == promotion.RollStep {
				text += fmt.Sprintf(" %s %d", step.Service, step.Wave)
			}
		}
		return text
	}
	newer := func() *world { return newWorld(promotion.Deploy).publish("core", "v1.5.0").publish("mailer", "v1.5.0") }
	if got := waves(newer()); got != " core 0 mailer 0" {
		t.Errorf("independent: %s", got)
	}
	w := newer()
	w.service("core").Parts[0].Compose.DependsOn = []string{"mailer"}
	if got := waves(w); got != " mailer 0 core 1" {
		t.Errorf("depends_on: %s", got)
	}
}

// TestUntil: a hold ends by itself.
func TestUntil(t *testing.T) {
	w := newWorld(promotion.Deploy, "core").publish("core", "v1.5.0")
	w.mark(promotion.Mark{Service: "core", Kind: promotion.Held, Release: release("core", "v1.4.2"), Left: release("core", "v1.5.0"), Keep: true, Until: now.Add(time.Hour)})
	if _, err := w.plan(); err == nil || !strings.Contains(err.Error(), "until 2026-11-21 07:12 UTC") {
		t.Errorf("before: %v", err)
	}
	w.State.Now = now.Add(time.Hour)
	if plan, err := w.plan(); err != nil || moves(plan) != "core@v1.5.0" {
		t.Errorf("after: %s %v", moves(plan), err)
	}
}

func TestParseWant(t *testing.T) {
	for text, want := range map[string]promotion.Want{
		"core": {Service: "core"}, "core@v1.4.2": {Service: "core", Version: semver.MustParse("v1.4.2")},
		"core@1.4.2": {Service: "core", Version: semver.MustParse("v1.4.2")}, "core@abc": {Service: "core", Tag: "abc"},
	} {
		if got, err := promotion.ParseWant(text); err != nil || got != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "@v1", "core@", "core@-x", "core@a b"} {
		if got, err := promotion.ParseWant(text); err == nil {
			t.Errorf("%q was taken, as %v", text, got)
		}
	}
}
