package host

import (
	"os/exec"
	"testing"

	"promote/internal/journal"
)

// TestStopWorker: a signal goes to the worker that wrote itself down, and not to who has its number now.
func TestStopWorker(t *testing.T) {
	other := exec.Command("sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	pid := other.Process.Pid
	started := startOf(pid)
	if started == 0 {
		t.Skip("SKIPPED: the kernel does not tell when a process started")
	}
	if err := stopWorker(journal.Holder{PID: pid, Started: started - 1}); err != nil {
		t.Fatal(err)
	}
	if startOf(pid) != started {
		t.Fatal("another process was stopped")
	}
	if err := stopWorker(journal.Holder{PID: pid, Started: started}); err != nil {
		t.Fatal(err)
	}
	if err := other.Wait(); err == nil {
		t.Error("the worker was not stopped")
	}
	if err := stopWorker(journal.Holder{PID: pid, Started: started}); err != nil {
		t.Errorf("one that is gone: %v", err)
	}
}
