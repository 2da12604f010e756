package bed

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// sshFolder holds the keys of hosts and of the test.
func sshFolder() string { return filepath.Join(root(), "ssh") }

func userKey() string { return filepath.Join(sshFolder(), "id_ed25519") }

func hostKey() string { return filepath.Join(sshFolder(), hostKeyName) }

const hostKeyName = "ssh_host_ed25519_key"

// sshOnce makes the keys, and lets every ssh in the bed reach hosts with them: without questions, and
// with the host's key checked.
var sshOnce = sync.OnceValue(func() error {
	if err := os.Mkdir(sshFolder(), 0o755); err != nil {
		return err
	}
	for _, file := range []string{userKey(), hostKey()} {
		if err := command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bed", "-f", file); err != nil {
			return err
		}
	}
	if err := writeKnownHosts(); err != nil {
		return err
	}
	if err := writeClientConfig(); err != nil {
		return err
	}
	return hideUserConfig()
})

func knownHosts() string { return filepath.Join(sshFolder(), "known_hosts") }

// writeKnownHosts knows hosts by address and relays by port. Hosts have one key.
func writeKnownHosts() error {
	key, err := os.ReadFile(hostKey() + ".pub")
	if err != nil {
		return err
	}
	return os.WriteFile(knownHosts(), []byte("10.77.0.*,[10.77.0.*]:*,[127.0.0.1]:* "+string(key)), 0o644)
}

const clientConfig = `
Host 10.77.0.* 127.0.0.1
	IdentityFile %s
	IdentitiesOnly yes
	IdentityAgent none
	UserKnownHostsFile %s
	StrictHostKeyChecking yes
	UpdateHostKeys no
	GSSAPIAuthentication no
`

// writeClientConfig writes to the bed's /etc: ssh finds a user's settings by the password file, which
// names the machine's own home folder, and not by HOME.
func writeClientConfig() error {
	dir := "/etc/ssh/ssh_config.d"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	content := fmt.Sprintf(clientConfig, userKey(), knownHosts())
	return os.WriteFile(filepath.Join(dir, "00-promote-bed.conf"), []byte(content), 0o644)
}

const serverConfig = `
HostKey /etc/ssh/` + hostKeyName + `
AuthorizedKeysFile .ssh/authorized_keys
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
PidFile none
LogLevel VERBOSE
Subsystem sftp internal-sftp
# Tests open many connections at once, and break them.
MaxStartups 200
`

// installHostKey makes dir a host's /etc/ssh.
func installHostKey(dir string) error {
	for _, suffix := range []string{"", ".pub"} {
		key, err := os.ReadFile(hostKey() + suffix)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, hostKeyName+suffix), key, 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "sshd_config"), []byte(serverConfig), 0o644)
}

// sshdOptions let everybody come back who broke a connection; only newer servers know the setting.
var sshdOptions = sync.OnceValue(func() []string {
	forgive := []string{"-o", "PerSourcePenalties=no"}
	if command("sshd", append([]string{"-t", "-f", "/dev/null", "-h", hostKey()}, forgive...)...) != nil {
		return nil
	}
	return forgive
})
