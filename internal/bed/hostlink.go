package bed

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// Hosts are on one network, a bridge in the bed's network namespace.
const (
	bridge        = "bed0"
	bridgeAddress = "10.77.0.1" // the test's own
	hostNetwork   = "10.77.0.0/24"
)

// hostAddress is the address of the host with this number.
func hostAddress(number int) string { return fmt.Sprintf("10.77.0.%d", number) }

// hardwareAddress goes with a number as the IP address does: an address that returns in another boot
// or another host must not meet what its neighbours remember of the last one.
func hardwareAddress(number int) string { return fmt.Sprintf("02:00:0a:4d:00:%02x", number) }

// bridgeOnce makes the network of the hosts.
var bridgeOnce = sync.OnceValue(func() error {
	// Without an address of its own a bridge takes its ports', and changes it when they come and go.
	err := ip("link add "+bridge+" address "+hardwareAddress(1)+" type bridge",
		"address add "+bridgeAddress+"/24 dev "+bridge,
		"link set "+bridge+" up")
	if err != nil {
		return err
	}
	// An engine in the bed forbids forwarding, which some kernels extend to bridges.
	return command("iptables", "-w", "-I", "FORWARD", "-i", bridge, "-o", bridge, "-j", "ACCEPT")
})

// port is the bridge's end of the host's cable.
func (h *HostHandle) port() string { return fmt.Sprintf("bed0-%d", h.number) }

// plug connects the host whose first process is pid to the network.
func (h *HostHandle) plug(pid int) error {
	err := ip(fmt.Sprintf("link add %s type veth peer name eth0 address %s netns %d", h.port(), hardwareAddress(h.number), pid),
		"link set "+h.port()+" master "+bridge+" up")
	if err != nil {
		return err
	}
	return ipOf(pid, "link set lo up", "address add "+h.Addr()+"/24 dev eth0", "link set eth0 up")
}

// unplug takes the cable away.
func (h *HostHandle) unplug() { _ = ip("link delete " + h.port()) } // a host that did not boot has none

// link sets the host's link up or down. There is none while the power is off.
func (h *HostHandle) link(state string) { _ = ip("link set " + h.port() + " " + state) }

// ip carries out commands of the program ip.
func ip(commands ...string) error {
	program, err := lookPath("ip")
	if err != nil {
		return err
	}
	return ipBatch(exec.Command(program, "-batch", "-"), commands)
}

// ipOf is ip on the host whose first process is pid.
func ipOf(pid int, commands ...string) error {
	cmd, err := enterHost(pid, "ip", "-batch", "-")
	if err != nil {
		return err
	}
	return ipBatch(cmd, commands)
}

func ipBatch(cmd *exec.Cmd, commands []string) error {
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(commands, "; "), err, out)
	}
	return nil
}

// command runs a program to its end.
func command(name string, args ...string) error {
	program, err := lookPath(name)
	if err != nil {
		return err
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), "PATH="+path())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// hostNumbers are the last parts of addresses; the lowest free one is taken.
var hostNumbers = numbers{first: 11, last: 254, taken: map[int]bool{}}

type numbers struct {
	first, last int
	mu          sync.Mutex
	taken       map[int]bool
}

func (n *numbers) take() (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for number := n.first; number <= n.last; number++ {
		if !n.taken[number] {
			n.taken[number] = true
			return number, nil
		}
	}
	return 0, errors.New("no address is left for another host")
}

func (n *numbers) giveBack(number int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.taken, number)
}
