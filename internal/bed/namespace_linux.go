package bed

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC

// folderPrefix begins the names of the bed's folder and of its control groups.
const folderPrefix = "promote-bed-"

var forwarded = []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGHUP}

// outside starts the bed and waits. When the first process inside is gone the kernel has ended all
// others and unmounted everything, so that only files and control groups are left to remove.
func outside() int {
	sweep()
	dir, err := os.MkdirTemp("", folderPrefix)
	if err != nil {
		return failed(err)
	}
	defer removeBed(dir)
	lock, err := holdFolder(dir)
	if err != nil {
		return failed(err)
	}
	defer lock.Close()
	return supervise(dir)
}

func supervise(dir string) int {
	program, err := os.Executable()
	if err != nil {
		return failed(err)
	}
	// The death signal is sent when the thread that started the child ends, not the process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	child := exec.Command(program)
	child.Args = os.Args
	child.Env = append(os.Environ(), rootVariable+"="+dir)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	child.SysProcAttr = &unix.SysProcAttr{Cloneflags: namespaces, Pdeathsig: unix.SIGKILL}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, forwarded...)
	if err := child.Start(); err != nil {
		return failed(err)
	}
	go forward(signals, child.Process)
	_ = child.Wait() // its outcome is in ProcessState
	takeTerminal()
	return exitCode(child.ProcessState)
}

// takeTerminal makes our process group the terminal's again: a command inside may have had it (see
// runCommand), and whoever called us expects to be able to read.
func takeTerminal() {
	signal.Ignore(unix.SIGTTOU)                                                     // which stops background processes that do this
	_ = unix.IoctlSetPointerInt(int(os.Stdin.Fd()), unix.TIOCSPGRP, unix.Getpgrp()) // not a terminal: nothing to take
}

func forward(signals <-chan os.Signal, to *os.Process) {
	for s := range signals {
		_ = to.Signal(s) // it may have ended by itself
	}
}

// first is process 1 of the bed: without one that reaps, an orphaned process that ended would look
// alive for ever to a test that waits for its end.
func first() int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, forwarded...)
	if err := furnish(); err != nil {
		return failed(err)
	}
	program, err := os.Executable()
	if err != nil {
		return failed(err)
	}
	files := []*os.File{os.Stdin, os.Stdout, os.Stderr}
	child, err := os.StartProcess(program, os.Args, &os.ProcAttr{Files: files})
	if err != nil {
		return failed(err)
	}
	go forward(signals, child)
	return reap(child.Pid)
}

// reap collects every process that ends until it is the one with pid, whose exit code it returns.
func reap(pid int) int {
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return failed(err)
		case ended == pid:
			return statusCode(status)
		}
	}
}

// furnish makes the new namespaces look like a machine that has just booted.
func furnish() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := freshFolders(); err != nil {
		return err
	}
	if err := unix.Sethostname([]byte("bed")); err != nil {
		return fmt.Errorf("set host name: %w", err)
	}
	ip, err := lookPath("ip")
	if err != nil {
		return err
	}
	if out, err := exec.Command(ip, "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("bring loopback up: %w: %s", err, out)
	}
	return nil
}

// freshFolders gives the bed a /run and an engine configuration of its own, and catches what it
// writes to other folders that belong to the machine.
func freshFolders() error {
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	for _, dir := range []string{"/etc", "/opt"} {
		if err := cover(dir); err != nil {
			return fmt.Errorf("cover %s: %w", dir, err)
		}
	}
	for _, dir := range []string{"/run/lock", "/run/sshd", "/etc/docker"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount("tmpfs", "/etc/docker", "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mount /etc/docker: %w", err)
	}
	return nameRegistry()
}

// cover keeps dir readable and sends writes to memory. What was there stays at uncovered(dir).
func cover(dir string) error {
	for _, folder := range []string{uncovered(dir), dir} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount(dir, uncovered(dir), "", unix.MS_BIND, ""); err != nil {
		return err
	}
	return overlay(dir, dir, "/run/bed"+dir)
}

// uncovered is where the machine's own dir can be read. The kernel stacks few overlays: a host's
// goes on this, not on the bed's.
func uncovered(dir string) string { return "/run/bed" + dir + "/machine" }

// overlay mounts dir on target; what is written there goes to the folder memory.
func overlay(dir, target, memory string) error {
	upper, work := memory+"/upper", memory+"/work"
	for _, folder := range []string{upper, work, target} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
	}
	return unix.Mount("overlay", target, "overlay", 0, "lowerdir="+dir+",upperdir="+upper+",workdir="+work)
}

// holdFolder marks dir as in use for as long as the returned file is open.
func holdFolder(dir string) (*os.File, error) {
	file, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// sweep removes what beds left whose outside process was killed before it could clean up.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*"))
	for _, dir := range dirs {
		lock, err := holdFolder(dir)
		if err != nil {
			continue
		}
		removeBed(dir)
		lock.Close()
	}
}

func removeBed(dir string) {
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
	}
	removeGroups(filepath.Base(dir))
}

// removeGroups removes a control group, in all hierarchies, and those below.
func removeGroups(name string) {
	for _, pattern := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/*"} {
		groups, _ := filepath.Glob(filepath.Join(pattern, name))
		for _, group := range groups {
			removeGroup(group)
		}
	}
}

// removeGroup removes folders only: a control group's files can't be removed and need not be.
func removeGroup(group string) {
	var dirs []string
	_ = filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	for _, dir := range slices.Backward(dirs) {
		if err := unix.Rmdir(dir); err != nil {
			fmt.Fprintln(os.Stderr, "bed: remove control group", strings.TrimPrefix(dir, "/sys/fs/cgroup/"), err)
		}
	}
}

// exitCode is what a shell would report: the exit status, or 128 and the number of the signal.
func exitCode(state *os.ProcessState) int {
	return statusCode(state.Sys().(syscall.WaitStatus))
}

func statusCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
