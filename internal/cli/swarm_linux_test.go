package cli

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"promote/internal/bed"
	"promote/internal/rollout"
)

// TestSwarmOutages: a stack on two nodes that are let into the registry by the client alone, and what breaks
// while it is deployed.
func TestSwarmOutages(t *testing.T) {
	bed.Thorough(t)
	t.Parallel()
	f := newFar(t, bed.PrivateHostRegistry(t), "/srv/shop", "    engine: swarm\n    name: shop\n")
	nodes := bed.Hosts(t, "left", "right")
	f.host.Run(t, "docker swarm init --availability drain --advertise-addr "+f.host.Addr()+"; docker swarm update --dispatcher-heartbeat 1s")
	token := f.host.Run(t, "docker swarm join-token --quiet worker")
	for _, node := range nodes {
		node.Run(t, "docker swarm join --token "+strings.TrimSpace(token)+" "+f.host.Addr())
	}
	f.host.Run(t, "until [ $(docker node ls --format '{{.Status}}' | grep -c Ready) = 3 ]; do :; done")
	f.put("docker-compose.yml", fmt.Sprintf(`version: "3.8"
services:
  core:
    image: %s/aegee/core:v1.0.0
    healthcheck: {test: [CMD, /bin/server, health], interval: 1s}
    deploy: {replicas: 2, endpoint_mode: dnsrr, update_config: {order: start-first, monitor: 500ms}}
`, f.registry.Addr()))
	for _, version := range []string{"v1.0.0", "v1.1.0", "v1.2.0"} {
		f.release(version, nil)
	}
	images := func() string {
		return f.host.Run(t, `docker service ps shop_core --filter desired-state=running --format '{{.Image}} {{.Node}}'`)
	}
	wants := func(version string) {
		t.Helper()
		if list := images(); strings.Count(list, ":"+version) < 2 || strings.Count(list, ":"+version) != strings.Count(list, "core:") {
			t.Fatalf("the swarm does not run %s\n%s", version, list)
		}
		f.run(exitDone, version, "status", "--exit-code")
	}
	const halfway = "1 of 2 tasks are new"
	once := func(says string, act func()) func(rollout.Event) {
		return func(e rollout.Event) {
			if strings.HasPrefix(e.Text, says) && act != nil {
				act()
				act = nil
			}
		}
	}

	f.run(exitFailed, "hint: docker login", "deploy", "prod", "core@v1.0.0")
	f.login()
	f.run(exitDone, "core is on v1.0.0", "deploy", "prod", "core@v1.0.0")
	wants("v1.0.0")

	// Somebody presses Ctrl-C: the swarm is told to go back.
	said := f.follow(exitRestored, once(halfway, func() { f.check(f.followed.Process.Signal(os.Interrupt)) }), "deploy", "prod", "core@v1.1.0")
	if !strings.Contains(said, "stopped on request") {
		t.Errorf("no word of the interrupt:\n%s", said)
	}
	wants("v1.0.0")

	// The worker is killed: the swarm goes on, and resume writes down what it came to.
	f.follow(exitStuck, once(halfway, func() { f.host.Run(t, "pkill -9 -f '[p]romote host work'") }), "deploy", "prod", "core@v1.1.0")
	f.run(exitDone, "of prod is finished", "resume", "prod")
	wants("v1.1.0")

	// A node that has tasks is cut off. The swarm has the other one do its work, or its update hangs (it may have
	// two tasks in one place then, and never gets to the next): that is put back.
	gone := nodes[0]
	if !strings.Contains(images(), " left") {
		gone = nodes[1]
	}
	reached := map[int]string{exitDone: "v1.2.0", exitRestored: "v1.1.0"}
	code, said := f.watch(once("0 of 2 tasks are new", gone.Cut), "deploy", "prod", "core@v1.2.0")
	if reached[code] == "" {
		t.Fatalf("exit code %d\n%s", code, said)
	}
	wants(reached[code])
	f.host.Run(t, "until docker node ls | grep -q Down; do :; done")
	gone.Mend()
	file, err := os.ReadFile(f.host.Path("/srv/shop/docker-compose.yml"))
	if f.check(err); !strings.Contains(string(file), "core:"+reached[code]+"\n") {
		t.Errorf("the file says\n%s", file)
	}
}
