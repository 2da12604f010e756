package rollout

import (
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"promote/internal/journal"
)

// least is the free space without which nothing is begun: files of ours, and the engine's own.
const least = 32 << 20 // bytes

// freeSpace is how much of a disk is free. It is not known of what is not ours to look at, such as the engine's folder.
var freeSpace = func(path string) (free uint64, known bool) { // another disk in tests
	var s unix.Statfs_t
	err := unix.Statfs(path, &s)
	return s.Bavail * uint64(s.Bsize), err == nil
}

// roomy makes sure that a disk is not full.
func (m *Machine) roomy(path string) error {
	if free, known := freeSpace(path); known && free < least {
		return m.noSpace(path, free, "")
	}
	return nil
}

func (m *Machine) noSpace(path string, free uint64, purpose string) error {
	return &noSpaceError{path, free, m.Target.Environment, purpose}
}

// noSpaceError is a disk that is too full.
type noSpaceError struct {
	path        string
	free        uint64
	environment string
	purpose     string // what there is too little space for, where that is more than usual
}

func (e *noSpaceError) Error() string {
	return fmt.Sprintf("only %d MB are free on the disk of %s%s", e.free>>20, e.path, e.purpose)
}

// Hint is what makes room and leaves alone what a rollback may want.
func (e *noSpaceError) Hint() string { return "promote gc " + e.environment }

// savingRoom is written to before the data that is saved, and fails before that fills the disk: the database that it
// comes from may be on the same one, goes on writing, and breaks when it can't.
type savingRoom struct {
	run    *run
	name   string // of the data
	spared uint64 // bytes that are left free
}

// roomToSave makes sure that there is room for data as large as it was when it was last saved, if it was.
func (r *run) roomToSave(name string) (*savingRoom, error) {
	dir := r.record.Path("")
	last, err := r.lastSaved(name)
	if err != nil {
		return nil, err
	}
	free, known := freeSpace(dir)
	spared := max(least, free/10)
	switch {
	case !known || free >= spared+last:
		return &savingRoom{r, name, spared}, nil
	case last == 0:
		return nil, r.noSpace(dir, free, "")
	}
	return nil, r.noSpace(dir, free, fmt.Sprintf(": too few to save %s, which had %d MB the last time", name, last>>20))
}

// lastSaved is the size of the newest copy of data that is there; 0 without one.
func (r *run) lastSaved(name string) (uint64, error) {
	entries, err := r.History.Entries()
	if err != nil {
		return 0, err
	}
	for _, d := range slices.Backward(journal.Deployments(entries)) {
		if d.Data == nil {
			continue
		}
		if info, err := os.Stat(replaced(r.journal().Deployment(d.ID), name)); err == nil {
			return uint64(info.Size()), nil
		}
	}
	return 0, nil
}

// Write makes sure that there is room for the data that it is given.
func (s *savingRoom) Write(data []byte) (int, error) {
	dir := s.run.record.Path("")
	free, known := freeSpace(dir)
	if known && free < s.spared+uint64(len(data)) {
		return 0, s.run.noSpace(dir, free, ": saving "+s.name+" would fill it")
	}
	return len(data), nil
}
