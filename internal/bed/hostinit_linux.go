package bed

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// init turns this program into the first process of a host. It does so before TestMain, which may
// make files that a host's sudden end would leave.
func init() {
	if encoded := os.Getenv(hostVariable); encoded != "" {
		os.Exit(beHost(encoded))
	}
}

// hostCommand starts the first process of a host, which lives until it is killed.
func hostCommand(plan hostPlan) (*exec.Cmd, error) {
	encoded, err := json.Marshal(plan)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return &exec.Cmd{
		Path: program,
		Args: []string{"host " + plan.Name},
		Env:  append(hostEnv(), hostVariable+"="+string(encoded)),
		// Ctrl-C on the terminal is for the test, which takes its hosts with it.
		SysProcAttr: &unix.SysProcAttr{Cloneflags: namespaces, Setsid: true},
	}, nil
}

// ownSession keeps a terminal's signals from a process, and the terminal's password prompts too.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func beHost(encoded string) int {
	var plan hostPlan
	if err := json.Unmarshal([]byte(encoded), &plan); err != nil {
		return failed(err)
	}
	if err := plan.install(); err != nil {
		return failed(err)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, unix.SIGCHLD)
	fmt.Println(hostReady)
	reapAll(ended)
	return 0
}

// reapAll collects processes that end, for ever.
func reapAll(ended <-chan os.Signal) {
	for range ended {
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if pid <= 0 && err != syscall.EINTR {
				break
			}
		}
	}
}

// install makes the new namespaces a machine that has nothing of this one but its programs.
func (p hostPlan) install() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	root := filepath.Join(p.Dir, "root")
	steps := []func(root string) error{mountMemory, mountPrograms, mountKernel, p.mountDisks, p.mountCompose, p.configure, enterRoot}
	for _, step := range steps {
		if err := step(root); err != nil {
			return err
		}
	}
	return unix.Sethostname([]byte(p.Name))
}

// mount makes the folder target and mounts on it.
func mount(source, target, kind string, flags uintptr, options string) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(source, target, kind, flags, options); err != nil {
		return fmt.Errorf("mount %s: %w", target, err)
	}
	return nil
}

// mountMemory makes the root, and what is as new at every boot.
func mountMemory(root string) error {
	modes := []struct{ dir, mode string }{{"/", "755"}, {"/run", "755"}, {"/tmp", "1777"}}
	for _, m := range modes {
		if err := mount("tmpfs", root+m.dir, "tmpfs", 0, "mode="+m.mode); err != nil {
			return err
		}
	}
	for _, dir := range []string{"/run/lock", "/run/sshd"} {
		if err := os.Mkdir(root+dir, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// mountPrograms shows the machine's programs and settings; writing to them is writing to memory.
func mountPrograms(root string) error {
	for dir, machine := range map[string]string{"/usr": "/usr", "/etc": uncovered("/etc")} {
		if err := overlay(machine, root+dir, root+"/run/bed"+dir); err != nil {
			return fmt.Errorf("cover %s: %w", dir, err)
		}
	}
	for _, dir := range []string{"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"} {
		if err := sameFolder(dir, root+dir); err != nil {
			return err
		}
	}
	return nil
}

// sameFolder makes target what dir is: a link into /usr, as on current systems, a folder, or nothing.
func sameFolder(dir, target string) error {
	if link, err := os.Readlink(dir); err == nil {
		return os.Symlink(link, target)
	}
	if _, err := os.Stat(dir); err != nil {
		return nil
	}
	return mount(dir, target, "", unix.MS_BIND, "")
}

func mountKernel(root string) error {
	mounts := []struct {
		source, target, kind string
		flags                uintptr
		options              string
	}{
		{"proc", "/proc", "proc", 0, ""},
		{"/sys", "/sys", "", unix.MS_BIND | unix.MS_REC, ""},
		{"/dev", "/dev", "", unix.MS_BIND | unix.MS_REC, ""},
		{"devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=620,gid=5"},
		{"tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777"},
	}
	for _, m := range mounts {
		if err := mount(m.source, root+m.target, m.kind, m.flags, m.options); err != nil {
			return err
		}
	}
	return nil
}

func (p hostPlan) mountDisks(root string) error {
	for _, dir := range hostDisks {
		if err := mount(hostDisk(p.Dir)+dir, root+dir, "", unix.MS_BIND, ""); err != nil {
			return err
		}
	}
	return nil
}

// mountCompose installs docker compose for all users, if the machine has none for them.
func (p hostPlan) mountCompose(root string) error {
	if p.Compose == "" {
		return nil
	}
	file := root + "/usr/local/lib/docker/cli-plugins/docker-compose"
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, nil, 0o755); err != nil {
		return err
	}
	return unix.Mount(p.Compose, file, "", unix.MS_BIND, "")
}

// configure writes the settings of a machine that was installed a moment ago: start-up files of
// shells that cost no time, and a name server that refuses at once.
func (p hostPlan) configure(root string) error {
	accounts, err := hostAccounts(uncovered("/etc"))
	if err != nil {
		return err
	}
	files := map[string]string{
		"hostname":    p.Name + "\n",
		"hosts":       fmt.Sprintf("127.0.0.1 localhost\n%s %s\n", p.Address, p.Name),
		"resolv.conf": "nameserver " + bridgeAddress + "\n",
		"profile":     "export " + hostPath + "\n",
		"bash.bashrc": "",
		"environment": "",
		"passwd":      accounts.passwd,
		"group":       accounts.group,
		"shadow":      accounts.shadow,
	}
	for name, content := range files {
		file := filepath.Join(root, "etc", name)
		_ = os.Remove(file) // it may be a link to a file that is not there
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return os.Chmod(filepath.Join(root, "etc", "shadow"), 0o600)
}

type accounts struct{ passwd, group, shadow string }

// hostAccounts are the machine's system accounts, and deploy instead of its people.
func hostAccounts(etc string) (accounts, error) {
	passwd, err := systemEntries(filepath.Join(etc, "passwd"))
	if err != nil {
		return accounts{}, err
	}
	group, err := systemEntries(filepath.Join(etc, "group"))
	if err != nil {
		return accounts{}, err
	}
	passwd = append(passwd, "root:x:0:0:root:/root:/bin/bash", fmt.Sprintf("deploy:x:%d:%[1]d::/home/deploy:/bin/bash", deployID))
	group = append(group, "docker:x:999:deploy", fmt.Sprintf("deploy:x:%d:", deployID))
	var shadow []string
	for _, entry := range passwd {
		name, _, _ := strings.Cut(entry, ":")
		shadow = append(shadow, name+":*:19000:0:99999:7:::") // no password, which is not the same as locked
	}
	return accounts{joinLines(passwd), joinLines(group), joinLines(shadow)}, nil
}

// systemEntries are the lines of a passwd or group file for system accounts.
func systemEntries(file string) ([]string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var entries []string
	for line := range strings.Lines(string(content)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		var id int
		if len(fields) < 3 || fields[0] == "root" && len(fields) > 4 || fields[0] == "docker" || fields[0] == "deploy" {
			continue
		}
		if _, err := fmt.Sscan(fields[2], &id); err == nil && (id < 999 || id == 65534) {
			entries = append(entries, strings.Join(fields, ":"))
		}
	}
	return entries, nil
}

func joinLines(lines []string) string { return strings.Join(lines, "\n") + "\n" }

// enterRoot makes root the only file system there is.
func enterRoot(root string) error {
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("enter the new root: %w", err)
	}
	// The old root lies on the new one now, and "." is the old one.
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the old root: %w", err)
	}
	return os.Chdir("/")
}

// hideUserConfig hides the ssh settings and keys of the machine's root from the bed.
func hideUserConfig() error {
	account, err := user.LookupId("0")
	if err != nil {
		return err
	}
	dir := filepath.Join(account.HomeDir, ".ssh")
	if _, err := os.Stat(dir); err != nil {
		return nil
	}
	return mount("tmpfs", dir, "tmpfs", 0, "mode=700")
}
