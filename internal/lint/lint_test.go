package lint_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"promote/compose"
	"promote/internal/lint"
	"promote/internal/promotion"
	"promote/semver"
)

// core is a compose service that nothing can be said about: moved, placed, checked, restarted.
func core(t *testing.T) lint.Service {
	return lint.Service{
		Service: compose.Service{
			Name: "core", Image: "shop/core:v1.4.2", Repository: "shop/core", Pin: compose.Pin{Tag: "v1.4.2"}, Replicas: 1, HealthCheck: true, Restart: "always",
			Place: compose.Place{File: "/srv/compose.yaml", Line: 3, Column: 22, In: "image", Services: []string{"core"}},
		},
		At: compose.Place{File: "/srv/compose.yaml", Line: 2, Column: 3}, Keys: map[string]compose.Place{},
	}
}

// inspected is an environment of these compose services, of which promote moves core and core-worker
// together, and mailer by itself.
func inspected(t *testing.T, list ...lint.Service) lint.Environment {
	t.Helper()
	tag, err := semver.ParseTemplate("v{version}")
	if err != nil {
		t.Fatal(err)
	}
	return lint.Environment{
		Target: promotion.Target{
			Environment: "prod", Project: "/srv", Engine: promotion.EngineCompose, Rollout: promotion.Rollout{Strategy: promotion.Auto},
			Services: []promotion.Service{
				{Name: "core", Image: "shop/core", Runs: []string{"core", "core-worker"}, Tag: tag},
				{Name: "mailer", Image: "shop/mailer", Runs: []string{"mailer"}, Tag: tag},
			},
		},
		Place: compose.Place{File: "/srv/promote.yaml", Line: 9, Column: 3}, Project: "shop", Services: list,
		Entries: map[string]compose.Place{"core": {File: "/srv/promote.yaml", Line: 2, Column: 3}, "mailer": {File: "/srv/promote.yaml", Line: 5, Column: 3}},
	}
}

// others are so that every compose service of promote.yaml stands in some file.
func others(t *testing.T) lint.Environment {
	env := inspected(t, renamed(t, "core-worker"), renamed(t, "mailer"), core(t))
	env.Target.Environment, env.Project = "staging", "shop-staging"
	env.Services[1].Repository = "shop/mailer"
	return env
}

func renamed(t *testing.T, name string) lint.Service {
	w := core(t)
	w.Name, w.Place.Services, w.Place.Line = name, []string{name}, 13
	return w
}

func short(f lint.Finding) string {
	return fmt.Sprintf("%s:%d:%d %s %s %s", f.File[strings.LastIndex(f.File, "/")+1:], f.Line, f.Column, f.Severity, f.Service, f.Rule)
}

// tagged is core on another tag.
func tagged(tag string) func(*lint.Service, *lint.Environment) {
	return func(w *lint.Service, _ *lint.Environment) {
		w.Pin = compose.Pin{Tag: tag}
		w.Image = w.Pin.Join(w.Repository)
	}
}

// variable gives core a version that comes from TAG.
func variable(v compose.Variable) func(*lint.Service, *lint.Environment) {
	v.Name, v.Place = "TAG", compose.Place{File: "/srv/compose.yaml", Line: 3, Column: 20}
	return func(w *lint.Service, _ *lint.Environment) { w.Variables = []compose.Variable{v} }
}

var assigned = compose.Place{File: "/srv/.env", Line: 1, Column: 5}

// behindTraefik gives core labels that Traefik goes by.
func behindTraefik(w *lint.Service, _ *lint.Environment) {
	w.Labels = map[string]string{"traefik.http.routers.core.rule": "PathPrefix(`/`)"}
	w.Keys["labels"] = compose.Place{File: "/srv/compose.yaml", Line: 7, Column: 5}
}

// TestRules breaks every rule once, and comes close without breaking it.
func TestRules(t *testing.T) {
	type (
		W = lint.Service
		E = lint.Environment
	)
	at := compose.Place{File: "/srv/compose.yaml", Line: 7, Column: 5}
	tests := []struct {
		name   string
		change func(*W, *E)
		want   string
	}{
		{"nothing", func(*W, *E) {}, ""},
		{"can't be loaded", func(_ *W, e *E) { e.Failure = &compose.Error{File: "/srv/compose.yaml", Reason: "line 2: odd"} }, "compose.yaml:0:0 error  cannot-load"},

		{"refused", func(_ *W, e *E) {
			e.Refusals = map[string]*compose.Error{"core": {File: "/srv/.env", Line: 4, Column: 2, Reason: "nested"}}
		}, ".env:4:2 error core cannot-move"},
		{"refused, and no tag", func(w *W, e *E) {
			tagged("")(w, e)
			w.Refusal, w.Place.Services = "nested", nil
			e.Refusals = map[string]*compose.Error{"core": {File: "/srv/.env", Line: 4, Column: 2, Reason: "nested"}}
		}, ".env:4:2 error core cannot-move"},
		{"refused without a place", func(w *W, e *E) {
			e.Refusals, w.Keys["image"] = map[string]*compose.Error{"core": {Reason: "nested"}}, at
		}, "compose.yaml:7:5 error core cannot-move"},
		{"refused, not moved", func(w *W, e *E) {
			w.Name = "web"
			e.Refusals = map[string]*compose.Error{"web": {File: "/srv/.env", Line: 4, Reason: "nested"}}
		}, ""},

		{"other image", func(w *W, _ *E) { w.Repository, w.Keys["image"] = "shop/kore", at }, "compose.yaml:7:5 error core other-image"},
		{"the same image, written differently", func(w *W, _ *E) { w.Repository = "docker.io/shop/core" }, ""},

		{"place shared with a stranger", func(w *W, _ *E) { w.Place.Services = []string{"core", "web"} }, "compose.yaml:3:22 error core shared-place"},
		{"place shared, and refused for it", func(w *W, e *E) {
			w.Place.Services, e.Refusals = []string{"core", "web"}, map[string]*compose.Error{"core": {Reason: "also decides"}}
		}, "compose.yaml:3:22 error core shared-place"},
		{"place shared with its worker", func(w *W, _ *E) { w.Place.Services = []string{"core", "core-worker"} }, ""},
		{"place shared by strangers", func(w *W, _ *E) { w.Name, w.Place.Services = "web", []string{"web", "web2"} }, ""},

		{"set by nothing", variable(compose.Variable{Pin: true}), "compose.yaml:3:20 error core unset-variable"},
		{"set by nothing, and refused for it", func(w *W, e *E) {
			variable(compose.Variable{Pin: true})(w, e)
			w.Refusal, e.Refusals = "set nowhere", map[string]*compose.Error{"core": {Reason: "set nowhere"}}
		}, "compose.yaml:3:20 error core unset-variable"},
		{"set by nothing, so no tag", func(w *W, e *E) { tagged("")(w, e); variable(compose.Variable{Pin: true})(w, e) }, "compose.yaml:3:20 error core unset-variable"},
		{"set by nothing, of others, no image", func(w *W, e *E) {
			variable(compose.Variable{Pin: true})(w, e)
			w.Name, w.Image = "web", "web:"
		}, "compose.yaml:3:20 error web unset-variable"},
		{"set by nothing, of others, no registry", func(w *W, e *E) {
			variable(compose.Variable{})(w, e)
			w.Name, w.Image = "web", "/web:v1"
		}, "compose.yaml:3:20 error web unset-variable"},
		{"set by nothing, of others, still an image", func(w *W, e *E) {
			variable(compose.Variable{})(w, e)
			w.Name, w.Image = "web", "web:v1-"
		}, "compose.yaml:3:20 warning web unset-variable"},
		{"set by nothing, with a default", variable(compose.Variable{Pin: true, Optional: true, Defaulted: true, Default: "v1"}), ""},

		{"default shadowed by an env file", variable(compose.Variable{Pin: true, Optional: true, Set: true, Assigned: assigned}), "compose.yaml:3:20 warning core shadowed-default"},
		{"default shadowed by the environment", variable(compose.Variable{Pin: true, Optional: true, Set: true, Environment: true}), "compose.yaml:3:20 error core shadowed-default"},
		{"env file shadowed by the environment", variable(compose.Variable{Pin: true, Set: true, Environment: true, Assigned: assigned}), "compose.yaml:3:20 error core shadowed-default"},
		{"only in the environment", func(w *W, e *E) {
			variable(compose.Variable{Pin: true, Set: true, Environment: true})(w, e)
			w.Refusal, e.Refusals = "wins", map[string]*compose.Error{"core": {File: "/srv/compose.yaml", Line: 3, Column: 12, Reason: "wins"}}
		}, "compose.yaml:3:12 error core cannot-move"},
		{"no default", variable(compose.Variable{Pin: true, Set: true, Assigned: assigned}), ""},
		{"default of the registry", variable(compose.Variable{Optional: true, Set: true, Assigned: assigned}), ""},
		{"default of others", func(w *W, e *E) {
			variable(compose.Variable{Pin: true, Optional: true, Set: true, Assigned: assigned})(w, e)
			w.Name = "web"
		}, ""},

		{"no tag", tagged(""), "compose.yaml:3:22 error core floating-tag"},
		{"part of a version", tagged("v1.4"), "compose.yaml:3:22 error core floating-tag"},
		{"no version, and no floating tag", tagged("build-1234"), ""},
		{"latest by digest", func(w *W, _ *E) { w.Pin = compose.Pin{Tag: "latest", Digest: "sha256:" + strings.Repeat("1", 64)} }, ""},
		{"latest, of others", func(w *W, e *E) { tagged("latest")(w, e); w.Name = "web" }, "compose.yaml:3:22 warning web floating-tag"},
		{"part of a version, of others", func(w *W, e *E) { tagged("15")(w, e); w.Name = "web" }, "compose.yaml:3:22 note web floating-tag"},
		{"latest, of others, built here", func(w *W, e *E) { tagged("latest")(w, e); w.Name, w.Context = "web", "/srv" }, ""},
		{"no image at all", func(w *W, _ *E) { w.Image, w.Repository, w.Pin, w.Context = "", "", compose.Pin{}, "/srv" }, ""},

		{"build beside image", func(w *W, _ *E) { w.Keys["build"] = at }, "compose.yaml:7:5 warning core build-beside-image"},
		{"build beside image, of others", func(w *W, _ *E) { w.Name, w.Keys["build"] = "web", at }, ""},

		{"no health check", func(w *W, _ *E) { w.HealthCheck = false }, "compose.yaml:2:3 warning core no-health-check"},
		{"health check switched off", func(w *W, _ *E) { w.HealthCheck, w.Keys["healthcheck.disable"] = false, at }, "compose.yaml:7:5 warning core no-health-check"},
		{"health check of the image, tuned", func(w *W, _ *E) { w.HealthCheck, w.Keys["healthcheck.interval"] = false, at }, ""},
		{"no health check, others wait for its end", func(w *W, _ *E) { w.HealthCheck, w.Awaited = false, true }, ""},
		{"no health check, files only", func(w *W, e *E) { w.HealthCheck, e.Target.Engine = false, promotion.EngineNone }, ""},
		{"no health check, disabled by its profile", func(w *W, _ *E) { w.HealthCheck, w.Disabled = false, true }, ""},
		{"no health check, but a check of promote.yaml", func(w *W, e *E) {
			w.HealthCheck = false
			e.Target.Services[0].Checks = []promotion.Check{{Service: "core", TCP: 8080}}
		}, ""},
		{"no health check, of others", func(w *W, _ *E) { w.Name, w.HealthCheck = "web", false }, ""},

		{"nothing restarts it", func(w *W, _ *E) { w.Restart = "" }, "compose.yaml:2:3 warning core no-restart"},
		{"on purpose", func(w *W, _ *E) { w.Restart = "no" }, ""},
		{"restarted by deploy", func(w *W, _ *E) { w.Restart, w.Keys["deploy.restart_policy"] = "", at }, ""},

		{"fixed name", func(w *W, _ *E) { w.ContainerName, w.Keys["container_name"] = "core", at }, "compose.yaml:7:5 warning core one-copy"},
		{"fixed name and port", func(w *W, _ *E) { w.ContainerName, w.Ports, w.Keys["ports"] = "core", []string{"80/tcp"}, at }, "compose.yaml:7:5 note core one-copy"},
		{"fixed address", func(w *W, _ *E) { w.StaticAddress, w.Keys["networks.*.ipv6_address"] = true, at }, "compose.yaml:7:5 warning core one-copy"},
		{"others share its network", func(w *W, _ *E) { w.SharedNamespace = true }, "compose.yaml:2:3 note core one-copy"},
		{"impossible start-first", func(w *W, e *E) { w.Ports, e.Target.Rollout.Strategy = []string{"80/tcp"}, promotion.StartFirst }, "compose.yaml:2:3 error core one-copy"},
		{"wanted recreate", func(w *W, e *E) { w.Ports, e.Target.Rollout.Strategy = []string{"80/tcp"}, promotion.Recreate }, ""},
		{"behind Traefik", behindTraefik, "compose.yaml:7:5 warning core proxy"},
		{"behind Traefik, drained", func(w *W, e *E) {
			behindTraefik(w, e)
			e.Target.Services[0].Front = &promotion.Front{ProxyCare: promotion.ProxyCare{Drain: []string{"touch", "/drain"}}}
		}, ""},
		{"behind Traefik, told only when to go on", func(w *W, e *E) {
			behindTraefik(w, e)
			e.Target.Services[0].Front = &promotion.Front{ProxyCare: promotion.ProxyCare{Settle: time.Second}}
		}, "compose.yaml:7:5 warning core proxy"},
		{"hidden from Traefik", func(w *W, e *E) { behindTraefik(w, e); w.Labels["traefik.enable"] = "false" }, ""},
		{"behind Traefik, recreated", func(w *W, e *E) { behindTraefik(w, e); e.Target.Rollout.Strategy = promotion.Recreate }, ""},
		{"behind Traefik, recreated by promote.yaml", func(w *W, e *E) { behindTraefik(w, e); e.Target.Services[0].Strategy = promotion.Recreate }, ""},
		{"behind Traefik, one copy", func(w *W, e *E) { behindTraefik(w, e); w.ContainerName = "core" }, "compose.yaml:2:3 warning core one-copy"},
		{"behind Traefik, a worker", func(w *W, e *E) { behindTraefik(w, e); w.Name = "core-worker" }, ""},
		{"behind Traefik, of others", func(w *W, e *E) { behindTraefik(w, e); w.Name = "web" }, ""},
		{"other labels", func(w *W, e *E) { w.Labels = map[string]string{"traefikless": "yes"} }, ""},
		{"replicas that write", func(w *W, _ *E) { w.WritableVolumes, w.Replicas = []string{"/data"}, 2 }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := inspected(t)
			w := core(t)
			tt.change(&w, &env)
			env.Services = append(env.Services, w)
			var got []string
			for _, f := range lint.FindProblems([]lint.Environment{env, others(t)}) {
				got = append(got, short(f))
				if !slices.Equal(f.Environments, []string{"prod"}) || f.Message == "" || strings.ContainsAny(f.Message+f.Advice, "\n") || strings.Contains(f.Advice, "%!") {
					t.Errorf("odd finding %+v", f)
				}
			}
			if text := strings.Join(got, "\n"); text != tt.want {
				t.Errorf("got\n%s\nwant\n%s", text, tt.want)
			}
		})
	}
}

// TestAdvice: every finding says how it is mended, with the names that are meant.
func TestAdvice(t *testing.T) {
	worker := renamed(t, "core-worker")
	worker.Pin.Tag = "v1.4.1"
	sharing := core(t)
	sharing.Place.Services = []string{"core", "core-cron"}
	cron := renamed(t, "core-cron")
	cron.Place = sharing.Place
	floating := core(t)
	floating.Pin.Tag = "latest"
	tests := []struct {
		name string
		env  lint.Environment
		want string
	}{
		{"on another version", inspected(t, core(t), worker), "error core-worker: it is on v1.4.1 and core on v1.4.2, though they move together / image: shop/core:v1.4.2"},
		{"the same image", inspected(t, sharing, cron), "error core: image also decides the version of core-cron, which does not move with it / runs: [core, core-worker, core-cron]   # for core in promote.yaml"},
		{"another image", inspected(t, sharing, lint.Service{Service: compose.Service{Name: "core-cron", Repository: "shop/cron"}}), "error core: image also decides the version of core-cron, which does not move with it / image: shop/core:${CORE_TAG}   # a variable of its own"},
		{"latest", inspected(t, floating), "error core: the tag latest does not say which release runs / promote deploy prod core   # writes the version"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			findings := lint.FindProblems([]lint.Environment{tt.env, others(t)})
			if len(findings) != 1 {
				t.Fatalf("got %+v", findings)
			}
			f := findings[0]
			if got := fmt.Sprintf("%s %s: %s / %s", f.Severity, f.Service, f.Message, f.Advice); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestTogether: what lies between environments.
func TestTogether(t *testing.T) {
	lines := func(environments ...lint.Environment) []string {
		var list []string
		for _, f := range lint.FindProblems(environments) {
			list = append(list, short(f)+" "+strings.Join(f.Environments, "+")+" "+f.Advice)
		}
		return list
	}
	expect := func(t *testing.T, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	t.Run("a compose service that no file has", func(t *testing.T) {
		staging := inspected(t, core(t))
		staging.Target.Environment, staging.Project = "staging", "other"
		expect(t, lines(inspected(t, core(t)), staging),
			"promote.yaml:2:3 error core not-in-files prod+staging runs: [core]",
			"promote.yaml:5:3 error mailer not-in-files prod+staging docker compose config --services")
	})
	t.Run("nobody knows what an environment has that can't be loaded", func(t *testing.T) {
		broken := others(t)
		broken.Failure = &compose.Error{File: "/srv/x.yaml", Reason: "odd"}
		expect(t, lines(inspected(t, core(t)), broken), "x.yaml:0:0 error  cannot-load staging ")
	})
	t.Run("one project for two environments", func(t *testing.T) {
		staging := others(t)
		staging.Project = "shop"
		expect(t, lines(staging, inspected(t, core(t))), "promote.yaml:9:3 error  same-project staging+prod name: shop-prod   # for prod in promote.yaml")
		staging.Target.Engine = promotion.EngineNone
		expect(t, lines(staging, inspected(t, core(t))))
	})
	t.Run("one place for two services", func(t *testing.T) {
		first, second := core(t), renamed(t, "core-worker")
		tagged("latest")(&first, nil)
		tagged("latest")(&second, nil)
		first.Place.Services = []string{"core", "core-worker"}
		second.Place = first.Place
		expect(t, lines(inspected(t, second, first), others(t)), "compose.yaml:3:22 error core floating-tag prod promote deploy prod core   # writes the version")
	})
	t.Run("one file for two environments", func(t *testing.T) {
		silent, staging := core(t), others(t)
		silent.Restart = ""
		staging.Services[2] = silent
		expect(t, lines(inspected(t, silent), staging), "compose.yaml:2:3 warning core no-restart prod+staging restart: unless-stopped")
	})
}

// TestFloating: which tags are moved by those who publish them.
func TestFloating(t *testing.T) {
	tests := map[bool][]string{
		true: {
			"latest", "stable", "main", "edge", "Nightly", "stable-slim", "latest-alpine", "alpine", "bookworm", "1", "v2", "15", "1.5", "v1.5",
			"15-alpine", "1.25-alpine3.19", "8-jre-slim", "2.x", "dev", "management",
		},
		false: {
			"v1.4.2", "1.4.2-rc.1", "1.4.2-alpine", "main-1a2b3c4", "dev-20260101", "nightly-2026-01-02", "release-1.4.2", "1a2b3c4d", "20260101", "2026.1", "1234",
			"build-7", "1.5-rc1", "2-beta.3", "1.5-1a2b3c4d", "pr-12", "stable-9.2.1", "v1.4.2_5",
		},
	}
	for want, tags := range tests {
		for _, tag := range tags {
			w := core(t)
			tagged(tag)(&w, nil)
			if got := len(lint.FindProblems([]lint.Environment{inspected(t, w), others(t)})) > 0; got != want {
				t.Errorf("%s: floating %v", tag, got)
			}
		}
	}
	for tag, want := range map[string]bool{"15": true, "15.7": false, "16.10-alpine": false, "9.6": true} {
		w := core(t)
		w.Name, w.Repository = "db", "postgres"
		tagged(tag)(&w, nil)
		if got := len(lint.FindProblems([]lint.Environment{inspected(t, w), others(t)})) > 0; got != want {
			t.Errorf("postgres:%s: floating %v", tag, got)
		}
	}
}
