package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Old are the ids of deployments whose folders need not stay: of each environment all but the last so many,
// and none that has not ended. The history itself is never cut. Ids begin with the time, so that they sort.
func (j *Journal) Old(keep int) ([]string, error) {
	entries, err := Open(filepath.Dir(j.dir)).Entries()
	if err != nil {
		return nil, err
	}
	folders, err := os.ReadDir(filepath.Join(j.dir, "deployments"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	environments, unfinished := map[string]string{}, Pending(entries)
	for _, e := range entries {
		environments[e.ID] = e.Environment
	}
	var old []string
	count := map[string]int{}
	for _, f := range slices.Backward(folders) {
		environment := environments[f.Name()] // that of one which never began is not known
		count[environment]++
		if count[environment] > keep && !unfinished[f.Name()] {
			old = append(old, f.Name())
		}
	}
	slices.Reverse(old)
	return old, nil
}

// Pending are the ids of all deployments that can still be resumed, in whichever environment: those that did
// not end, and the one of each that got stuck last.
func Pending(entries []Entry) map[string]bool {
	pending := map[string]bool{}
	of := map[string][]Entry{}
	for _, e := range entries {
		of[e.Environment] = append(of[e.Environment], e)
	}
	for _, own := range of {
		for _, d := range Deployments(own) {
			pending[d.ID] = pending[d.ID] || d.End.IsZero()
		}
		if d := Unfinished(own); d != nil {
			pending[d.ID] = true
		}
	}
	return pending
}

// Remove removes the folder of a deployment.
func (r *Record) Remove() error { return os.RemoveAll(r.dir) }
