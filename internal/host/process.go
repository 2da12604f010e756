package host

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"promote/internal/journal"
)

// stopWorker asks the worker that wrote itself into the lock to stop and to put back. It may be gone, and its number
// another process's by now: what it left running may still hold the lock.
func stopWorker(holder journal.Holder) error {
	worker, err := os.FindProcess(holder.PID) // holds on to the process that has the number now
	if err != nil {
		return nil
	}
	defer worker.Release()
	if holder.Started != 0 && startOf(holder.PID) != holder.Started {
		return nil
	}
	if err := worker.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("worker %d: %w", holder.PID, err)
	}
	return nil
}

// sameProgram is a path to the program that runs now, if the path is its own: another one may have been put there
// since it started, and a worker of another version would misunderstand its job.
func sameProgram(path string) string {
	const running = "/proc/self/exe"
	self, err := os.Executable()
	if _, missing := os.Stat(running); err != nil || missing != nil || self != path {
		return path
	}
	return running
}

// startOf is when a process started, in ticks since its machine did; 0 where the kernel does not tell.
func startOf(pid int) uint64 {
	const field = 19 // of those behind the name, which may contain anything
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if err != nil || len(fields) <= field {
		return 0
	}
	ticks, _ := strconv.ParseUint(string(fields[field]), 10, 64) // 0 is not known
	return ticks
}
