package rollout

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"promote/internal/journal"
	"promote/internal/promotion"
)

// TestRoomToSave: data that is saved never fills the disk that it is saved to. What is known to be too large is not
// even begun.
func TestRoomToSave(t *testing.T) {
	for name, test := range map[string]struct {
		disk  int64  // bytes
		dump  int64  // bytes
		last  int64  // bytes, of the copy that is there
		begun bool   // the dump
		error string // none: it is saved
	}{
		"room enough":             {100 << 20, 1 << 20, 0, true, ""},
		"as much as it was":       {100 << 20, 1 << 20, 60 << 20, true, ""},
		"more than there is":      {40 << 20, 20 << 20, 0, true, "only 32 MB are free on the disk of DIR: saving main would fill it"},
		"full already":            {20 << 20, 1 << 20, 0, false, "only 20 MB are free on the disk of DIR"},
		"too little for the last": {100 << 20, 1 << 20, 80 << 20, false, "only 100 MB are free on the disk of DIR: too few to save main, which had 80 MB the last time"},
		"a tenth stays free":      {1000 << 20, 1 << 20, 950 << 20, false, "only 1000 MB are free on the disk of DIR: too few to save main, which had 950 MB the last time"},
	} {
		t.Run(name, func(t *testing.T) {
			r := runOfOneDump(t, fmt.Sprintf("touch begun; head -c %d /dev/zero", test.dump), test.last)
			dir := r.record.Path("")
			pretendDisk(t, dir, test.disk)
			err := r.save(t.Context(), promotion.Step{Kind: promotion.SaveStep, Task: "main"})
			if test.error == "" && err != nil || test.error != "" && (err == nil || err.Error() != strings.ReplaceAll(test.error, "DIR", dir)) {
				t.Errorf("got %v", err)
			}
			if _, err := os.Stat(filepath.Join(r.Target.Project, "begun")); (err == nil) != test.begun {
				t.Errorf("the dump was begun: %v", err == nil)
			}
			kept, err := replacedIn(r.record)
			if err != nil || (test.error == "") != slices.Equal(kept, []string{"replaced-main"}) || test.error != "" && len(kept) > 0 {
				t.Errorf("there is %v, %v", kept, err)
			}
		})
	}
}

// runOfOneDump is a deployment that saves data. An earlier one kept a copy of some size, if that isn't 0.
func runOfOneDump(t *testing.T, line string, last int64) *run {
	t.Helper()
	dir := t.TempDir()
	history := journal.Open(dir)
	m := &Machine{Target: promotion.Target{Environment: "staging", Project: dir}, Environ: os.Environ(), History: history, Now: time.Now}
	d := promotion.Data{Name: "main", In: promotion.InHost, Dump: promotion.ShellLine(line)}
	r := &run{Machine: m, record: history.Deployment("d2"), Order: Order{
		Plan: promotion.Plan{ID: "d2", Data: &promotion.Transfer{Items: []promotion.Data{d}}},
		Tell: func(Event) {},
	}}
	earlier := history.Deployment("d1")
	if err := errors.Join(r.record.Make(), earlier.Make(), history.Append(journal.Entry{
		Schema: 1, ID: "d1", Event: journal.Begun, Kind: "data", Data: &journal.Data{Names: []string{"main"}},
	})); err != nil {
		t.Fatal(err)
	}
	if last > 0 {
		path := replaced(earlier, "main")
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, last)); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// pretendDisk has a folder be a disk of its own.
func pretendDisk(t *testing.T, dir string, size int64) {
	real := freeSpace
	t.Cleanup(func() { freeSpace = real })
	freeSpace = func(string) (uint64, bool) {
		free := size
		files, _ := os.ReadDir(dir)
		for _, f := range files {
			if info, err := f.Info(); err == nil && info.Mode().IsRegular() {
				free -= info.Size()
			}
		}
		return uint64(max(free, 0)), true
	}
}
