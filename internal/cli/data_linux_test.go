package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"promote/internal/bed"
	"promote/internal/promotion"
	"promote/internal/rollout"
)

const dataCompose = `name: %s
services:
  db:
    image: postgres:15
    environment: {POSTGRES_PASSWORD: x, POSTGRES_DB: shop}
    healthcheck: {test: [CMD, pg_isready, -q, -h, 127.0.0.1], interval: 200ms, retries: 300}
`

// dataShop is an environment with a database on a host, below one on this machine whose dump does not come to its end:
// it has said all but the last words when it waits for ever. What is loaded from it by then is not the half of
// anything: without the end, nothing of it may stay.
type dataShop struct{ *shop }

const endless = `pg_dump -U postgres --clean --if-exists shop; test $PROMOTE_ENVIRONMENT = staging || { yes -- | head -c 900000; exec tail -f /dev/null; }`

func newDataShop(t *testing.T) *dataShop {
	bed.Need(t)
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	host := bed.Host(t, "below")
	bed.Postgres(t, host)
	s := &shop{
		ground: &ground{t: t, dir: t.TempDir(), project: "data-above", program: filepath.Join(dir, "promote"), env: bed.Env(t)},
		host:   host, relay: host.Relay(t, 0), folder: "/srv/below",
	}
	s.check(os.Mkdir(s.path(), 0o755))
	s.check(os.WriteFile(s.file(), fmt.Appendf(nil, dataCompose, "below"), 0o644))
	for _, path := range []string{s.path(), s.file()} {
		s.check(os.Chown(path, deployUser, deployUser))
	}
	s.check(os.Mkdir(filepath.Join(s.dir, "p"), 0o755))
	s.write("p/compose.yaml", fmt.Sprintf(dataCompose, s.project))
	t.Cleanup(func() { removeContainers(t, bed.Engine(t).Client(), s.project) })
	d := &dataShop{s}
	d.configure(endless, "psql -qU postgres --set ON_ERROR_STOP=1 --single-transaction shop")
	up := s.command("compose", "up", "--detach", "--wait")
	up.Path, up.Args[0], up.Dir = "/usr/bin/docker", "docker", filepath.Join(s.dir, "p")
	if out, err := up.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	host.Run(t, "cd /srv/below && docker compose up --detach --wait 2>&1")
	d.query("CREATE TABLE members AS SELECT 'old' AS name")
	return d
}

func (d *dataShop) configure(dump, load string) {
	d.write("promote.yaml", fmt.Sprintf(`services:
  core: {image: example.org/core, runs: db}
environments:
  prod: {from: staging, project: p}
  staging: {host: "%s", project: /srv/below}
data:
  - {in: "service:db", dump: '%s', anonymise: none, load: '%s'}
`, d.relay.URL("deploy"), dump, load))
}

func (d *dataShop) query(sql string) string {
	d.t.Helper()
	return strings.TrimSpace(d.host.Run(d.t, fmt.Sprintf(`docker exec below-db-1 psql -AtU postgres -v ON_ERROR_STOP=1 -c "%s" shop`, sql)))
}

// old wants the data to be what it was before, and no server to have noticed anything.
func (d *dataShop) old() {
	d.t.Helper()
	if got := d.query("SELECT name FROM members"); got != "old" {
		d.t.Errorf("the data is %q", got)
	}
	if log := d.host.Run(d.t, "docker logs below-db-1 2>&1"); strings.Contains(log, "by signal") {
		d.t.Errorf("the server takes what was killed for its own:\n%s", log)
	}
}

// broken starts to move data, and does something when some of it has been loaded. Whoever waits for a lock of the
// database's gets it when that is put back.
func (d *dataShop) broken(want int, disturb func(*viewer)) *viewer {
	d.t.Helper()
	done := false
	c := d.follow(func(c *viewer, e rollout.Event) {
		if e.Status == rollout.Undoing {
			d.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'")
		}
		if e.Step == promotion.LoadStep && e.Moved > 0 && !done {
			done = true
			disturb(c)
		}
	}, "data", "prod", "staging", "--yes=staging")
	if !done || c.code != want {
		d.t.Fatalf("disturbed: %v, exit code %d, want %d\n%s", done, c.code, want, &c.said)
	}
	return c
}

// TestDataBroken breaks the stream of data, in each way that it can. Whichever it was, the data is what it was before,
// and what loaded it never took the break for the end.
func TestDataBroken(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	d := newDataShop(t)
	for name, try := range map[string]func(){
		"link cut":    func() { d.broken(exitRestored, func(*viewer) { d.relay.Drop() }) },
		"interrupted": func() { d.broken(exitRestored, func(c *viewer) { d.check(c.cmd.Process.Signal(syscall.SIGINT)) }) },
		"interrupted, waiting": func() {
			d.host.Run(t, `docker exec -d below-db-1 psql -U postgres -c "BEGIN; LOCK TABLE members IN ACCESS SHARE MODE; SELECT pg_sleep(1000)" shop`)
			d.host.Run(t, `until docker exec below-db-1 psql -AtU postgres -c "SELECT count(*) FROM pg_locks WHERE relation = 'members'::regclass AND granted" shop | grep -q [1-9]; do :; done`)
			d.broken(exitRestored, func(c *viewer) { d.check(c.cmd.Process.Signal(syscall.SIGINT)) })
		},
		"client killed": func() {
			d.broken(-1, func(c *viewer) { d.check(c.cmd.Process.Kill()) })
			if c := d.follow(nil, "attach", "staging"); c.outcome() != rollout.OutcomeRestored {
				d.t.Errorf("it ended with %q\n%s", c.outcome(), &c.said)
			}
		},
		"worker killed": func() {
			d.broken(exitStuck, func(*viewer) { d.killWorker() })
			d.quiet()
			d.old() // even before it is put back
			if out := d.run(exitDone, "status"); !strings.Contains(out, "interrupted") {
				d.t.Errorf("the status does not say so:\n%s", out)
			}
			d.run(exitRestored, "resume", "staging")
		},
	} {
		t.Run(name, func(t *testing.T) {
			d.t = t
			try()
			d.old()
			if u := d.unfinished(); u != nil {
				t.Errorf("%s has no end in the history", u.ID)
			}
			left, err := filepath.Glob(filepath.Join(d.path(), ".promote/deployments/*/replaced-*"))
			if err != nil || len(left) > 0 {
				t.Errorf("left over: %v %v", left, err)
			}
		})
	}
	d.t = t
	t.Run("much of it", d.much)
}

// much moves more data than a client may have in its memory.
func (d *dataShop) much(t *testing.T) {
	const megabytes = 96
	d.t = t
	d.configure(fmt.Sprintf("test $PROMOTE_ENVIRONMENT = prod || exec echo small; yes abcdefghijklmno | head -c %dm", megabytes), "cat >/tmp/got")
	d.run(exitDone, "status") // brings the program there, if nothing has
	var peak string
	c := d.follow(func(c *viewer, e rollout.Event) {
		if now := peakOf(c.cmd.Process.Pid); e.Moved > 0 && now != "" {
			peak = now
		}
	}, "data", "prod", "staging", "--yes=staging")
	d.complete(c)
	size := d.host.Run(t, "docker exec below-db-1 wc -c /tmp/got")
	if !strings.HasPrefix(size, fmt.Sprint(megabytes<<20)) {
		t.Errorf("there is %s", size)
	}
	var used int
	if _, err := fmt.Sscanf(peak, "VmHWM: %d kB", &used); err != nil || used>>10 > megabytes {
		t.Errorf("the client used %q for %d MB", peak, megabytes)
	}
	t.Logf("the client used %d MB for %d MB", used>>10, megabytes)
}

// peakOf is the most memory that a process had: what the kernel says of one that has ended is also its parent's.
func peakOf(pid int) string {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // there is none once it has ended
	i := strings.Index(string(status), "VmHWM:")
	return string(status[max(i, 0):])
}
