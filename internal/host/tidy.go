package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"
)

// keptPrograms is how many versions of our program stay on a host: clients may have different ones.
const keptPrograms = 3

var hashGrammar = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Tidy removes versions of our program that were not used for the longest time, and what broken first
// contacts left, from the folder that self was brought to. A program that was not brought there by ssh
// has no such folder. A worker that still runs one of them goes on: the kernel keeps its file.
func Tidy(self string, now time.Time) error {
	own := filepath.Dir(self)
	folder := filepath.Dir(own)
	if !hashGrammar.MatchString(filepath.Base(own)) {
		return nil
	}
	if err := os.Chtimes(own, now, now); err != nil {
		return err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var programs []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && hashGrammar.MatchString(e.Name()) {
			programs = append(programs, info)
		}
	}
	slices.SortFunc(programs, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	var failures []error
	for i, info := range programs {
		if i >= keptPrograms {
			failures = append(failures, os.RemoveAll(filepath.Join(folder, info.Name())))
		}
	}
	return errors.Join(append(failures, removeHalves(own, now))...)
}

// removeHalves removes what was left by first contacts that broke off. One that goes on has a young file.
func removeHalves(dir string, now time.Time) error {
	halves, err := filepath.Glob(filepath.Join(dir, ".promote-*"))
	if err != nil {
		return err
	}
	var failures []error
	for _, path := range halves {
		if info, err := os.Stat(path); err == nil && now.Sub(info.ModTime()) > time.Hour {
			failures = append(failures, os.Remove(path))
		}
	}
	return errors.Join(failures...)
}
