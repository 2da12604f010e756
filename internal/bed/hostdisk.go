package bed

import (
	"errors"
	"os"
	"path/filepath"
)

// deployID is the user and group id of deploy.
const deployID = 1000

// hostDisks are the folders of a host that outlive its power.
var hostDisks = []string{"/srv", "/home", "/root", "/var", "/etc/docker", "/etc/ssh"}

// hostDisk is where the disks of the host with the folder dir are.
func hostDisk(dir string) string { return filepath.Join(dir, "disk") }

// makeDisks writes the disks of a new host.
func makeDisks(dir string) error {
	disk := hostDisk(dir)
	return errors.Join(
		makeFolders(disk),
		makeHome(disk+"/root", 0),
		makeHome(disk+"/home/deploy", deployID),
		os.Chown(disk+"/srv", deployID, deployID),
		os.Symlink("../run", disk+"/var/run"), // relative: absolute ones lead the test to its own
		os.Symlink("../run/lock", disk+"/var/lock"),
		os.Chmod(disk+"/var/tmp", 0o777|os.ModeSticky),
		os.WriteFile(disk+"/etc/docker/daemon.json", []byte("{}\n"), 0o644),
		installHostKey(disk+"/etc/ssh"),
	)
}

func makeFolders(disk string) error {
	for _, dir := range append(hostDisks, "/var/lib", "/var/log", "/var/cache", "/var/tmp") {
		if err := os.MkdirAll(disk+dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// makeHome makes a user's home folder, which has nothing in it but the key that lets the test in.
func makeHome(home string, id int) error {
	keys := filepath.Join(home, ".ssh")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return err
	}
	key, err := os.ReadFile(userKey() + ".pub")
	if err != nil {
		return err
	}
	file := filepath.Join(keys, "authorized_keys")
	return errors.Join(
		os.WriteFile(file, key, 0o600),
		os.Chmod(home, 0o700),
		os.Chown(home, id, id),
		os.Chown(keys, id, id),
		os.Chown(file, id, id),
	)
}

// hostCompose is the compose plugin that hosts get, or "" if the machine has one for all users.
func hostCompose(dir string) (string, error) {
	plugin, err := composePlugin()
	if errors.Is(err, os.ErrNotExist) {
		return "", machineCompose(dir)
	}
	return plugin, err
}
