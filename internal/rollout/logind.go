package rollout

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"regexp"
	"slices"
	"strings"
	"time"
)

// sessionScope is the control group of what a login started. A worker stays in it, whatever session it makes of its own.
var sessionScope = regexp.MustCompile(`(?m)/session-[^/\n]+\.scope(/|$)`)

// checkLogin warns where a lost connection would end the worker: systemd-logind may be set up to kill whatever a
// login left running. Where it is not, or is not there at all, there is nothing to say.
func (m *Machine) checkLogin(ctx context.Context) []Check {
	groups, err := os.ReadFile("/proc/self/cgroup")
	who, errUser := user.Current()
	if err != nil || errUser != nil || !sessionScope.Match(groups) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	settings, err := exec.CommandContext(ctx, "busctl", "get-property", "org.freedesktop.login1", "/org/freedesktop/login1",
		"org.freedesktop.login1.Manager", "KillUserProcesses", "KillExcludeUsers", "KillOnlyUsers").Output()
	if err != nil || !killsProcesses(string(settings), who.Username) {
		return nil
	}
	const setting = `printf '[Login]\nKillExcludeUsers=root %s\n' | sudo tee /etc/systemd/logind.conf.d/promote.conf && sudo systemctl kill -s HUP systemd-logind`
	return one(warn("login", "sudo mkdir -p /etc/systemd/logind.conf.d && "+fmt.Sprintf(setting, who.Username),
		"a deployment dies with a lost connection: systemd-logind kills what %s leaves running (KillUserProcesses)", who.Username))
}

// killsProcesses decides as logind does whether it kills what a user leaves running. Lingering changes nothing of
// that: it keeps the user's own services. settings are as busctl prints them, a line each of a bool and two lists.
func killsProcesses(settings, user string) bool {
	lines := strings.Split(settings, "\n")
	if len(lines) < 3 || lines[0] != "b true" {
		return false
	}
	named := func(list string) bool { return slices.Contains(strings.Fields(list), `"`+user+`"`) }
	everybody := strings.TrimSpace(lines[2]) == "as 0"
	return !named(lines[1]) && (everybody || named(lines[2]))
}
